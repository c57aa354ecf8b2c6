import { assertEquals, assertThrows } from "@std/assert";
import { decodeNpy, encodeNpy } from "../../../src/core/images/npy.ts";
import { encodeTiff } from "../../../src/core/images/tiff.ts";

Deno.test("encodeNpy() writes the bytes that NumPy writes", () => {
  // numpy.save of numpy.float32([[1, -2.5]]), NumPy 1.24
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  const expected = Uint8Array.from([
    ...[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0],
    ...new TextEncoder().encode(header.padEnd(117) + "\n"),
    ...[0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0],
  ]);
  assertEquals(encodeNpy(Float32Array.of(1, -2.5), [1, 2]), expected);
});

Deno.test("decodeNpy() reads what encodeNpy() writes, NaN too", () => {
  for (const shape of [[6], [2, 3], [1, 6, 1], [0], [100, 1000]]) {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = Float32Array.from(
      { length: count },
      (_, i) => i % 5 === 4 ? NaN : i / 3,
    );
    const bytes = encodeNpy(data, shape);
    assertEquals((bytes.length - count * 4) % 64, 0);
    // unaligned, as a part of a larger buffer
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    assertEquals(decodeNpy(moved.subarray(1), "a.npy"), { shape, data });
  }
});

Deno.test("decodeNpy() refuses other files with a reason", () => {
  const good = encodeNpy(Float32Array.of(1, 2), [2]);
  const text = (from: string, to: string): Uint8Array =>
    Uint8Array.from(
      Array.from(good, (byte) => String.fromCharCode(byte)).join("")
        .replace(from, to),
      (c) => c.charCodeAt(0),
    );
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(), "it is not a NumPy file"],
    [new TextEncoder().encode("hello, world"), "it is not a NumPy file"],
    [good.subarray(0, 40), "it ends within its header"],
    [good.subarray(0, good.length - 1), "shape [2] needs 8"],
    [text("<f4", "<f8"), "its type is <f8"],
    [text("False", "True "), "Fortran order"],
    [text("(2,)", "None"), "no shape"],
    [text("(2,)", "(3,)"), "shape [3] needs 12"],
  ];
  for (const [bytes, reason] of cases) {
    assertThrows(() => decodeNpy(bytes, "m.npy"), SyntaxError, reason);
  }
});

Deno.test("encodeNpy() refuses a shape that does not fit", () => {
  assertThrows(
    () => encodeNpy(new Float32Array(3), [2, 2]),
    RangeError,
    "has 4 values, data has 3",
  );
});

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
