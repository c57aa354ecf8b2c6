/**
 * Runs on the GPU what tests/oracles/architectures.py has run with torchvision,
 * and prints the relative error of every stage over all of its values:
 *
 *     /usr/bin/python3 tests/oracles/architectures.py FOLDER
 *     deno run -A tests/oracles/architectures.ts FOLDER
 */
import { Gpu } from "../../src/gpu/mod.ts";
import { Network, toNhwc } from "../../src/nn/mod.ts";
import { readActivations } from "../nn/model_files.ts";
import { randomFloats, relativeError } from "../testing.ts";

const SEED = 7;
const TOLERANCE = 1e-4;

const [folder = "."] = Deno.args;
const gpu = await Gpu.create();
console.log(gpu.adapterName);
const entries = await Array.fromAsync(Deno.readDir(folder));
const names = entries
  .flatMap(({ name }) => /^(\w+)\.onnx$/.exec(name)?.[1] ?? []).sort();
let failed = false;
for (const name of names) {
  const bytes = await Deno.readFile(`${folder}/${name}.onnx`);
  const taps = ["layer1", "layer2", "layer3", "layer4"];
  using network = await Network.load(gpu, bytes, { taps });
  for (const { name: file } of entries) {
    const [, owner, size = ""] = /^(\w+)\.(\w+)\.safetensors$/.exec(file) ?? [];
    if (owner !== name) continue;
    const [height = 0, width = 0] = size.split("x").map(Number);
    const shape = [1, 3, height, width];
    const { tensors } = await readActivations(`${folder}/${file}`);
    using session = await network.session(shape);
    const image = randomFloats(SEED, 3 * height * width);
    gpu.write(session.input, toNhwc(image, shape));
    session.program.run();
    const errors: string[] = [];
    for (const { name: level, tensor } of network.taps) {
      const expected = tensors.get(level)!;
      const error = relativeError(await session.read(tensor), expected.data);
      failed ||= !(error <= TOLERANCE);
      errors.push(`${level} [${expected.shape}] ${error.toExponential(1)}`);
    }
    console.log(`${name} ${size}: ${errors.join(", ")}`);
  }
}
Deno.exit(failed ? 1 : 0);
