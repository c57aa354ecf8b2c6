import { assertEquals, assertRejects } from "@std/assert";
import { BufferPool, GpuError, Readback } from "../../src/gpu/mod.ts";
import { gpuTest, randomFloats } from "../testing.ts";
import { ownGpuTest } from "./own_gpu.ts";

gpuTest("Readback.read() reads several ranges at once", async (gpu) => {
  const pool = new BufferPool(gpu.device, gpu.maxTensorBytes);
  const readback = new Readback(gpu.device, pool);
  using a = gpu.upload(Float32Array.of(1, 2, 3, 4));
  using b = gpu.upload(Float32Array.of(5, 6));
  const ranges = await readback.read([
    { buffer: a.buffer, offset: 4, byteLength: 8 },
    { buffer: b.buffer, offset: 0, byteLength: 0 },
    { buffer: b.buffer, offset: 0, byteLength: 8 },
    { buffer: a.buffer, offset: 0, byteLength: 4 },
  ]);
  assertEquals(ranges.map((bytes) => [...new Float32Array(bytes)]), [
    [2, 3],
    [],
    [5, 6],
    [1],
  ]);
  readback.dispose();
  assertEquals(pool.bytes, 0);
});

gpuTest(
  "Readback.read() reads nothing without touching the GPU",
  async (gpu) => {
    const pool = new BufferPool(gpu.device, gpu.maxTensorBytes);
    const readback = new Readback(gpu.device, pool);
    using a = gpu.tensor([1]);
    assertEquals(await readback.read([]), []);
    const empty = { buffer: a.buffer, offset: 0, byteLength: 0 };
    const [bytes] = await readback.read([empty]);
    assertEquals(bytes!.byteLength, 0);
    assertEquals(pool.bytes, 0);
  },
);

gpuTest("Readback.read() keeps one staging buffer that grows", async (gpu) => {
  const pool = new BufferPool(gpu.device, gpu.maxTensorBytes);
  const readback = new Readback(gpu.device, pool);
  const data = randomFloats(1, 100_000);
  using large = gpu.upload(data);
  const head = { buffer: large.buffer, offset: 0, byteLength: 400 };
  await readback.read([head]);
  assertEquals(pool.bytes, 65_536);
  const [all] = await readback.read([{ ...head, byteLength: 400_000 }]);
  assertEquals(new Float32Array(all!), data);
  assertEquals(pool.bytes, 2 ** 19);
  const [again] = await readback.read([head]);
  assertEquals(new Float32Array(again!), data.subarray(0, 100));
  assertEquals(pool.bytes, 2 ** 19);
  readback.dispose();
});

gpuTest("Gpu.read() serves concurrent calls in order", async (gpu) => {
  const tensors = Array.from(
    { length: 5 },
    (_, i) => gpu.upload(Float32Array.of(i, i + 0.5)),
  );
  const results = await Promise.all(tensors.map((tensor) => gpu.read(tensor)));
  assertEquals(results.map(([first]) => first), [0, 1, 2, 3, 4]);
  for (const tensor of tensors) tensor.dispose();
});

gpuTest("Gpu.readAll() reads tensors of different types", async (gpu) => {
  using floats = gpu.upload(Float32Array.of(0.5, 1.5));
  using halves = gpu.upload(Uint16Array.of(1, 2, 3));
  using integers = gpu.upload(Int32Array.of(-7));
  assertEquals(await gpu.readAll([floats, halves, integers]), [
    Float32Array.of(0.5, 1.5),
    Uint16Array.of(1, 2, 3),
    Int32Array.of(-7),
  ]);
});

gpuTest("Gpu.readAll() reads the same tensor twice", async (gpu) => {
  using tensor = gpu.upload(Float32Array.of(1, 2));
  const [first, second] = await gpu.readAll([tensor, tensor]);
  first![0] = 9;
  assertEquals(second, Float32Array.of(1, 2));
});

ownGpuTest(
  "Gpu.read() reports an earlier GPU error instead of stale numbers",
  async (gpu) => {
    using tensor = gpu.upload(Float32Array.of(1, 2));
    gpu.device.createBuffer({ size: 4, usage: 0x1 | 0x80 });
    await new Promise((resolve) => setTimeout(resolve, 0));
    await assertRejects(() => gpu.read(tensor), GpuError, "The GPU refused");
    assertEquals(await gpu.read(tensor), Float32Array.of(1, 2));
  },
);
