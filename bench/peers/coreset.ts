/**
 * The coreset of real patch features beside the published sampler in PyTorch on
 * the CPU, of which the first picks are timed and scaled:
 *
 *     deno run -A bench/peers/coreset.ts --category DIR --model FILE.onnx \
 *       --folder CACHE [--ratios 0.01,0.1] [--rounds 2] [--picks 200] \
 *       [--threads 2] [--plain N] [--python python3]
 *
 * Both take turns; the shortest of their rounds count, so that neither is charged
 * for what it does only once. `--plain N` picks N rows with and without the lazy scheme and compares them.
 *
 * @module
 */
import { greedyCoreset } from "../../src/core/coreset/greedy_coreset.ts";
import { project } from "../../src/core/rows/projection.ts";
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
gpu.device.queue.submit([]);
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
  const between = performance.now();
  const result = await greedyCoreset(gpu, projected, { picks, start, method });
  const picking = (performance.now() - between) / 1000;
  return { ...result, projecting: (between - begin) / 1000, picking };
}

await using peer = new PythonPeer(
  "coreset_pytorch.py",
  option("python", "python3"),
);

interface Times {
  readonly projecting: number;
  readonly picking: number;
}

/** The sampler's times, its picks scaled from the first ones. */
async function theirs(picks: number): Promise<Times> {
  const sampled = Math.min(picks, Number(option("picks", "200")));
  const threads = Number(option("threads", "2"));
  const request = { rows: train, dim, picks: sampled, threads };
  const { start, picking } = await peer.ask<{ start: number; picking: number }>(
    request,
  );
  return { projecting: start, picking: picking / sampled * picks };
}

function shortest(rounds: readonly Times[]): Times {
  return {
    projecting: Math.min(...rounds.map(({ projecting }) => projecting)),
    picking: Math.min(...rounds.map(({ picking }) => picking)),
  };
}

const table = [];
for (const ratio of option("ratios", "0.01,0.1").split(",").map(Number)) {
  const picks = Math.floor(rows.rows * ratio);
  gpu.pool.resetPeak();
  const peers: Times[] = [];
  const own: (Times & { passes: number })[] = [];
  for (let round = Number(option("rounds", "2")); round > 0; round--) {
    peers.push(await theirs(picks));
    own.push(await ours(picks, "lazy"));
  }
  const peer = shortest(peers);
  const mine = shortest(own);
  const sum = (times: Times) => times.projecting + times.picking;
  table.push({
    picks,
    passes: own[0]!.passes,
    "projecting s": Number(mine.projecting.toFixed(2)),
    "picking s": Number(mine.picking.toFixed(2)),
    "sampler: projecting s": Number(peer.projecting.toFixed(2)),
    "picking, scaled s": Number(peer.picking.toFixed(1)),
    "picks / s": Number((picks / peer.picking).toFixed(1)),
    "times ours": Number((sum(peer) / sum(mine)).toFixed(1)),
    "picking alone": Number((peer.picking / mine.picking).toFixed(1)),
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
