import { assert, assertEquals, assertRejects } from "@std/assert";
import { GpuError } from "../../src/gpu/mod.ts";
import { Network, toNhwc } from "../../src/nn/mod.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { gpuTest, randomFloats } from "../testing.ts";
import { graph, model, node } from "./model_builder.ts";
import { constant } from "./model_case.ts";

const nodes = [
  node("Conv", ["x", "w"], ["a"], { pads: [1, 1, 1, 1] }),
  node("Relu", ["a"], ["r"]),
  node("Conv", ["r", "v"], ["y"]),
];
const weights = [constant("w", [64, 3, 3, 3]), constant("v", [5, 64, 1, 1])];
const bytes = model(graph(nodes, weights));

gpuTest(
  "Network.session() gives back all memory where an image is too large",
  async (gpu) => {
    using network = new Network(gpu, await readOnnx(bytes));
    gpu.pool.trim();
    const before = gpu.pool.bytes;
    const side = Math.ceil(Math.sqrt(gpu.maxTensorBytes / 256)) + 1;
    const error = await assertRejects(
      () => network.session([1, 3, side, side]),
      GpuError,
      "more than the adapter binds at once",
    );
    assert(error.message.startsWith("Cannot allocate "), error.message);
    gpu.pool.trim();
    assertEquals(gpu.pool.bytes, before);
  },
);

gpuTest(
  "Session.dispose() gives back all memory but the weights",
  async (gpu) => {
    using network = new Network(gpu, await readOnnx(bytes));
    (await network.session([1, 3, 8, 8])).dispose();
    gpu.pool.trim();
    const before = gpu.pool.bytes;
    (await network.session([2, 3, 16, 8])).dispose();
    gpu.pool.trim();
    assertEquals(gpu.pool.bytes, before);
  },
);

gpuTest("Network runs sessions of several sizes side by side", async (gpu) => {
  using network = new Network(gpu, await readOnnx(bytes));
  const x = randomFloats(1, 3 * 8 * 8);
  const small = [1, 3, 8, 8];
  const twice = [2, 3, 8, 8];
  using one = await network.session(small);
  using two = await network.session(twice);
  gpu.write(one.input, toNhwc(x, small));
  gpu.write(two.input, toNhwc(Float32Array.of(...x, ...x), twice));
  two.program.run();
  one.program.run();
  const single = await one.read("y");
  assertEquals(await two.read("y"), Float32Array.of(...single, ...single));
});

gpuTest("Session yields the same bits run after run", async (gpu) => {
  using network = new Network(gpu, await readOnnx(bytes));
  using session = await network.session([1, 3, 14, 7]);
  gpu.write(session.input, randomFloats(2, session.input.size));
  session.program.run();
  const first = await session.read("y");
  session.program.run();
  assertEquals(await session.read("y"), first);
});
