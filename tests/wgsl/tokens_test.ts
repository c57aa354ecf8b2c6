import { assertEquals } from "@std/assert";
import { tokens as kernel } from "../../src/wgsl/tokens.ts";
import { gpuTest, randomFloats } from "../testing.ts";
import { runKernel } from "./run_kernel.ts";

/** images, tokens, tokens of no patch, channels */
const SHAPES = [
  [1, 1, 0, 4],
  [2, 5, 1, 4],
  [3, 36, 5, 24],
  [1, 257, 1, 384],
  [2, 9, 2, 30],
] as const;

gpuTest(
  "tokens puts patches behind the prefix and adds positions to all",
  async (gpu, t) => {
    for (const [images, tokens, prefix, channels] of SHAPES) {
      await t.step(
        `[${images}, ${tokens}, ${channels}] after ${prefix}`,
        async () => {
          const stride = Math.ceil(channels / 4) * 4;
          const patches = tokens - prefix;
          const x = randomFloats(1, images * patches * stride);
          const offset = randomFloats(2, tokens * stride);
          const sizes = { images, tokens, prefix, channels };
          const y = await runKernel(
            gpu,
            kernel,
            sizes,
            { x, offset },
            images * tokens * stride,
          );
          const expected = y.map((_, i) => {
            const row = Math.floor(i / stride);
            const [image, token] = [Math.floor(row / tokens), row % tokens];
            const own = offset[token * stride + i % stride]!;
            if (token < prefix) return own;
            const patch = image * patches + token - prefix;
            return own + x[patch * stride + i % stride]!;
          });
          assertEquals(y, expected);
        },
      );
    }
  },
);
