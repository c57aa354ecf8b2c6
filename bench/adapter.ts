/**
 * Everything there is to measure on an adapter, into `bench/results/`: the tests
 * of kernels and networks, the share of the float32 peak in batches with the
 * kernels that were chosen, the latency of one image and its profile, the
 * coreset beside the memory's bandwidth, PyTorch where it is installed, and the
 * layers of the networks.
 *
 *     sh bench/gpu.sh [--quick] [--minutes 8] [--out FOLDER]
 *
 * `PYTHON` names another interpreter than `python3`. `--quick` takes ResNet-18 and
 * small batches only: for CPU adapters. What no time is left for is left out, and
 * the page says so.
 */
import { parseArgs } from "@std/cli/parse-args";
import { BankSearch } from "../src/core/search/search.ts";
import { Backbone } from "../src/core/features/backbone.ts";
import { FeatureExtractor } from "../src/core/features/extractor.ts";
import { type Tile, tilesOf } from "../src/core/features/tile.ts";
import { BatchPredictor } from "../src/core/detector/predict/batch_predictor.ts";
import { ImageScores } from "../src/core/score/image_score.ts";
import { resolveSettings } from "../src/core/settings/resolve_settings.ts";
import { VERSION } from "../src/core/settings/version.ts";
import { Gpu, type KernelTime, Profiler, RowChunks } from "../src/gpu/mod.ts";
import { ConvTuning, formatChoice, Network } from "../src/nn/mod.ts";
import { graphCost } from "../src/nn/cost.ts";
import { writeOnnx } from "../src/nn/onnx/write.ts";
import { randomFloats } from "../tests/testing.ts";
import { type CoresetRate, coresetRate } from "./coreset_rate.ts";
import { PeakProbe } from "./peak.ts";
import { markdown } from "./adapter_report.ts";
import { DEEPEST_TAP, trunk } from "./shapes.ts";

/** What one network does in batches. */
export interface BatchResult {
  readonly model: string;
  readonly batch: number;
  readonly ms: number;
  readonly gflops: number;
  readonly peak_gflops: number;
  readonly share_of_peak: number;
  /** Kernels that were measured to be best, by convolution. */
  readonly choices: Readonly<Record<string, string>>;
}

/** Milliseconds of one image from its pixels to its score and map. */
export interface LatencyResult {
  readonly model: string;
  readonly bank_rows: number;
  readonly total_ms: number;
  readonly trunk_ms: number | undefined;
  readonly patches_ms: number | undefined;
  readonly search_ms: number | undefined;
  readonly map_ms: number | undefined;
  /** GPU time of every kernel of some images, the longest first. */
  readonly profile: readonly KernelTime[];
}

/** What is written as JSON. */
export interface AdapterResult {
  readonly adapter: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly driver: string | null;
  readonly version: string;
  readonly deno: string;
  readonly date: string;
  readonly quick: boolean;
  readonly tests: string;
  readonly batches: readonly BatchResult[];
  readonly latency: readonly LatencyResult[];
  readonly coreset: readonly CoresetRate[];
  readonly layers: readonly unknown[];
  readonly pytorch: readonly Readonly<Record<string, unknown>>[] | string;
  /** What no time was left for. */
  readonly left_out: readonly string[];
  readonly seconds: number;
}

/** Rows of a bank of 1 % of 209 images. */
const BANK_ROWS = 1638;
const here = (path: string): string => new URL(path, import.meta.url).pathname;

async function output(
  program: string,
  args: readonly string[],
): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(program, {
    args: [...args],
    cwd: here(".."),
  }).output();
  if (success) return new TextDecoder().decode(stdout).trim();
  throw new Error(new TextDecoder().decode(stderr).trim().slice(-500));
}

/** Runs tests; their last line. */
async function testsIn(folders: readonly string[]): Promise<string> {
  const args = ["test", "-A", "--no-check", "--quiet", ...folders];
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: here(".."),
    env: { NO_COLOR: "1" },
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  const summary = lines.findLast((line) => /\d+ passed/.test(line));
  return (summary ?? "no summary").replace(/\s*\([^()]*\)\s*$/, "").trim();
}

async function driver(): Promise<string | null> {
  const query = ["--query-gpu=name,driver_version", "--format=csv,noheader"];
  return await output("nvidia-smi", query).catch(() => null);
}

async function inBatches(
  gpu: Gpu,
  model: string,
  batch: number,
  rounds: number,
): Promise<BatchResult> {
  const graph = trunk(model);
  const tuning = new ConvTuning(gpu, { budget: 30_000 });
  using network = new Network(gpu, graph, { taps: [DEEPEST_TAP], tuning });
  const image = [batch, 3, 224, 224];
  await network.tune(image);
  using session = await network.session(image);
  using probe = await PeakProbe.create(gpu);
  gpu.write(session.input, randomFloats(1, session.input.size));
  const tap = session.taps.get(network.outputs[0]!)!;
  const times: number[] = [];
  const peaks: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const { gflops } = await probe.measure();
    const start = performance.now();
    session.program.run();
    await gpu.readBuffer(tap.buffer, 4);
    if (round < 0) continue;
    times.push(performance.now() - start);
    peaks.push(gflops);
  }
  const ms = median(times);
  const peak = Math.max(...peaks);
  const gflops = 2 * graphCost(network.graph, image).macs / ms / 1e6;
  const choices = [...tuning.choices].map(([key, choice]) =>
    [key, formatChoice(choice)] as const
  );
  return {
    ...{ model, batch, ms, gflops },
    peak_gflops: peak,
    share_of_peak: gflops / peak,
    choices: Object.fromEntries(choices),
  };
}

async function latency(
  gpu: Gpu,
  model: string,
  rounds: number,
): Promise<LatencyResult> {
  using scope = new DisposableStack();
  const settings = resolveSettings({ coreset: 0.01 });
  const bytes = writeOnnx(trunk(model));
  const backbone = scope.use(
    await Backbone.load(gpu, { name: model, bytes }, {
      layers: settings.layers,
      allowRandom: true,
    }),
  );
  const extractor = scope.use(
    new FeatureExtractor(gpu, backbone, settings, [224, 224], 1),
  );
  const { paddedDim } = extractor.features;
  const bank = scope.use(RowChunks.allocate(gpu, BANK_ROWS, paddedDim, "bank"));
  gpu.write(bank.chunks[0]!, randomFloats(3, BANK_ROWS * paddedDim));
  const search = scope.use(
    await BankSearch.create(gpu, bank, { images: new Uint32Array(BANK_ROWS) }),
  );
  const scores = new ImageScores(gpu, bank, search, settings);
  const parts = {
    ...{ extractor, search, scores },
    mapSettings: settings.map,
    masksGround: settings.foreground.mask === "on",
  };
  const predictor = scope.use(await BatchPredictor.create(gpu, parts, 1));
  const data = new Uint8Array(256 * 256 * 4)
    .map((_, i) => i % 4 === 3 ? 255 : (i * 2654435761) >>> 24);
  const pixels = { width: 256, height: 256, data };
  const source = { name: "image", content: pixels };
  const image = { source, index: 0, view: 0, pixels, ms: 0 };
  const tiles = tilesOf(image, settings);
  const totals: number[] = [];
  const stages: Record<string, number>[] = [];
  for (let round = -3; round < rounds; round++) {
    const start = performance.now();
    const [scored] = await (await predictor.submit(tiles)).collect();
    if (round < 0) continue;
    totals.push(performance.now() - start);
    if (scored?.times) stages.push({ ...scored.times });
  }
  const profile = await profiled(gpu, predictor, tiles);
  const stage = (name: string): number | undefined =>
    stages.length === 0 ? undefined : median(stages.map((s) => s[name]!));
  return {
    model,
    bank_rows: BANK_ROWS,
    total_ms: median(totals),
    trunk_ms: stage("trunk"),
    patches_ms: stage("patches"),
    search_ms: stage("search"),
    map_ms: stage("map"),
    profile,
  };
}

/** GPU time of every kernel of one image, the longest first. */
async function profiled(
  gpu: Gpu,
  predictor: BatchPredictor,
  tiles: readonly Tile[],
): Promise<readonly KernelTime[]> {
  if (!gpu.device.features.has("timestamp-query")) return [];
  const profiler = gpu.profiler = new Profiler(gpu);
  await (await predictor.submit(tiles)).collect();
  gpu.profiler = undefined;
  return await profiler.report();
}

async function pytorch(
  cases: readonly (readonly [string, number])[],
  rounds: number,
): Promise<AdapterResult["pytorch"]> {
  const found: Record<string, unknown>[] = [];
  for (const [model, batch] of cases) {
    try {
      const lines = await output(Deno.env.get("PYTHON") ?? "python3", [
        ...[here("peers/trunk.py"), "--model", model],
        ...["--batch", `${batch}`, "--rounds", `${rounds}`],
      ]);
      for (const line of lines.split("\n")) found.push(JSON.parse(line));
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`;
      return `not measured: ${reason.split("\n").at(-1)}`;
    }
  }
  return found;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const began = performance.now();
const { quick, out, minutes } = parseArgs(Deno.args, {
  boolean: ["quick"],
  string: ["out", "minutes"],
  default: { out: here("results"), minutes: "8" },
});
const models = quick ? ["resnet18"] : ["wide_resnet50_2", "resnet18"];
const sizes = quick ? [1, 4] : [32, 8, 1];
const rounds = quick ? 3 : 20;
const cases = models.flatMap((model) =>
  sizes.map((batch) => [model, batch] as const)
);
const suite = quick ? ["tests/wgsl"] : ["tests/wgsl", "tests/gpu", "tests/nn"];
const leftOut: string[] = [];

/** Does a part of the work, unless time is over. */
async function stage<T>(what: string, work: () => Promise<T>): Promise<T[]> {
  if (performance.now() - began > Number(minutes) * 60_000) {
    leftOut.push(what);
    return [];
  }
  console.error(what);
  return [await work()];
}

using gpu = await Gpu.create();
const { vendor, architecture, device, description } = gpu.adapterInfo;
// What matters most comes first; the suite takes the longest.
const batches: BatchResult[] = [];
for (const [model, batch] of cases) {
  batches.push(
    ...await stage(
      `${model} in batches of ${batch}`,
      () => inBatches(gpu, model, batch, rounds),
    ),
  );
}
const latencies: LatencyResult[] = [];
for (const model of models) {
  latencies.push(
    ...await stage(`latency of ${model}`, () => latency(gpu, model, rounds)),
  );
}
const coreset = await stage(
  "coreset",
  () => coresetRate(gpu, quick ? 15_680 : 163_856, quick ? 100 : 1638),
);
const [torch = "not measured: no time was left"] = await stage(
  "PyTorch",
  () => pytorch(cases, rounds),
);
const [tests = "not run: no time was left"] = await stage(
  `tests of ${suite.join(", ")}`,
  () => testsIn(suite),
);
const layers: unknown[] = [];
for (const model of models) {
  layers.push(
    ...(await stage(`layers of ${model}`, async () => {
      const args = ["--model", model, "--rounds", `${Math.min(rounds, 9)}`];
      const script = ["run", "-A", "--no-check", here("layers.ts")];
      return JSON.parse(
        await output(Deno.execPath(), [...script, ...args, "--json"]),
      ) as unknown[];
    })).flat(),
  );
}
const result: AdapterResult = {
  adapter: gpu.adapterName,
  info: { vendor, architecture, device, description },
  driver: await driver(),
  version: VERSION,
  deno: Deno.version.deno,
  date: new Date().toISOString(),
  quick,
  tests,
  batches,
  latency: latencies,
  coreset,
  layers,
  pytorch: torch,
  left_out: leftOut,
  seconds: (performance.now() - began) / 1000,
};
const name = gpu.adapterName.toLowerCase().replace(/[^a-z0-9]+/g, "-")
  .replace(/^-|-$/g, "");
await Deno.mkdir(out, { recursive: true });
await Deno.writeTextFile(
  `${out}/${name}.json`,
  JSON.stringify(result, null, 1) + "\n",
);
await Deno.writeTextFile(`${out}/${name}.md`, markdown(result));
console.log(`${out}/${name}.md`);
