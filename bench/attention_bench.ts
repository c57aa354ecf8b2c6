/**
 * Self-attention (`attention_direct`, `attention_shared`, `attention_subgroup8`)
 * over the tokens of ViT-S/14 at 224, 448 and 672 pixels and of heads of 80 and
 * 128 dimensions.
 *
 * `deno bench -A bench/attention_bench.ts`
 */
import { attentionKernel, type AttentionTile } from "../src/wgsl/attention.ts";
import {
  ATTENTION_SHAPES,
  attentionFlops,
  attentionWork,
} from "./attention_work.ts";
import { gpu, gpuBench } from "./harness.ts";

const TILES: readonly AttentionTile[] = ["direct", "shared", "subgroup8"];

for (const [name, sizes] of ATTENTION_SHAPES) {
  const gflop = (attentionFlops(sizes) / 1e9).toFixed(2);
  for (const tile of TILES) {
    gpuBench(
      {
        name: `attention_${tile}`,
        group: `${name}, ${sizes.tokens} tokens, ${gflop} GFLOP`,
        n: 3,
        ignore: tile === "subgroup8" && gpu.subgroupSize !== 8,
      },
      (scope) =>
        attentionWork(gpu, scope, attentionKernel(tile, sizes.head), sizes),
    );
  }
}
