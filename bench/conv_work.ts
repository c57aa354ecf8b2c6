/** One convolution layer, by each of the kernels that can do it. */
import { storageOf } from "../src/gpu/mod.ts";
import { packConvWeights } from "../src/nn/layout.ts";
import {
  conv2dDirect,
  conv2dShared,
  type Conv2dSizes,
  conv2dSubgroup8,
  conv2dSubgroup8Tall,
} from "../src/wgsl/conv2d.ts";
import type { GroupedConv2dSizes } from "../src/wgsl/conv2d_grouped.ts";
import type { Kernel } from "../src/wgsl/kernel.ts";
import {
  winogradInput,
  winogradOutput,
  winogradTiles,
} from "../src/wgsl/winograd.ts";
import { randomFloats } from "../tests/testing.ts";
import { gpu, randomTensor, type Work } from "./harness.ts";
import type { ConvLayer } from "./shapes.ts";

/**
 * The kernels for whole convolutions, float32 weights, that the adapter can
 * run; what suits it best comes last.
 */
export const CONV_KERNELS: readonly Kernel<Conv2dSizes>[] = [
  conv2dDirect.f32,
  conv2dShared.f32,
  ...gpu.pick<readonly Kernel<Conv2dSizes>[]>({
    portable: [],
    subgroup8: [conv2dSubgroup8.f32, conv2dSubgroup8Tall.f32],
  }),
];

/** Whether Winograd can do a layer. */
export function suitsWinograd({ kernel, strides }: ConvLayer): boolean {
  return kernel.join() === "3,3" && strides.join() === "1,1";
}

/** A layer with its ReLU as one dispatch. */
export async function direct(
  scope: DisposableStack,
  layer: ConvLayer,
  kernel: Kernel<Conv2dSizes> | Kernel<GroupedConv2dSizes>,
): Promise<Work> {
  const { images, channels, outputs, input, output, kernel: window } = layer;
  const [columns, inputs] = [outputs, channels].map((c) => Math.ceil(c / 4));
  const sizes = {
    images,
    input,
    output,
    kernel: window,
    strides: layer.strides,
    pads: layer.pads,
    inputChannels4: inputs!,
    outputChannels4: columns!,
    activation: { kind: "relu" },
    groupInputs: channels,
    groupOutputs: outputs,
  } as const;
  const shape = [outputs, channels, ...window];
  const weights = packConvWeights(
    randomFloats(2, shape.reduce((a, b) => a * b)),
    shape,
    kernel.name === "conv2d_grouped" ? channels : undefined,
  );
  const bias = randomTensor(scope, columns! * 4);
  const y = scope.use(
    gpu.tensor([images * output[0] * output[1] * columns! * 4]),
  );
  const program = scope.use(gpu.program(kernel.name)).dispatch(
    kernel as Kernel<typeof sizes>,
    sizes,
    {
      x: randomTensor(scope, images * input[0] * input[1] * inputs! * 4),
      w: scope.use(
        gpu.upload(
          weights,
          undefined,
          "weights",
          storageOf(kernel.bindings["w"]!),
        ),
      ),
      bias,
      residual: bias,
      y,
    },
  );
  await program.compile();
  return { program, output: y };
}

/** A 3 × 3 layer with its ReLU by Winograd's transforms around 36 products. */
export async function winograd(
  scope: DisposableStack,
  layer: ConvLayer,
): Promise<Work> {
  const { images, channels, outputs, input, output, pads } = layer;
  const [tilesY, tilesX] = winogradTiles(output);
  const tiles = images * tilesY * tilesX;
  const inputChannels4 = Math.ceil(channels / 4);
  const outputChannels4 = Math.ceil(outputs / 4);
  const bias = randomTensor(scope, outputChannels4 * 4);
  const x = randomTensor(
    scope,
    images * input[0] * input[1] * inputChannels4 * 4,
  );
  const tile = CONV_KERNELS.at(-1)!;
  const weights = randomFloats(3, 36 * inputChannels4 * outputChannels4 * 16);
  const w = scope.use(
    gpu.upload(weights, undefined, "weights", storageOf(tile.bindings["w"]!)),
  );
  const v = scope.use(gpu.tensor([36 * tiles * inputChannels4 * 4]));
  const m = scope.use(gpu.tensor([36 * tiles * outputChannels4 * 4]));
  const y = scope.use(
    gpu.tensor([images * output[0] * output[1] * outputChannels4 * 4]),
  );
  const products = { images: 1, output: [1, tiles] } as const;
  const program = scope.use(gpu.program("winograd"))
    .dispatch(winogradInput, {
      ...{ images, input, output, pads },
      channels4: inputChannels4,
    }, { x, y: v })
    .dispatch(tile, {
      ...products,
      input: [1, tiles],
      inputChannels4,
      outputChannels4,
      batches: 36,
    }, { x: v, w, bias, residual: bias, y: m })
    .dispatch(winogradOutput, {
      ...{ images, output },
      channels4: outputChannels4,
      activation: { kind: "relu" },
    }, { x: m, bias, residual: bias, y });
  await program.compile();
  return { program, output: y };
}
