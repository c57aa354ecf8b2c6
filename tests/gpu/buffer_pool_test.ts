import {
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { BufferPool, GpuError } from "../../src/gpu/mod.ts";
import { gpuTest } from "../testing.ts";

const MIB = 2 ** 20;

gpuTest(
  "BufferPool gives a released buffer out again for the same size",
  (gpu) => {
    const pool = new BufferPool(gpu.device, 64 * MIB);
    const first = pool.acquire(1000, "first");
    pool.release(first);
    const other = pool.acquire(2000, "other");
    const again = pool.acquire(1024, "again");
    assertStrictEquals(again, first);
    assertNotStrictEquals(other, first);
    pool.release(again);
    pool.release(other);
    pool.trim();
  },
);

gpuTest("BufferPool rounds sizes up to 256 bytes and counts them", (gpu) => {
  const pool = new BufferPool(gpu.device, 64 * MIB);
  const buffers = [0, 1, 256, 257].map((size) => pool.acquire(size, "buffer"));
  assertEquals(buffers.map(({ size }) => size), [256, 256, 256, 512]);
  assertEquals(pool.bytes, 1280);
  for (const buffer of buffers) pool.release(buffer);
  assertEquals(pool.bytes, 1280);
  pool.trim();
  assertEquals([pool.bytes, pool.peakBytes], [0, 1280]);
  pool.resetPeak();
  assertEquals(pool.peakBytes, 0);
});

gpuTest("BufferPool.peakBytes is the most at one time", (gpu) => {
  const pool = new BufferPool(gpu.device, 64 * MIB);
  for (let i = 0; i < 3; i++) pool.release(pool.acquire(4096, "buffer"));
  assertEquals(pool.peakBytes, 4096);
  pool.track(1000);
  pool.track(-1000);
  assertEquals([pool.bytes, pool.peakBytes], [4096, 5096]);
  pool.trim();
});

gpuTest("BufferPool keeps at most 256 MiB of free buffers", (gpu) => {
  const pool = new BufferPool(gpu.device, 128 * MIB);
  const buffers = [128, 128, 1].map((size) => pool.acquire(size * MIB, "big"));
  for (const buffer of buffers) pool.release(buffer);
  assertEquals(pool.bytes, 256 * MIB);
  const again = [128, 128].map((size) => pool.acquire(size * MIB, "big"));
  for (const buffer of again) pool.release(buffer);
  assertEquals(pool.bytes, 256 * MIB);
  pool.trim();
  assertEquals(pool.bytes, 0);
});

gpuTest("BufferPool allows exactly the limit, even an odd one", (gpu) => {
  const pool = new BufferPool(gpu.device, 1020);
  const buffer = pool.acquire(1020, "largest");
  assertEquals(buffer.size, 1020);
  pool.release(buffer);
  assertStrictEquals(pool.acquire(1020, "again"), buffer);
  assertThrows(
    () => pool.acquire(1024, "too large"),
    GpuError,
    'Cannot allocate "too large": 1024 bytes are more than the adapter binds at once (1020)',
  );
  pool.release(buffer);
  pool.trim();
  assertEquals(pool.bytes, 0);
});

gpuTest(
  "Gpu gives all memory back when tensors and programs are disposed",
  (gpu) => {
    gpu.pool.trim();
    const before = gpu.pool.bytes;
    {
      using _a = gpu.tensor([1000]);
      using _b = gpu.tensor([10]);
      assertEquals(gpu.pool.bytes, before + 4096 + 256);
    }
    gpu.pool.trim();
    assertEquals(gpu.pool.bytes, before);
  },
);
