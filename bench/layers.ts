/**
 * Where a network's time goes: each layer's kernels by GPU timestamps, with
 * their share of what the adapter can do at most. Convolutions by Winograd do
 * fewer operations than counted here, so that they may pass 100 %.
 *
 * `deno run -A bench/layers.ts --model resnet18 --size 224 --batch 1 [--json]`
 *
 * Tiles and the peak are measured in turns, round after round. Times are
 * medians; the peak is the best of all rounds.
 */
import { Gpu, Profiler } from "../src/gpu/mod.ts";
import { nodeCost } from "../src/nn/cost.ts";
import { Network, type NetworkOptions, type Session } from "../src/nn/mod.ts";
import { randomFloats } from "../tests/testing.ts";
import { layerOptions } from "./layer_options.ts";
import { type Peak, PeakProbe } from "./peak.ts";
import { DEEPEST_TAP, trunk } from "./shapes.ts";

type Tile = NonNullable<NetworkOptions["tile"]>;

const TILES: readonly Tile[] = ["direct", "shared", "subgroup8"];

interface Candidate {
  readonly tile: Tile;
  readonly network: Network;
  readonly session: Session;
  /** Milliseconds by round, by label of the profiler. */
  readonly times: Map<string, number[]>;
}

interface Row {
  readonly layer: string;
  readonly shape: readonly number[];
  readonly gflop: number;
  readonly tiles: readonly TileResult[];
}

interface TileResult {
  readonly tile: Tile;
  readonly kernels: readonly string[];
  readonly ms: number;
  readonly gflops: number;
  readonly share: number;
}

const { models, size, batch, rounds, json } = layerOptions(Deno.args);
using gpu = await Gpu.create();
using probe = await PeakProbe.create(gpu);
const results: unknown[] = [];
for (const model of models) results.push(await measure(model));
if (json) console.log(JSON.stringify(results, null, 2));

async function measure(model: string): Promise<unknown> {
  const image = [batch, 3, size, size];
  const graph = trunk(model);
  const tiles = TILES.filter((tile) =>
    tile !== "subgroup8" || gpu.subgroupSize === 8
  );
  using scope = new DisposableStack();
  const candidates: Candidate[] = [];
  for (const tile of tiles) {
    const network = scope.use(
      new Network(gpu, graph, { tile, taps: [DEEPEST_TAP] }),
    );
    const session = scope.use(await network.session(image));
    gpu.write(session.input, randomFloats(1, session.input.size));
    candidates.push({ tile, network, session, times: new Map() });
  }
  const peaks: Peak[] = [];
  for (let round = -1; round < rounds; round++) {
    const peak = await probe.measure();
    if (round >= 0) peaks.push(peak);
    for (const candidate of candidates) {
      const profiler = new Profiler(gpu);
      gpu.profiler = profiler;
      candidate.session.program.run();
      gpu.profiler = undefined;
      for (const { label, ms } of await profiler.report()) {
        const times = candidate.times.get(label) ?? [];
        if (round >= 0) times.push(ms);
        candidate.times.set(label, times);
      }
    }
  }
  const peak = {
    gflops: Math.max(...peaks.map(({ gflops }) => gflops)),
    gigabytes: Math.max(...peaks.map(({ gigabytes }) => gigabytes)),
  };
  const rows = layerRows(candidates, image, peak.gflops);
  const setting = { model, size, batch, rounds };
  if (!json) print(setting, peak, rows);
  const date = new Date().toISOString();
  return { adapter: gpu.adapterName, date, ...setting, peak, layers: rows };
}

function layerRows(
  candidates: readonly Candidate[],
  image: readonly number[],
  peak: number,
): Row[] {
  const { network } = candidates[0]!;
  const { shapes } = network.plan(image);
  return network.graph.nodes.flatMap((node) => {
    const { macs } = nodeCost(node, shapes, network.graph.constants);
    const flops = 2 * macs;
    const tiles = candidates.flatMap(({ tile, times }) => {
      const own = [...times].filter(([label]) =>
        label.endsWith(` ${node.name}`)
      );
      if (own.length === 0) return [];
      const kernels = own.map(([label]) => label.split(" ")[0]!);
      const ms = own.reduce((sum, [, values]) => sum + median(values), 0);
      const gflops = flops / ms / 1e6;
      return [{ tile, kernels, ms, gflops, share: gflops / peak }];
    });
    const shape = shapes.get(node.outputs[0]!)!;
    return tiles.length === 0
      ? []
      : [{ layer: node.name, shape, gflop: flops / 1e9, tiles }];
  });
}

function print(
  { model, size, batch, rounds }: Record<string, string | number>,
  peak: Peak,
  rows: readonly Row[],
): void {
  console.log(
    `${model} to ${DEEPEST_TAP}, ${batch} × ${size} × ${size}, ${rounds} rounds on ${gpu.adapterName}`,
  );
  console.log(
    `peak ${peak.gflops.toFixed(1)} GFLOP/s, ${
      peak.gigabytes.toFixed(1)
    } GB/s\n`,
  );
  const table = [[
    "layer",
    "output",
    "GFLOP",
    "kernels",
    "ms",
    "GFLOP/s",
    "of peak",
  ]];
  for (const { layer, shape, gflop, tiles } of rows) {
    tiles.forEach(({ kernels, ms, gflops, share }, i) => {
      const name = kernels.find((kernel) => kernel.startsWith("conv2d")) ??
        kernels[0]!;
      const winograd = kernels.length > 1 ? "winograd, " : "";
      table.push([
        ...(i === 0
          ? [layer, shape.join("×"), gflop.toFixed(2)]
          : ["", "", ""]),
        winograd + name,
        ms.toFixed(2),
        gflop === 0 ? "" : gflops.toFixed(1),
        gflop === 0 ? "" : `${(100 * share).toFixed(0)} %`,
      ]);
    });
  }
  rows[0]?.tiles.forEach(({ tile }) => {
    const own = rows.map(({ tiles }) => tiles.find((t) => t.tile === tile)!);
    const ms = own.reduce((sum, result) => sum + result.ms, 0);
    const gflop = rows.reduce((sum, row) => sum + row.gflop, 0);
    const gflops = gflop / ms * 1e3;
    table.push([
      ...["all", "", gflop.toFixed(2), tile, ms.toFixed(2), gflops.toFixed(1)],
      `${(100 * gflops / peak.gflops).toFixed(0)} %`,
    ]);
  });
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.map((row) => row[column]!.length))
  );
  for (const row of table) {
    const cells = row.map((cell, column) =>
      column < 2 || column === 3
        ? cell.padEnd(widths[column]!)
        : cell.padStart(widths[column]!)
    );
    console.log(cells.join("  "));
  }
  console.log();
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
