/**
 * Which share of the adapter's arithmetic self-attention gets, measured in turns
 * with it.
 *
 * `deno run -A bench/attention_share.ts`
 */
import { Gpu, Profiler, type Program } from "../src/gpu/mod.ts";
import { attentionKernel } from "../src/wgsl/attention.ts";
import { convTileFor } from "../src/nn/conv_tile.ts";
import {
  ATTENTION_SHAPES,
  attentionFlops,
  attentionWork,
} from "./attention_work.ts";
import { PeakProbe } from "./peak.ts";

const ROUNDS = 5;

using gpu = await Gpu.create();
using probe = await PeakProbe.create(gpu);
console.log(gpu.adapterName);
const tile = convTileFor(gpu);
for (const [name, sizes] of ATTENTION_SHAPES) {
  using scope = new DisposableStack();
  const kernel = attentionKernel(
    tile === "plain" ? "direct" : tile,
    sizes.head,
  );
  const { program } = await attentionWork(gpu, scope, kernel, sizes);
  let [best, peak] = [Infinity, 0];
  for (let round = 0; round < ROUNDS; round++) {
    peak = Math.max(peak, (await probe.measure()).gflops);
    best = Math.min(best, await milliseconds(program));
  }
  const gflops = attentionFlops(sizes) / best / 1e6;
  console.log(
    `${name}, ${sizes.tokens} tokens: ${
      best.toFixed(2)
    } ms by ${kernel.name}, ${gflops.toFixed(1)} of ${
      peak.toFixed(1)
    } GFLOP/s, ${(100 * gflops / peak).toFixed(0)} %`,
  );
}

async function milliseconds(program: Program): Promise<number> {
  const profiler = new Profiler(gpu);
  gpu.profiler = profiler;
  program.run();
  gpu.profiler = undefined;
  return (await profiler.report()).reduce((sum, { ms }) => sum + ms, 0);
}
