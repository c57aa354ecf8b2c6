/**
 * Whole processes: `fit` of a dataset folder and `predict` of its test images,
 * by the clock on the wall, and how much of that is no work of the GPU.
 *
 *     deno run -A bench/wall.ts --data DATASET --backbone FILE.onnx \
 *       [--coreset 0.01] [--rounds 3] [--json]
 *
 * GPU time is the sum of all kernels' timestamps in a run of its own with
 * `--profile`; on a CPU adapter it shares its processors with everything else.
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
  predict: ["predict", data],
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
  const walls: Record<string, number[]> = { fit: [], predict: [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const name of Object.keys(COMMANDS)) {
      walls[name]!.push((await run(name)).seconds);
    }
  }
  const rows = [];
  for (const name of Object.keys(COMMANDS)) {
    const { records } = await run(name, "--profile");
    const gpu = Number(records.at(-1)!["gpu_ms"]) / 1000;
    const sorted = walls[name]!.toSorted((a, b) => a - b);
    const wall = sorted[sorted.length >> 1]!;
    rows.push({
      command: name,
      wall_s: round(wall),
      best_s: round(sorted[0]!),
      gpu_s: round(gpu),
      not_gpu: `${(100 * (1 - gpu / wall)).toFixed(1)} %`,
    });
  }
  if (options.json) {
    console.log(JSON.stringify({ data, backbone, coreset, rows }));
  } else console.table(rows);
} finally {
  await Deno.remove(folder, { recursive: true });
}

function round(seconds: number): number {
  return Number(seconds.toFixed(2));
}
