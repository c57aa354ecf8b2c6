/** Self-attention as real networks have it. */
import type { Gpu, Program, Tensor } from "../src/gpu/mod.ts";
import type { AttentionKernel, AttentionSizes } from "../src/wgsl/attention.ts";
import { randomFloats } from "../tests/testing.ts";

function sizes(tokens: number, heads: number, head: number): AttentionSizes {
  return { images: 1, tokens, heads, head, scale: head ** -0.5 };
}

/** One layer's attention by network and size of image. */
export const ATTENTION_SHAPES: readonly (readonly [string, AttentionSizes])[] =
  [
    ["ViT-S/14 at 224", sizes(257, 6, 64)],
    ["ViT-S/14 at 448", sizes(1025, 6, 64)],
    ["ViT-S/14 at 672", sizes(2305, 6, 64)],
    ["ViT-H/14 at 224, two heads", sizes(257, 2, 80)],
    ["heads of 128, two of them", sizes(257, 2, 128)],
  ];

/** Operations: a multiplication and an addition for each weight and dimension, twice. */
export function attentionFlops(
  { images, tokens, heads, head }: AttentionSizes,
): number {
  return 4 * images * tokens ** 2 * heads * head;
}

/** Compiles one dispatch over random queries, keys and values. */
export async function attentionWork(
  gpu: Gpu,
  scope: DisposableStack,
  kernel: AttentionKernel,
  sizes: AttentionSizes,
): Promise<{ program: Program; output: Tensor }> {
  const { images, tokens, heads, head } = sizes;
  const count = images * tokens * heads * head;
  const qkv = scope.use(gpu.upload(randomFloats(1, 3 * count)));
  const output = scope.use(gpu.tensor([count]));
  const program = scope.use(gpu.program(kernel.name))
    .dispatch(kernel, sizes, { qkv, y: output });
  await program.compile();
  return { program, output };
}
