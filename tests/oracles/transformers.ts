/**
 * Runs on the GPU what tests/oracles/transformers.py has run with PyTorch, and
 * prints the relative error of every block over all of its values:
 *
 *     /usr/bin/python3 tests/oracles/transformers.py FOLDER
 *     deno run -A tests/oracles/transformers.ts FOLDER
 */
import { Gpu } from "../../src/gpu/mod.ts";
import { Network, toNhwc } from "../../src/nn/mod.ts";
import { readActivations } from "../nn/model_files.ts";
import { randomFloats, relativeError } from "../testing.ts";

const SEED = 7;
const TOLERANCE = 1e-4;

const [folder = "."] = Deno.args;
using gpu = await Gpu.create();
console.log(gpu.adapterName);
const files = (await Array.fromAsync(Deno.readDir(folder)))
  .map(({ name }) => name).sort();
let failed = false;
for (const file of files) {
  const [, name, size = ""] = /^(\w+)\.(\d+x\d+)\.safetensors$/.exec(file) ??
    [];
  if (name === undefined) continue;
  const [height = 0, width = 0] = size.split("x").map(Number);
  const { tensors } = await readActivations(`${folder}/${file}`);
  const bytes = await Deno.readFile(`${folder}/${name}.onnx`);
  const shape = [1, 3, height, width];
  const image = toNhwc(randomFloats(SEED, 3 * height * width), shape);
  using network = await Network.load(gpu, bytes, { taps: [...tensors.keys()] });
  using session = await network.session(shape);
  gpu.write(session.input, image);
  session.program.run();
  const errors: number[] = [];
  for (const { name: tap, tensor } of network.taps) {
    const expected = tensors.get(tap)!;
    errors.push(relativeError(await session.read(tensor), expected.data));
  }
  const worst = Math.max(...errors);
  failed ||= !(worst <= TOLERANCE);
  console.log(
    `${name} ${size}: ${errors.length} blocks, relative error at most ${
      worst.toExponential(1)
    }`,
  );
}
Deno.exit(failed ? 1 : 0);
