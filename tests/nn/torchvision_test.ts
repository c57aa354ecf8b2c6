/**
 * What torchvision's own classes yield with the same weights and image, as
 * tests/oracles/architectures.py has recorded it.
 */
import { assert, assertEquals } from "@std/assert";
import { architecture } from "../../src/nn/architectures/catalogue.ts";
import { randomWeights } from "../../src/nn/architectures/random_weights.ts";
import { convertWeights, LEVELS } from "../../src/nn/checkpoint/convert.ts";
import type { StateDict } from "../../src/nn/checkpoint/state_dict.ts";
import { Network, toNhwc } from "../../src/nn/mod.ts";
import { readSafetensors } from "../../src/nn/safetensors.ts";
import { floatData } from "../../src/nn/stored_tensor.ts";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";

const GOLDEN = new URL("../golden/architectures/", import.meta.url);
const SEED = 7;
const TOLERANCE = 1e-4;

/** Image sizes by network; the oracle script compares all at 224 × 224. */
const SIZES: Readonly<Record<string, readonly string[]>> = {
  resnet18: ["224x224", "197x163"],
  densenet201: ["224x224", "197x163"],
  wide_resnet50_2: ["64x49"],
  resnext101_32x8d: ["64x49"],
};

/** The file that `weights convert --random` writes. */
function randomNetwork(name: string): Uint8Array {
  const network = architecture(name);
  const { weights, metadata } = randomWeights(network, SEED);
  const tensors = new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { dtype: "F32", shape, data },
    ]),
  ) as StateDict;
  return convertWeights(tensors, network, { until: "layer4", metadata }).bytes;
}

/** Values at the places that the oracle has taken its samples from. */
function samples(data: Float32Array, count: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => data[(Math.imul(i, 2654435761) >>> 0) % data.length]!,
  );
}

function normOf(data: Float32Array): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0));
}

for (const [name, sizes] of Object.entries(SIZES)) {
  gpuTest(`Network yields torchvision's stages of ${name}`, async (gpu, t) => {
    const file = new URL(`${name}.safetensors`, GOLDEN);
    const golden = readSafetensors(await Deno.readFile(file));
    assertEquals(golden.metadata.get("seed"), String(SEED));
    const expected = (key: string): Float32Array =>
      floatData(golden.tensors.get(key)!);
    const bytes = randomNetwork(name);
    using network = await Network.load(gpu, bytes, { taps: LEVELS });
    for (const size of sizes) {
      await t.step(size, async () => {
        const [height = 0, width = 0] = size.split("x").map(Number);
        const shape = [1, 3, height, width];
        using session = await network.session(shape);
        const image = randomFloats(SEED, 3 * height * width);
        gpu.write(session.input, toNhwc(image, shape));
        session.program.run();
        for (const { name: level, tensor } of network.taps) {
          const data = await session.read(tensor);
          const some = expected(`${size} ${level}`);
          const error = relativeError(samples(data, some.length), some);
          assert(error <= TOLERANCE, `${level}: relative error ${error}`);
          const [norm = 0] = expected(`${size} ${level} norm`);
          const drift = Math.abs(normOf(data) / norm - 1);
          assert(drift <= TOLERANCE, `${level}: its norm is off by ${drift}`);
        }
      });
    }
  });
}
