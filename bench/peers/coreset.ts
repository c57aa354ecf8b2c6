/**
 * The coreset of real patch features beside the published sampler in PyTorch on
 * the CPU, of which the first picks are timed and scaled:
 *
 *     deno run -A bench/peers/coreset.ts --category DIR --model FILE.onnx \
 *       --folder CACHE [--ratios 0.01,0.1] [--picks 200] [--threads 2] [--plain N] \
 *       [--python python3]
 *
 * `--plain N` picks N rows with and without the lazy scheme and compares them.
 *
 * @module
 */
import { greedyCoreset } from "../../src/core/bank/coreset.ts";
import { project } from "../../src/core/bank/projection.ts";
import { linearProjection } from "../../src/core/settings/projection.ts";
import { choice } from "../../src/core/settings/random.ts";
import { Mt19937 } from "../../src/core/settings/random.ts";
import { Gpu } from "../../src/gpu/mod.ts";
import { option, PythonPeer } from "./python_peer.ts";
import { loadRows, realFeatures } from "./real_features.ts";

const gpu = await Gpu.create();
const { train, dim } = await realFeatures(gpu, {
  category: option("category", ""),
  model: option("model", ""),
  folder: option("folder", ""),
});
using rows = await loadRows(gpu, train, dim);
await gpu.finish();
const matrix = linearProjection(new Mt19937(0), dim, 128);
const start = {
  kind: "mean",
  points: choice(new Mt19937(0), rows.rows, 10),
} as const;

async function ours(picks: number, method: "lazy" | "plain") {
  const begin = performance.now();
  const projection = { outputs: 128, inputs: dim, matrix };
  using projected = await project(gpu, rows, projection);
  const result = await greedyCoreset(gpu, projected, { picks, start, method });
  return { ...result, seconds: (performance.now() - begin) / 1000 };
}

await using peer = new PythonPeer(
  "coreset_pytorch.py",
  option("python", "python3"),
);
const table = [];
for (const ratio of option("ratios", "0.01,0.1").split(",").map(Number)) {
  const picks = Math.floor(rows.rows * ratio);
  gpu.pool.resetPeak();
  const sampled = Math.min(picks, Number(option("picks", "200")));
  const theirs = await peer.ask<{ start: number; picking: number }>({
    rows: train,
    dim,
    picks: sampled,
    threads: Number(option("threads", "2")),
  });
  const scaled = theirs.start + theirs.picking / sampled * picks;
  const { seconds, passes } = await ours(picks, "lazy");
  table.push({
    picks,
    "ours s": Number(seconds.toFixed(1)),
    "full passes": passes,
    "sampler, scaled s": Number(scaled.toFixed(0)),
    "picks / s": Number((sampled / theirs.picking).toFixed(1)),
    "times ours": Number((scaled / seconds).toFixed(1)),
    "peak GPU MiB": Math.round(gpu.peakBytes / 2 ** 20),
  });
}
console.log(`${rows.rows} rows of ${dim}, ${gpu.adapterName}`);
console.table(table);
const plain = Number(option("plain", "0"));
if (plain > 0) {
  const expected = (await ours(plain, "plain")).indices;
  const { indices } = await ours(plain, "lazy");
  const same = indices.filter((row, i) => row === expected[i]).length;
  console.log(`${same} of ${plain} picks equal those of plain greedy`);
}
