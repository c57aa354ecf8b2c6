/**
 * Runs on the GPU the full-size networks that PyTorch has exported, and prints
 * the relative error of every level:
 *
 *     /usr/bin/python3 tests/oracles/exports.py FOLDER
 *     deno run -A tests/oracles/exports.ts FOLDER
 */
import { Gpu } from "../../src/gpu/mod.ts";
import { compareStages } from "../nn/exported_stages.ts";

const TOLERANCE = 1e-4;

const [folder = "."] = Deno.args;
using gpu = await Gpu.create();
console.log(gpu.adapterName);
const entries = await Array.fromAsync(Deno.readDir(folder));
let failed = false;
for (const { name: file } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
  const [, name] = /^(.+)\.onnx$/.exec(file) ?? [];
  if (name === undefined) continue;
  const stages = await compareStages(gpu, folder, name);
  const errors = stages.map(({ level, module, error }) => {
    failed ||= !(error <= TOLERANCE);
    return `${level} (${module}) ${error.toExponential(1)}`;
  });
  console.log(`${name}: ${errors.join(", ")}`);
}
Deno.exit(failed ? 1 : 0);
