import { assert, assertThrows } from "@std/assert";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";
import { type Gpu, storageOf } from "../../src/gpu/mod.ts";
import type { FusedActivation } from "../../src/wgsl/activation.ts";
import {
  conv2dDirect,
  conv2dShared,
  conv2dSharedLarge,
  type Conv2dSizes,
  conv2dSubgroup8,
  conv2dSubgroup8Tall,
} from "../../src/wgsl/conv2d.ts";
import type { Turn } from "../../src/wgsl/epilogue.ts";
import { conv2dGrouped } from "../../src/wgsl/conv2d_grouped.ts";
import { conv2dSum } from "../../src/wgsl/conv2d_sum.ts";
import type { Kernel } from "../../src/wgsl/kernel.ts";
import {
  packConvWeights,
  packVector,
  toHalf,
  toNchw,
} from "../../src/nn/layout.ts";
import { conv2d } from "../reference/conv2d.ts";
import { runsOn } from "./run_kernel.ts";

interface Case {
  /** images, height, width, input channels, output channels */
  readonly shape: readonly [number, number, number, number, number];
  readonly kernel?: readonly [number, number];
  readonly strides?: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads?: readonly [number, number, number, number];
  readonly dilations?: readonly [number, number];
  readonly groups?: number;
  readonly residual?: boolean;
  readonly gate?: boolean;
  readonly turn?: Turn;
  readonly activation?: FusedActivation;
}

const DENSE: readonly Case[] = [
  { shape: [1, 1, 1, 1, 1] },
  { shape: [2, 7, 5, 5, 45], residual: true, activation: { kind: "relu" } },
  { shape: [1, 14, 14, 512, 64] },
  {
    shape: [1, 33, 2, 3, 68],
    kernel: [7, 7],
    strides: [2, 2],
    pads: [3, 3, 3, 3],
  },
  { shape: [3, 7, 14, 12, 20], kernel: [3, 3], pads: [1, 1, 1, 1] },
  {
    shape: [1, 9, 8, 4, 4],
    kernel: [3, 3],
    strides: [2, 2],
    pads: [0, 1, 2, 0],
  },
  {
    shape: [1, 12, 11, 6, 7],
    kernel: [3, 2],
    dilations: [2, 3],
    pads: [2, 1, 2, 2],
  },
  { shape: [2, 14, 13, 45, 130], strides: [2, 2] },
  { shape: [1, 2, 2, 8, 8], kernel: [3, 3], pads: [2, 2, 2, 2] },
  { shape: [1, 5, 5, 8, 8], activation: { kind: "clip", min: -0.1, max: 0.2 } },
  { shape: [1, 5, 5, 8, 8], activation: { kind: "leaky_relu", alpha: 0.1 } },
  { shape: [1, 5, 5, 8, 8], activation: { kind: "sigmoid" } },
  {
    shape: [1, 5, 5, 8, 8],
    activation: { kind: "hard_sigmoid", alpha: 0.2, beta: 0.5 },
  },
  { shape: [1, 5, 5, 8, 8], activation: { kind: "hard_swish" } },
  { shape: [1, 5, 5, 8, 8], activation: { kind: "silu" } },
  { shape: [1, 5, 5, 8, 8], activation: { kind: "gelu" } },
  { shape: [1, 5, 5, 8, 8], activation: { kind: "quick_gelu" } },
  { shape: [2, 1, 9, 12, 20], gate: true, activation: { kind: "silu" } },
  {
    shape: [2, 1, 13, 12, 72],
    turn: { tokens: 13, head4: 3, columns4: 12 },
  },
];

/** Tiles share the code of what ends a product: only one of them goes through all. */
const PLAIN = DENSE.filter(({ activation, gate, turn }) =>
  (activation === undefined || activation.kind === "relu") && !gate && !turn
);

const GROUPED: readonly Case[] = [
  { shape: [1, 7, 7, 5, 5], kernel: [3, 3], pads: [1, 1, 1, 1], groups: 5 },
  {
    shape: [2, 14, 14, 45, 45],
    kernel: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    groups: 45,
  },
  {
    shape: [1, 7, 6, 64, 64],
    kernel: [3, 3],
    pads: [1, 1, 1, 1],
    groups: 8,
    residual: true,
  },
  { shape: [1, 2, 33, 12, 18], kernel: [1, 3], pads: [0, 1, 0, 1], groups: 6 },
  { shape: [1, 6, 6, 4, 8], groups: 4, activation: { kind: "relu" } },
];

function describe(
  { shape, groups, kernel, activation, gate, turn }: Case,
): string {
  const end = [activation?.kind, gate && "gate", turn && "turn"]
    .filter(Boolean).join(" ");
  return `[${shape}] kernel ${kernel ?? "1,1"} groups ${groups ?? 1} ${end}`;
}

async function check(
  gpu: Gpu,
  kernel: Kernel<Conv2dSizes>,
  testCase: Case,
  splits = 1,
): Promise<void> {
  const [images, height, width, inputChannels, outputChannels] = testCase.shape;
  const { groups = 1, kernel: window = [1, 1] } = testCase;
  const [top, left, bottom, right] = testCase.pads ?? [0, 0, 0, 0];
  const extent = (size: number, pad: number, axis: number) =>
    Math.floor(
      (size + pad - (testCase.dilations?.[axis] ?? 1) * (window[axis] - 1) -
        1) / (testCase.strides?.[axis] ?? 1),
    ) + 1;
  const output = [
    extent(height, top + bottom, 0),
    extent(width, left + right, 1),
  ] as const;
  const groupInputs = inputChannels / groups;
  const common = {
    images,
    input: [height, width] as const,
    output,
    kernel: window,
    pads: [top, left] as const,
    ...(testCase.strides && { strides: testCase.strides }),
    ...(testCase.dilations && { dilations: testCase.dilations }),
    ...(testCase.activation && { activation: testCase.activation }),
    ...(testCase.gate && { gate: true }),
    ...(testCase.turn && { turn: testCase.turn }),
  };
  const x = randomFloats(1, images * height * width * inputChannels);
  const weightShape = [outputChannels, groupInputs, ...window];
  const weights = randomFloats(
    2,
    weightShape.reduce((a, b) => a * b),
  );
  const bias = randomFloats(3, outputChannels);
  const pixels = images * output[0] * output[1];
  const { turn } = testCase;
  const residual = turn
    ? randomFloats(4, turn.tokens * turn.head4 * 8)
    : testCase.residual || testCase.gate
    ? randomFloats(4, pixels * outputChannels)
    : undefined;
  const expected = conv2d(
    { ...common, inputChannels, outputChannels, groups },
    x,
    weights,
    bias,
    residual,
  );

  const half = kernel.name.endsWith("_f16");
  const packed = packConvWeights(
    weights,
    weightShape,
    kernel.name === "conv2d_grouped" ? groupInputs : undefined,
  );
  using xTensor = gpu.upload(padChannels(x, inputChannels));
  using w = gpu.upload(
    half ? toHalf(packed) : packed,
    undefined,
    "weights",
    storageOf(kernel.bindings["w"]!),
  );
  using biasTensor = gpu.upload(packVector(bias, outputChannels));
  using residualTensor = gpu.upload(
    turn
      ? residual!
      : residual
      ? padChannels(residual, outputChannels)
      : new Float32Array(4),
  );
  const columns = Math.ceil(outputChannels / 4);
  using y = gpu.tensor([pixels, columns * 4]);
  const sizes = {
    ...common,
    inputChannels4: Math.ceil(inputChannels / 4),
    outputChannels4: columns,
    residual: testCase.residual === true,
    groupInputs,
    groupOutputs: outputChannels / groups,
  };
  using zero = gpu.upload(new Float32Array(columns * 4));
  using parts = gpu.tensor([splits, pixels, columns * 4]);
  const finish = { bias: biasTensor, residual: residualTensor, y };
  using program = gpu.program("conv2d test");
  if (splits === 1) {
    program.dispatch(kernel, sizes, { x: xTensor, w, ...finish });
  } else {
    const { activation: _, residual: __, gate: ___, turn: ____, ...plain } =
      sizes;
    program.dispatch(kernel, { ...plain, splits }, {
      x: xTensor,
      w,
      bias: zero,
      residual: zero,
      y: parts,
    }).dispatch(conv2dSum, {
      ...sizes,
      rows: pixels,
      splits,
    }, { x: parts, ...finish });
  }
  await program.compile();
  program.run();
  const actual = await gpu.readFloats(y);
  const dropped = toNchw(actual, [pixels, outputChannels, 1, 1]);
  const terms = groupInputs * window[0] * window[1];
  const error = relativeError(dropped, expected);
  assert(
    error <= (half ? 3e-3 : 2e-6 * Math.sqrt(terms)),
    `${describe(testCase)}: relative error ${error}`,
  );
}

function padChannels(
  data: Float32Array,
  channels: number,
): Float32Array<ArrayBuffer> {
  const stride = Math.ceil(channels / 4) * 4;
  const padded = new Float32Array(data.length / channels * stride);
  for (let p = 0; p < data.length / channels; p++) {
    padded.set(data.subarray(p * channels, (p + 1) * channels), p * stride);
  }
  return padded;
}

const FAMILIES = [
  conv2dDirect,
  conv2dShared,
  conv2dSharedLarge,
  conv2dSubgroup8,
  conv2dSubgroup8Tall,
];

for (const kernel of FAMILIES.flatMap(({ f32, f16 }) => [f32, f16])) {
  gpuTest(
    `${kernel.name} equals the reference over boundary shapes`,
    async (gpu, t) => {
      const cases = kernel === conv2dDirect.f32 ? DENSE : PLAIN;
      for (const testCase of cases) {
        await t.step({
          name: describe(testCase),
          ignore: !runsOn(gpu, kernel),
          fn: () => check(gpu, kernel, testCase),
        });
      }
    },
  );
}

gpuTest(
  "conv2d_grouped equals the reference over boundary shapes",
  async (gpu, t) => {
    const without = DENSE.filter(({ gate, turn }) => !gate && !turn);
    for (const testCase of [...without, ...GROUPED]) {
      await t.step(
        describe(testCase),
        () => check(gpu, conv2dGrouped as Kernel<Conv2dSizes>, testCase),
      );
    }
  },
);

for (const { f32, f16 } of [conv2dShared, conv2dSharedLarge]) {
  for (const splits of [2, 3, 8]) {
    gpuTest(
      `${f32.name} in ${splits} partial sums and conv2d_sum equal the reference`,
      async (gpu, t) => {
        for (const testCase of splits === 3 ? DENSE : PLAIN) {
          await t.step(
            describe(testCase),
            () => check(gpu, splits === 8 ? f16 : f32, testCase, splits),
          );
        }
      },
    );
  }
}

Deno.test("a tile in registers alone refuses to be split", () => {
  assertThrows(
    () =>
      conv2dDirect.f32.plan({
        images: 1,
        input: [1, 1],
        output: [1, 1],
        inputChannels4: 1,
        outputChannels4: 1,
        splits: 2,
      }),
    RangeError,
    "2 partial sums",
  );
});

Deno.test("a product refuses a residual that is two things at once", () => {
  assertThrows(
    () =>
      conv2dDirect.f32.plan({
        images: 1,
        input: [1, 1],
        inputChannels4: 1,
        output: [1, 1],
        outputChannels4: 1,
        residual: true,
        gate: true,
      }),
    TypeError,
    "two ways",
  );
});
