import { assert } from "@std/assert";
import { type Gpu, storageOf } from "../../src/gpu/mod.ts";
import { packVector, toNchw, toNhwc } from "../../src/nn/layout.ts";
import { winogradWeights } from "../../src/nn/winograd_weights.ts";
import type { FusedActivation } from "../../src/wgsl/activation.ts";
import { conv2dDirect, conv2dSubgroup8 } from "../../src/wgsl/conv2d.ts";
import {
  winogradInput,
  winogradOutput,
  winogradTiles,
} from "../../src/wgsl/winograd.ts";
import { activate } from "../reference/conv2d.ts";
import { floats } from "../reference/operands.ts";
import { Add, Conv } from "../reference/operators.ts";
import { gpuTest, relativeError } from "../testing.ts";
import {
  guardedOutput,
  paddedSize,
  randomTensor,
  readOutput,
} from "./run_kernel.ts";

interface Case {
  /** images, input channels, height, width */
  readonly shape: readonly [number, number, number, number];
  readonly outputs: number;
  /** top, left, bottom, right; 1 by default */
  readonly pads?: readonly [number, number, number, number];
  readonly residual?: boolean;
  readonly activation?: FusedActivation;
}

const CASES: readonly Case[] = [
  { shape: [2, 1, 1, 1], outputs: 3 },
  { shape: [1, 64, 1, 1], outputs: 64 },
  { shape: [2, 3, 2, 2], outputs: 45 },
  { shape: [1, 5, 2, 2], outputs: 5 },
  { shape: [2, 5, 3, 3], outputs: 1 },
  { shape: [1, 45, 3, 3], outputs: 64 },
  { shape: [2, 45, 4, 4], outputs: 3 },
  { shape: [1, 64, 4, 4], outputs: 5 },
  { shape: [2, 64, 5, 5], outputs: 45 },
  { shape: [1, 1, 5, 5], outputs: 1 },
  { shape: [2, 3, 7, 7], outputs: 64 },
  { shape: [1, 45, 7, 7], outputs: 45 },
  { shape: [2, 64, 14, 14], outputs: 64 },
  { shape: [1, 5, 14, 14], outputs: 3 },
  { shape: [2, 45, 33, 33], outputs: 5 },
  { shape: [1, 3, 33, 33], outputs: 64 },
  { shape: [2, 5, 3, 33], outputs: 45 },
  { shape: [1, 3, 14, 5], outputs: 5, pads: [0, 0, 0, 0] },
  { shape: [2, 3, 6, 7], outputs: 5, pads: [0, 1, 2, 2] },
  { shape: [1, 5, 3, 3], outputs: 45, pads: [2, 2, 0, 1] },
  { shape: [2, 45, 7, 5], outputs: 45, residual: true },
  {
    shape: [2, 64, 14, 14],
    outputs: 64,
    residual: true,
    activation: { kind: "relu" },
  },
  { shape: [1, 5, 7, 9], outputs: 5, activation: { kind: "silu" } },
  {
    shape: [1, 5, 7, 9],
    outputs: 5,
    activation: { kind: "clip", min: -0.5, max: 1 },
  },
];

function describe({ shape, outputs, pads, ...rest }: Case): string {
  return `[${shape}] to ${outputs} channels, pads ${pads ?? 1}${
    rest.residual ? ", residual" : ""
  }${rest.activation ? `, ${rest.activation.kind}` : ""}`;
}

async function check(gpu: Gpu, testCase: Case): Promise<void> {
  const { shape, outputs, residual = false, activation } = testCase;
  const { pads = [1, 1, 1, 1] } = testCase;
  const [images, channels, height, width] = shape;
  const x = randomTensor(1, shape);
  const weights = randomTensor(2, [outputs, channels, 3, 3]);
  const bias = randomTensor(3, [outputs]);
  const sums = Conv([x, weights, bias], { pads });
  const extra = randomTensor(4, sums.shape);
  const expected = Float64Array.from(
    floats(residual ? Add([sums, extra]) : sums),
    (v) => activate(v, activation),
  );

  const output = [sums.shape[2]!, sums.shape[3]!] as const;
  const [tilesY, tilesX] = winogradTiles(output);
  const tiles = images * tilesY * tilesX;
  const channels4 = Math.ceil(channels / 4);
  const outputs4 = Math.ceil(outputs / 4);
  using image = gpu.upload(toNhwc(x.data, shape));
  using v = guardedOutput(gpu, 36 * tiles * channels4 * 4);
  const kernel = gpu.pick({
    portable: conv2dDirect.f32,
    subgroup8: conv2dSubgroup8.f32,
  });
  using w = gpu.upload(
    winogradWeights(weights.data, weights.shape),
    undefined,
    "weights",
    storageOf(kernel.bindings["w"]!),
  );
  using m = guardedOutput(gpu, 36 * tiles * outputs4 * 4);
  using zero = gpu.upload(new Float32Array(outputs4 * 4));
  using biasVector = gpu.upload(packVector(bias.data, outputs));
  using residualTensor = gpu.upload(toNhwc(extra.data, sums.shape));
  using y = guardedOutput(gpu, paddedSize(sums.shape));
  using program = await gpu.program("winograd test")
    .dispatch(winogradInput, {
      images,
      channels4,
      input: [height, width],
      output,
      pads: [pads[0], pads[1]],
    }, { x: image, y: v })
    .dispatch(kernel, {
      images: 1,
      input: [1, tiles],
      inputChannels4: channels4,
      output: [1, tiles],
      outputChannels4: outputs4,
      batches: 36,
    }, { x: v, w, bias: zero, residual: zero, y: m })
    .dispatch(winogradOutput, {
      images,
      channels4: outputs4,
      output,
      residual,
      ...(activation && { activation }),
    }, { x: m, bias: biasVector, residual: residualTensor, y })
    .compile();
  program.run();
  const [n, c, h, wide] = sums.shape;
  await readOutput(gpu, v);
  await readOutput(gpu, m);
  const actual = toNchw(await readOutput(gpu, y), [n!, c!, h!, wide!]);
  const error = relativeError(actual, expected);
  assert(error <= 2e-5, `relative error ${error}`);
}

gpuTest(
  "winograd_input, the products and winograd_output equal a 3x3 convolution",
  async (gpu, t) => {
    for (const testCase of CASES) {
      await t.step(describe(testCase), () => check(gpu, testCase));
    }
  },
);
