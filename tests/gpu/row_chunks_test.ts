import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Gpu, GpuError, RowChunks } from "../../src/gpu/mod.ts";
import { gpuTest } from "../testing.ts";

/** The same GPU as if a binding held no more than so many bytes. */
function limited(gpu: Gpu, maxTensorBytes: number): Gpu {
  const tensor: Gpu["tensor"] = (shape, dtype, label) => {
    const made = gpu.tensor(shape, dtype, label);
    assert(made.byteLength <= maxTensorBytes, `[${shape}] is above the limit`);
    return made;
  };
  return { maxTensorBytes, tensor } as unknown as Gpu;
}

const CUTS: readonly [rows: number, step: number, chunks: number[]][] = [
  [1, 1, [1]],
  [3, 1, [3]],
  [4, 1, [4]],
  [5, 1, [4, 1]],
  [8, 1, [4, 4]],
  [9, 1, [4, 4, 1]],
  [8, 2, [4, 4]],
  [9, 3, [3, 3, 3]],
  [10, 3, [3, 3, 3, 1]],
  [0, 1, []],
];

for (const [rows, step, expected] of CUTS) {
  gpuTest(
    `RowChunks.allocate() cuts ${rows} rows in steps of ${step}`,
    (gpu) => {
      const small = limited(gpu, 4 * 32);
      using chunks = RowChunks.allocate(small, rows, 8, "bank", step);
      assertEquals([chunks.rows, chunks.dim], [rows, 8]);
      const shapes = chunks.chunks.map(({ shape }) => shape);
      assertEquals(shapes, expected.map((count) => [count, 8]));
    },
  );
}

gpuTest("RowChunks.allocate() takes one chunk where all fits", (gpu) => {
  using chunks = RowChunks.allocate(gpu, 100, 16, "bank");
  assertEquals(chunks.chunks.map(({ shape }) => shape), [[100, 16]]);
});

gpuTest("RowChunks.allocate() names what no binding can hold", (gpu) => {
  assertThrows(
    () => RowChunks.allocate(limited(gpu, 100), 5, 8, "patches", 4),
    GpuError,
    "Cannot hold patches: 4 rows of 8 elements are more than the adapter binds at once (100 bytes)",
  );
});

gpuTest("RowChunks.locate() finds every row", async (gpu) => {
  using chunks = RowChunks.allocate(limited(gpu, 3 * 16), 8, 4, "bank");
  const expected = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [2, 0], [
    2,
    1,
  ]];
  for (const [row, [chunk, within]] of expected.entries()) {
    assertEquals(chunks.locate(row), { chunk, row: within });
    const tensor = chunks.chunks[chunk!]!;
    gpu.write(tensor, new Float32Array(4).fill(row), within! * 4);
  }
  const last = await gpu.readFloats(chunks.chunks[2]!);
  assertEquals([...last], [6, 6, 6, 6, 7, 7, 7, 7]);
});

gpuTest("RowChunks.head() views the first rows", async (gpu) => {
  using chunks = RowChunks.allocate(limited(gpu, 3 * 16), 8, 4, "bank");
  const shapes = (rows: number) =>
    chunks.head(rows).chunks.map(({ shape }) => shape[0]);
  assertEquals([0, 1, 3, 4, 6, 8].map(shapes), [[], [1], [3], [3, 1], [3, 3], [
    3,
    3,
    2,
  ]]);
  gpu.write(chunks.chunks[1]!, Float32Array.of(1, 2, 3, 4));
  const head = chunks.head(4);
  assertEquals([head.rows, head.dim, head.rowsPerChunk], [4, 4, 3]);
  assertEquals(head.locate(3), { chunk: 1, row: 0 });
  assertEquals(await gpu.read(head.chunks[1]!), Float32Array.of(1, 2, 3, 4));
  head.dispose();
  assertEquals((await gpu.readFloats(chunks.chunks[1]!))[3], 4);
  assertThrows(() => chunks.head(9), RangeError, "Cannot take 9 rows of 8");
});

gpuTest("RowChunks.dispose() frees every chunk", (gpu) => {
  const chunks = RowChunks.allocate(limited(gpu, 64), 8, 4, "bank");
  chunks.dispose();
  for (const chunk of chunks.chunks) {
    assertThrows(() => chunk.buffer, TypeError, 'Cannot use tensor "bank from');
  }
});

gpuTest("RowChunks.allocate() frees what it made when a chunk fails", (gpu) => {
  gpu.pool.trim();
  const before = gpu.pool.bytes;
  let made = 0;
  const failing = {
    maxTensorBytes: 64,
    tensor: (...args: Parameters<Gpu["tensor"]>) => {
      if (++made === 3) throw new GpuError("out of memory");
      return gpu.tensor(...args);
    },
  } as unknown as Gpu;
  assertThrows(() => RowChunks.allocate(failing, 20, 4, "bank"), GpuError);
  gpu.pool.trim();
  assertEquals(gpu.pool.bytes, before);
});
