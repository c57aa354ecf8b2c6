import { assertEquals, assertThrows } from "@std/assert";
import { GpuError } from "../../src/gpu/mod.ts";
import { gpuTest } from "../testing.ts";

gpuTest(
  "Tensor holds what was uploaded, for every element type",
  async (gpu) => {
    const arrays = [
      Float32Array.of(1.5, -2, 1e30),
      Uint32Array.of(0, 4294967295),
      Int32Array.of(-1, 2147483647),
      Uint16Array.of(0x3c00, 0xc000, 0x7c00),
      Uint16Array.of(0x3c00, 0xc000),
    ];
    for (const data of arrays) {
      using tensor = gpu.upload(data);
      assertEquals(await gpu.read(tensor), data);
    }
  },
);

gpuTest("Tensor reports its size in elements and in whole words", (gpu) => {
  using floats = gpu.tensor([2, 3, 5]);
  assertEquals([floats.size, floats.byteLength], [30, 120]);
  using halves = gpu.tensor([3], "f16");
  assertEquals([halves.size, halves.byteLength], [3, 8]);
  using scalar = gpu.tensor([]);
  assertEquals([scalar.size, scalar.byteLength], [1, 4]);
});

gpuTest("Tensor.buffer names the tensor when it was disposed", (gpu) => {
  const tensor = gpu.tensor([2, 3], "f32", "memory bank");
  tensor.dispose();
  tensor.dispose();
  assertThrows(
    () => tensor.buffer,
    TypeError,
    'Cannot use tensor "memory bank" [2,3]: it was disposed',
  );
});

gpuTest(
  "Tensor.view() shows the first elements in another shape",
  async (gpu) => {
    using tensor = gpu.upload(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const view = tensor.view([2, 2], "head");
    assertEquals(view.label, "head");
    assertEquals(await gpu.read(view), Float32Array.of(1, 2, 3, 4));
    gpu.write(view.view([1]), Float32Array.of(9));
    assertEquals((await gpu.readFloats(tensor))[0], 9);
  },
);

gpuTest("Tensor.view() leaves the memory to its tensor", async (gpu) => {
  using tensor = gpu.upload(Float32Array.of(1, 2), [2], "owner");
  const view = tensor.view([1, 2]);
  view.dispose();
  assertEquals(await gpu.read(tensor), Float32Array.of(1, 2));
  tensor.dispose();
  assertThrows(() => view.buffer, TypeError, 'Cannot use tensor "owner"');
});

gpuTest("Tensor.view() refuses more elements than there are", (gpu) => {
  using tensor = gpu.tensor([2, 3], "f32", "small");
  assertThrows(
    () => tensor.view([7]),
    RangeError,
    'Cannot see "small" as [7]: it has 6 elements',
  );
  assertThrows(() => tensor.view([2]).view([3]), RangeError, "2 elements");
});

gpuTest("Gpu.upload() refuses a shape of another size", (gpu) => {
  assertThrows(
    () => gpu.upload(new Float32Array(5), [2, 3], "images"),
    RangeError,
    'Cannot upload "images": shape [2,3] has 6 elements, data has 5',
  );
});

gpuTest(
  "Gpu.write() fills a part and refuses to go past the end",
  async (gpu) => {
    using tensor = gpu.upload(Float32Array.of(1, 2, 3, 4), [4], "part");
    gpu.write(tensor, Float32Array.of(7, 8), 1);
    gpu.write(tensor, new Float32Array(0), 4);
    assertEquals(await gpu.read(tensor), Float32Array.of(1, 7, 8, 4));
    assertThrows(
      () => gpu.write(tensor, Float32Array.of(7, 8), 3),
      RangeError,
      'Cannot write 2 elements at 3 of tensor "part": it has 4',
    );
  },
);

gpuTest("Gpu.write() takes a view of a larger array", async (gpu) => {
  const all = Float32Array.from({ length: 9 }, (_, i) => i);
  using tensor = gpu.upload(all.subarray(3, 7));
  assertEquals(await gpu.read(tensor), Float32Array.of(3, 4, 5, 6));
});

gpuTest("Gpu.tensor() refuses what no binding can hold", (gpu) => {
  const elements = gpu.maxTensorBytes / 4 + 1;
  assertThrows(
    () => gpu.tensor([elements], "f32", "anomaly maps"),
    GpuError,
    `Cannot allocate "anomaly maps": ${
      4 * elements
    } bytes are more than the adapter binds at once (${gpu.maxTensorBytes})`,
  );
});

gpuTest("Gpu.copy() and Gpu.clear() work on the GPU", async (gpu) => {
  using from = gpu.upload(Float32Array.of(1, 2, 3, 4));
  using to = gpu.upload(Float32Array.of(5, 6, 7, 8));
  gpu.copy(from, to, { fromOffset: 1, toOffset: 2, count: 2 });
  assertEquals(await gpu.read(to), Float32Array.of(5, 6, 2, 3));
  gpu.copy(from, to);
  assertEquals(await gpu.read(to), Float32Array.of(1, 2, 3, 4));
  gpu.clear(to);
  assertEquals(await gpu.read(to), new Float32Array(4));
});
