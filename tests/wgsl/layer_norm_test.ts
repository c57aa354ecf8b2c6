import { assert, assertEquals } from "@std/assert";
import { packVector } from "../../src/nn/layout.ts";
import { layerNorm as kernels } from "../../src/wgsl/layer_norm.ts";
import { layerNorm } from "../reference/layer_norm.ts";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";
import { runKernel, runsOn } from "./run_kernel.ts";

/** images, rows, channels, rows left out */
const SHAPES = [
  [1, 1, 1, 0],
  [1, 3, 4, 1],
  [2, 5, 24, 0],
  [3, 7, 33, 2],
  [1, 257, 384, 1],
  [2, 17, 768, 5],
  [1, 2, 1023, 0],
] as const;

/** Rows of channels, padded to a multiple of 4. */
function padded(rows: Float32Array, channels: number): Float32Array {
  const stride = Math.ceil(channels / 4) * 4;
  const result = new Float32Array(rows.length / channels * stride);
  for (let r = 0; r < rows.length / channels; r++) {
    result.set(rows.subarray(r * channels, (r + 1) * channels), r * stride);
  }
  return result;
}

for (const kernel of Object.values(kernels)) {
  gpuTest(`${kernel.name} equals the reference`, async (gpu, t) => {
    for (const [images, rows, channels, skip] of SHAPES) {
      const run = async (offset: number): Promise<void> => {
        const x = randomFloats(1, images * rows * channels)
          .map((v) => 3 * v + offset);
        const gamma = randomFloats(2, channels);
        const beta = randomFloats(3, channels);
        const epsilon = 1e-6;
        const y = await runKernel(
          gpu,
          kernel,
          { images, rows, skip, channels, epsilon },
          {
            x: padded(x, channels),
            gamma: packVector(gamma, channels),
            beta: packVector(beta, channels),
          },
          images * (rows - skip) * Math.ceil(channels / 4) * 4,
        );
        const kept = x.filter((_, i) =>
          Math.floor(i / channels) % rows >= skip
        );
        const expected = padded(
          Float32Array.from(layerNorm(kept, gamma, beta, epsilon)),
          channels,
        );
        const error = relativeError(y, expected);
        assert(error < 1e-5, `offset ${offset}: relative error ${error}`);
      };
      await t.step({
        name: `[${images}, ${rows}, ${channels}] from row ${skip}`,
        ignore: !runsOn(gpu, kernel),
        // Values far from 0 cost a second pass, and float32 its last digits.
        fn: async () => {
          await run(0);
          if (channels > 1) await run(50);
        },
      });
    }
  });
}

gpuTest(
  "layer_norm folds more rows than one grid dimension holds",
  async (gpu) => {
    const rows = 65_535 + 3;
    const x = new Float32Array(rows * 4);
    x.forEach((_, i) => x[i] = i % 4 * (1 + Math.floor(i / 4) % 2));
    const one = new Float32Array(4).fill(1);
    const sizes = { images: 1, rows, channels: 4, epsilon: 0 };
    const y = await runKernel(gpu, gpu.pick(kernels), sizes, {
      x,
      gamma: one,
      beta: new Float32Array(4),
    }, x.length);
    const expected = [-3, -1, 1, 3].map((v) => v / Math.sqrt(5));
    const wrong = y.findIndex((v, i) => Math.abs(v - expected[i % 4]!) > 1e-5);
    assertEquals(wrong, -1);
  },
);
