import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Gpu } from "../../src/gpu/mod.ts";
import {
  ATTENTION_KERNELS,
  type AttentionKernel,
  attentionKernel,
  type AttentionSizes,
} from "../../src/wgsl/attention.ts";
import { attention } from "../reference/attention.ts";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";
import { runKernel, runsOn } from "./run_kernel.ts";

/** tokens, heads, dimensions of a head, images */
type Shape = readonly [number, number, number, number?];

/** One token, one more than a tile of queries or of keys, and real ones. */
const SHAPES: readonly Shape[] = [
  [1, 1, 4],
  [2, 2, 8, 2],
  [5, 3, 16],
  [16, 1, 64],
  [17, 2, 64],
  [33, 1, 32, 2],
  [36, 2, 12],
  [65, 1, 64],
  [129, 2, 48],
  [257, 6, 64],
];
const WIDE: readonly Shape[] = [
  [1, 1, 68],
  [37, 2, 80],
  [66, 1, 96, 2],
  [19, 1, 112],
  [50, 2, 128],
];

function sizesOf([tokens, heads, head, images = 1]: Shape): AttentionSizes {
  return { images, tokens, heads, head, scale: head ** -0.5 };
}

async function check(
  gpu: Gpu,
  kernel: AttentionKernel,
  sizes: AttentionSizes,
  { spread = 2, tolerance = 5e-6 } = {},
): Promise<void> {
  const { images, tokens, heads, head } = sizes;
  const count = images * tokens * heads * head;
  const qkv = randomFloats(7, 3 * count).map((v) => v * spread);
  const y = await runKernel(gpu, kernel, sizes, { qkv }, count);
  const error = relativeError(y, attention(sizes, qkv));
  assert(error < tolerance, `relative error ${error}`);
}

for (const kernels of Object.values(ATTENTION_KERNELS)) {
  for (const kernel of kernels) {
    const width = Number(kernel.name.split("_").at(-1));
    const shapes = [...SHAPES, ...WIDE]
      .filter(([, , head]) => head <= width && head > width - 64);
    gpuTest(`${kernel.name} equals the reference`, async (gpu, t) => {
      for (const shape of shapes) {
        await t.step({
          name: `[${shape}]`,
          ignore: !runsOn(gpu, kernel),
          fn: () => check(gpu, kernel, sizesOf(shape)),
        });
      }
    });
  }
}

gpuTest(
  "attention neither overflows nor vanishes where scores are large or rise to the end",
  async (gpu) => {
    for (const [kernel] of Object.values(ATTENTION_KERNELS)) {
      if (!runsOn(gpu, kernel!)) continue;
      // Scores of thousands are only so exact in float32.
      const options = { spread: 60, tolerance: 1e-4 };
      await check(gpu, kernel!, sizesOf([70, 2, 8]), options);
      const sizes = { images: 1, tokens: 70, heads: 1, head: 4, scale: 1 };
      const qkv = new Float32Array(70 * 12);
      for (let t = 0; t < 70; t++) {
        qkv.set([1, 0, 0, 0, 3 * t - 1000, 0, 0, 0, t, 1, -t, 0], 12 * t);
      }
      const y = await runKernel(gpu, kernel!, sizes, { qkv }, 280);
      const error = relativeError(y, attention(sizes, qkv));
      assert(error < 5e-6, `${kernel!.name}: relative error ${error}`);
    }
  },
);

gpuTest("attention of equal scores is the mean of the values", async (gpu) => {
  for (const kernels of Object.values(ATTENTION_KERNELS)) {
    const kernel = kernels[1]!;
    if (!runsOn(gpu, kernel)) continue;
    const [tokens, head] = [45, 64];
    const qkv = new Float32Array(tokens * 3 * head);
    for (let t = 0; t < tokens; t++) {
      qkv.fill(t + 1, (3 * t + 2) * head, (3 * t + 3) * head);
    }
    const sizes = { images: 1, tokens, heads: 1, head, scale: 0.125 };
    const y = await runKernel(gpu, kernel, sizes, { qkv }, tokens * head);
    const wrong = y.find((v) => Math.abs(v - 23) > 1e-4);
    assertEquals(wrong, undefined, kernel.name);
  }
});

Deno.test("attentionKernel() takes the narrowest form that holds a head", () => {
  assertEquals(attentionKernel("shared", 32).name, "attention_shared_32");
  assertEquals(attentionKernel("direct", 36).name, "attention_direct_64");
  assertEquals(attentionKernel("subgroup8", 128).name.endsWith("128"), true);
});

Deno.test("attentionKernel() refuses heads that are too wide", () => {
  assertThrows(() => attentionKernel("shared", 132), RangeError, "at most");
});

Deno.test("attention refuses heads that are no multiple of 4", () => {
  const sizes = { images: 1, tokens: 3, heads: 1, head: 6, scale: 1 };
  assertThrows(
    () => attentionKernel("direct", 6).plan(sizes),
    RangeError,
    "a multiple of 4",
  );
});
