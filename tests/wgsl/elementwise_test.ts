import { assert } from "@std/assert";
import type { Gpu } from "../../src/gpu/mod.ts";
import type { HostTensor } from "../../src/nn/graph.ts";
import { toNhwc } from "../../src/nn/layout.ts";
import type { FusedActivation } from "../../src/wgsl/activation.ts";
import {
  elementwise,
  type ElementwiseBroadcast,
  type ElementwiseOperation,
} from "../../src/wgsl/elementwise.ts";
import { activate } from "../reference/conv2d.ts";
import { floats } from "../reference/operands.ts";
import {
  Add,
  BatchNormalization,
  Div,
  Mul,
  PRelu,
  Sub,
} from "../reference/operators.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  paddedSize,
  randomTensor,
  runKernel,
  withoutPadding,
} from "./run_kernel.ts";

type Operation = (x: HostTensor, b: HostTensor, c: HostTensor) => HostTensor;

const REFERENCES: Readonly<Record<ElementwiseOperation, Operation>> = {
  none: (x) => x,
  add: (x, b) => Add([x, b]),
  subtract: (x, b) => Sub([x, b]),
  multiply: (x, b) => Mul([x, b]),
  divide: (x, b) => Div([x, b]),
  affine: (x, b, c) => BatchNormalization([x, b, c]),
  subtract_from: (x, b) => Sub([b, x]),
  divide_into: (x, b) => Div([b, x]),
  prelu: (x, b) => PRelu([x, b]),
};

const ACTIVATIONS: readonly FusedActivation[] = [
  { kind: "relu" },
  { kind: "clip", min: -0.25, max: 0.5 },
  { kind: "clip", min: 0.25, max: 0.5 },
  { kind: "clip", min: -Infinity, max: 0.5 },
  { kind: "leaky_relu", alpha: 0.1 },
  { kind: "sigmoid" },
  { kind: "hard_sigmoid", alpha: 0.2, beta: 0.5 },
  { kind: "hard_swish" },
  { kind: "silu" },
];

const SHAPES = [
  [1, 1, 1, 1],
  [2, 3, 7, 2],
  [3, 45, 2, 5],
  [1, 512, 3, 3],
  [2, 5, 33, 1],
];

type Four = [number, number, number, number];

interface Case {
  readonly shape: readonly number[];
  readonly operation: ElementwiseOperation;
  readonly broadcast?: Exclude<ElementwiseBroadcast, "strided">;
  readonly activation?: FusedActivation;
  readonly scale?: number;
}

async function check(gpu: Gpu, testCase: Case): Promise<void> {
  const { shape, operation, broadcast = "same", scale = 1 } = testCase;
  const { activation } = testCase;
  const [images, channels, height, width] = shape as [
    number,
    number,
    number,
    number,
  ];
  const x = randomTensor(6, shape, scale);
  const b = randomTensor(
    7,
    {
      same: shape,
      channel: [1, channels, 1, 1],
      image_channel: [images, channels, 1, 1],
    }[broadcast],
  );
  const c = randomTensor(8, [1, channels, 1, 1]);
  const divisor = operation === "divide" ? b : x;
  if (operation.startsWith("divide")) {
    divisor.data.forEach((v, i) => divisor.data[i] = v < 0 ? v - 0.5 : v + 0.5);
  }
  const expected = floats(REFERENCES[operation](x, b, c));
  const y = await runKernel(gpu, elementwise, {
    images,
    pixels: height * width,
    channels,
    operation,
    broadcast,
    ...(activation && { activation }),
  }, {
    x: toNhwc(x.data, x.shape),
    b: toNhwc(b.data, b.shape),
    c: toNhwc(c.data, c.shape),
  }, paddedSize(shape));
  assertAllClose(
    withoutPadding(y, shape),
    Float64Array.from(expected, (v) => activate(v, activation)),
    { rtol: 2e-6, atol: 3e-7 },
  );
}

gpuTest(
  "elementwise equals the reference for every operation",
  async (gpu, t) => {
    for (const operation of Object.keys(REFERENCES) as ElementwiseOperation[]) {
      const broadcasts = operation === "affine"
        ? ["channel"] as const
        : ["same", "channel", "image_channel"] as const;
      for (const broadcast of broadcasts) {
        await t.step(`${operation} ${broadcast}`, async () => {
          for (const shape of SHAPES) {
            await check(gpu, { shape, operation, broadcast });
          }
        });
      }
    }
  },
);

gpuTest(
  "elementwise equals the reference for every b that broadcasts",
  async (gpu, t) => {
    for (const shape of [[2, 3, 7, 2], [3, 45, 2, 5], [1, 1, 3, 1]]) {
      for (let axes = 0; axes < 16; axes++) {
        const extents = shape.map((extent, axis) =>
          axes >> axis & 1 ? extent : 1
        );
        await t.step(`[${extents}] over [${shape}]`, async () => {
          const [images, channels, height, width] = shape as Four;
          const [bImages, bChannels, bRows, bColumns] = extents as Four;
          const x = randomTensor(6, shape);
          const b = randomTensor(7, extents);
          const y = await runKernel(gpu, elementwise, {
            images,
            pixels: height * width,
            channels,
            operation: "subtract",
            broadcast: "strided",
            operand: { width, shape: [bImages, bChannels, bRows, bColumns] },
          }, {
            x: toNhwc(x.data, shape),
            b: toNhwc(b.data, extents),
            c: new Float32Array(4),
          }, paddedSize(shape));
          assertAllClose(
            withoutPadding(y, shape),
            floats(Sub([x, b])),
            { rtol: 2e-6, atol: 3e-7 },
          );
        });
      }
    }
  },
);

gpuTest(
  "elementwise leaves a NaN what it is, whatever is applied to it",
  async (gpu, t) => {
    const bits = Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff);
    const x = new Float32Array(bits.buffer);
    for (const activation of ACTIVATIONS) {
      await t.step(JSON.stringify(activation), async () => {
        const y = await runKernel(
          gpu,
          elementwise,
          {
            images: 1,
            pixels: 1,
            channels: 4,
            operation: "none",
            activation,
          },
          { x, b: new Float32Array(4), c: new Float32Array(4) },
          4,
        );
        assert(y.every(Number.isNaN), `[${y}]`);
      });
    }
  },
);

gpuTest(
  "elementwise equals the reference for every activation",
  async (gpu, t) => {
    for (const activation of ACTIVATIONS) {
      await t.step(JSON.stringify(activation), async () => {
        for (const scale of [1, 8]) {
          const shape = [2, 3, 7, 2];
          await check(gpu, { shape, operation: "none", activation, scale });
          await check(gpu, { shape, operation: "add", activation, scale });
        }
      });
    }
  },
);

gpuTest("elementwise saturates where exponentials overflow", async (gpu) => {
  const x = Float32Array.of(-1e4, -100, 100, 1e4);
  for (const kind of ["sigmoid", "silu"] as const) {
    const sizes = {
      images: 1,
      pixels: 1,
      channels: 4,
      operation: "none",
      activation: { kind },
    } as const;
    const unused = new Float32Array(4);
    const inputs = { x, b: unused, c: unused };
    const y = await runKernel(gpu, elementwise, sizes, inputs, 4);
    const expected = kind === "sigmoid" ? [0, 0, 1, 1] : [0, 0, 100, 1e4];
    assertAllClose(y, expected);
  }
});

gpuTest(
  "elementwise folds more pixels than one grid dimension holds",
  async (gpu) => {
    const pixels = 8 * 65_535 + 3;
    const x = new Float32Array(pixels * 4);
    x.forEach((_, i) => x[i] = i % 8191);
    const sizes = { images: 1, pixels, channels: 4, operation: "add" } as const;
    const inputs = { x, b: x, c: new Float32Array(4) };
    const y = await runKernel(gpu, elementwise, sizes, inputs, x.length);
    const wrong = y.findIndex((v, i) => v !== 2 * x[i]!);
    assert(wrong < 0, `Element ${wrong} is ${y[wrong]}`);
  },
);
