import { assertEquals, assertThrows } from "@std/assert";
import { encodeNpy, npyFrame, parseNpy } from "../../../src/core/images/npy.ts";
import { npyFile } from "../datasets/memory_files.ts";

Deno.test("parseNpy() reads each type it names", () => {
  const cases = [
    ["|b1", Uint8Array.of(0, 1)],
    ["|u1", Uint8Array.of(7, 255)],
    ["|i1", Int8Array.of(-7, 5)],
    ["<u2", Uint16Array.of(1, 65535)],
    ["<i2", Int16Array.of(-1, 300)],
    ["<u4", Uint32Array.of(1, 2 ** 32 - 1)],
    ["<i4", Int32Array.of(-1, 70000)],
    ["<u8", BigUint64Array.of(1n, 2n)],
    ["<i8", BigInt64Array.of(-1n, 2n)],
    ["<f4", Float32Array.of(0.5, -2)],
    ["<f8", Float64Array.of(0.1, -2)],
  ] as const;
  for (const [descr, data] of cases) {
    assertEquals(parseNpy(npyFile(descr, [2], data)), { shape: [2], data });
  }
});

Deno.test("parseNpy() reads a file that NumPy wrote, scalar and version 2 alike", () => {
  // numpy.save of numpy.array([[1, 2, 3]], numpy.int16), header padded to 64.
  const header =
    "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 3), }".padEnd(117) +
    "\n";
  const body = [1, 0, 2, 0, 3, 0];
  const one = [0x93, ..."NUMPY"].map((c) =>
    typeof c === "string" ? c.charCodeAt(0) : c
  );
  const text = [...new TextEncoder().encode(header)];
  const first = Uint8Array.from([...one, 1, 0, 118, 0, ...text, ...body]);
  const second = Uint8Array.from([
    ...one,
    2,
    0,
    118,
    0,
    0,
    0,
    ...text,
    ...body,
  ]);
  for (const file of [first, second]) {
    assertEquals(parseNpy(file), {
      shape: [1, 3],
      data: Int16Array.of(1, 2, 3),
    });
  }
  assertEquals(parseNpy(npyFile("<f4", [], Float32Array.of(3))).shape, []);
});

Deno.test("parseNpy() says what is wrong with a damaged or foreign file", () => {
  const good = npyFile("<f4", [2], Float32Array.of(1, 2));
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(3), "does not start as a NumPy file"],
    [new TextEncoder().encode("version https://git-lfs"), "does not start"],
    [good.subarray(0, 30), "is cut off"],
    [
      good.subarray(0, good.length - 1),
      "7 bytes of data, shape (2) of <f4 needs 8",
    ],
    [
      npyFile("<f4", [2], Float32Array.of(1, 2, 3)),
      "12 bytes of data, shape (2) of <f4 needs 8",
    ],
    [npyFile("|O", [1], new Uint8Array(8)), "found header"],
    [npyFile(">f4", [1], new Uint8Array(4)), "found header"],
    [npyFile("<f4", [1], new Uint8Array(4), "True"), "row-major"],
  ];
  for (const [bytes, message] of cases) {
    assertThrows(() => parseNpy(bytes, "a.npy"), SyntaxError, message);
  }
});

Deno.test("npyFrame() takes one frame as a grey mask", () => {
  const data = BigInt64Array.of(0n, 1n, 0n, 0n, 2n, 0n, 0n, 0n, 0n, 0n, 0n, 1n);
  const array = parseNpy(npyFile("<i8", [2, 2, 3], data));
  assertEquals(npyFrame(array, 0), {
    width: 3,
    height: 2,
    gray: Uint8Array.of(0, 255, 0, 0, 255, 0),
  });
  assertEquals(npyFrame(array, 1).gray, Uint8Array.of(0, 0, 0, 0, 0, 255));
});

Deno.test("npyFrame() refuses frames that are not there", () => {
  const array = parseNpy(npyFile("|u1", [2, 1, 1], Uint8Array.of(0, 1)));
  for (const frame of [-1, 2, NaN]) {
    assertThrows(
      () => npyFrame(array, frame, "a.npy"),
      RangeError,
      `Cannot take frame ${frame} of "a.npy"`,
    );
  }
  const flat = parseNpy(npyFile("|u1", [2], Uint8Array.of(0, 1)));
  assertThrows(() => npyFrame(flat, 0), RangeError, "found shape (2)");
});

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

Deno.test("parseNpy() reads what encodeNpy() writes, NaN too", () => {
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
    assertEquals(parseNpy(moved.subarray(1), "a.npy"), { shape, data });
  }
});

Deno.test("encodeNpy() refuses a shape that does not fit", () => {
  assertThrows(
    () => encodeNpy(new Float32Array(3), [2, 2]),
    RangeError,
    "has 4 values, data has 3",
  );
});
