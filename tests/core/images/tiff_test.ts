import { assertEquals, assertThrows } from "@std/assert";
import { encodeTiff } from "../../../src/core/images/tiff.ts";

Deno.test("encodeTiff() writes one strip of float32", () => {
  const data = Float32Array.of(1, NaN, -0.25, 1e30, 0, 7);
  const tiff = encodeTiff({ width: 3, height: 2, data });
  const view = new DataView(tiff.buffer);
  assertEquals(view.getUint16(0, true), 0x4949);
  assertEquals(view.getUint16(2, true), 42);
  const directory = view.getUint32(4, true);
  const tags = new Map<number, number>();
  for (let i = 0; i < view.getUint16(directory, true); i++) {
    const at = directory + 2 + i * 12;
    const short = view.getUint16(at + 2, true) === 3;
    const value = short
      ? view.getUint16(at + 8, true)
      : view.getUint32(at + 8, true);
    tags.set(view.getUint16(at, true), value);
  }
  assertEquals(
    [256, 257, 258, 259, 262, 277, 278, 279, 339].map((tag) => tags.get(tag)),
    [3, 2, 32, 1, 1, 1, 2, 24, 3],
  );
  assertEquals([...tags.keys()], [...tags.keys()].sort((a, b) => a - b));
  const strip = tags.get(273)!;
  const values = data.map((_, i) => view.getFloat32(strip + i * 4, true));
  assertEquals(values, data);
  assertThrows(
    () => encodeTiff({ width: 2, height: 2, data }),
    RangeError,
    "data has 6 values",
  );
});
