/**
 * Whole processes: `fit` of a dataset folder and `predict` of its test images,
 * by the clock on the wall, and how much of that is no work of the GPU.
 *
 *     deno run -A bench/wall.ts --data DATASET --backbone FILE.onnx \
 *       [--coreset 0.01] [--rounds 3] [--json]
 *
 * GPU time is the sum of all kernels' timestamps with `--profile`, and the share
 * of all else is that of the same process: on a CPU adapter both share their
 * processors with whatever else runs. `--profile` itself costs a little.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

const MOD = new URL("../mod.ts", import.meta.url).pathname;

interface Run {
  readonly seconds: number;
  readonly records: readonly Record<string, unknown>[];
}

const options = parseArgs(Deno.args, {
  string: ["data", "backbone", "coreset", "rounds"],
  boolean: ["json"],
  default: { coreset: "0.01", rounds: "3" },
});
const { data, backbone, coreset } = options;
if (data === undefined || backbone === undefined) {
  throw new TypeError(
    "Name the images and a backbone: --data DATASET --backbone FILE.onnx",
  );
}
const folder = await Deno.makeTempDir();
const model = `${folder}/model.safetensors`;
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  fit: [
    "fit",
    data,
    "--backbone",
    backbone,
    "--coreset",
    coreset,
    "--overwrite",
  ],
  predict: ["predict", data, "--backbone", backbone],
};

async function run(name: string, ...more: string[]): Promise<Run> {
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MOD, ...COMMANDS[name]!],
      ...["--model", model, "--json", "--quiet", ...more],
    ],
  }).output();
  const seconds = (performance.now() - start) / 1000;
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return { seconds, records: lines.map((line) => JSON.parse(line)) };
}

try {
  await run("fit"); // compiles, and measures kernels where that was not done
  const names = Object.keys(COMMANDS);
  const walls = new Map(names.map((name) => [name, [] as number[]]));
  const profiled = new Map(names.map((name) => [name, [] as Run[]]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const name of names) {
      walls.get(name)!.push((await run(name)).seconds);
      profiled.get(name)!.push(await run(name, "--profile"));
    }
  }
  const rows = names.map((name) => {
    const seconds = walls.get(name)!;
    const runs = profiled.get(name)!;
    const share = median(runs.map((run) => 1 - gpuSeconds(run) / run.seconds));
    return {
      command: name,
      wall_s: round(median(seconds)),
      best_s: round(Math.min(...seconds)),
      gpu_s: round(median(runs.map(gpuSeconds))),
      not_gpu: `${(100 * share).toFixed(1)} %`,
    };
  });
  if (options.json) {
    console.log(JSON.stringify({ data, backbone, coreset, rows }));
  } else console.table(rows);
} finally {
  await Deno.remove(folder, { recursive: true });
}

function round(seconds: number): number {
  return Number(seconds.toFixed(2));
}

function gpuSeconds({ records }: Run): number {
  return Number(records.at(-1)!["gpu_ms"]) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
