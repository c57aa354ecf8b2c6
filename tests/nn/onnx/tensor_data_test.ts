import { assert, assertEquals } from "@std/assert";
import type { HostTensor } from "../../../src/nn/graph.ts";
import type { TensorMessage } from "../../../src/nn/onnx/proto.ts";
import {
  readInlineTensor,
  toInteger,
} from "../../../src/nn/onnx/tensor_data.ts";

/** Bytes of a typed array, at an offset no element type is aligned to. */
function unaligned(data: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(data.byteLength + 3);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 3);
  return bytes.subarray(3);
}

const numbers = [1.5, -2, 0, 65504];

const FLOATS: readonly (readonly [what: string, TensorMessage, number[]])[] = [
  [
    "float32",
    { dataType: 1, rawData: unaligned(new Float32Array(numbers)) },
    numbers,
  ],
  ["float_data", { dataType: 1, floatData: numbers }, numbers],
  [
    "float64",
    { dataType: 11, rawData: unaligned(new Float64Array(numbers)) },
    numbers,
  ],
  ["double_data", { dataType: 11, doubleData: numbers }, numbers],
  ["float16", {
    dataType: 10,
    rawData: unaligned(
      Uint16Array.of(0x3e00, 0xc000, 0x8000, 0x7bff),
    ),
  }, [1.5, -2, -0, 65504]],
  ["tiny, infinite and broken float16", {
    dataType: 10,
    int32Data: [0x0001, 0x7c00, 0xfc00, 0x7e00],
  }, [2 ** -24, Infinity, -Infinity, NaN]],
  ["bfloat16", {
    dataType: 16,
    rawData: unaligned(Uint16Array.of(0x3fc0, 0xc000, 0x0000, 0x7f80)),
  }, [1.5, -2, 0, Infinity]],
  ["bfloat16 in int32_data", {
    dataType: 16,
    int32Data: [0x3fc0, 0xc000, 0x0000, 0x4780],
  }, [1.5, -2, 0, 65536]],
];

for (const [what, message, expected] of FLOATS) {
  Deno.test(`readInlineTensor() reads ${what}`, () => {
    const tensor = readInlineTensor({ name: "w", dims: [2, 2], ...message });
    assertEquals(tensor.dtype, "float32");
    assertEquals(tensor.shape, [2, 2]);
    assertEquals(Array.from(tensor.data, Number), expected);
  });
}

const big = 2n ** 63n - 1n;

const INTEGERS: readonly (readonly [
  what: string,
  TensorMessage,
  HostTensor["data"],
  HostTensor["dtype"],
])[] = [
  [
    "int64",
    { dataType: 7, rawData: unaligned(BigInt64Array.of(-1n, big)) },
    BigInt64Array.of(-1n, big),
    "int64",
  ],
  [
    "int64_data",
    { dataType: 7, int64Data: [-3, 4] },
    BigInt64Array.of(-3n, 4n),
    "int64",
  ],
  [
    "int32",
    { dataType: 6, rawData: unaligned(Int32Array.of(-1, 7)) },
    Int32Array.of(-1, 7),
    "int32",
  ],
  [
    "int32_data",
    { dataType: 6, int32Data: [-1, 7] },
    Int32Array.of(-1, 7),
    "int32",
  ],
  [
    "int8",
    { dataType: 3, rawData: Uint8Array.of(255, 7) },
    Int8Array.of(-1, 7),
    "int8",
  ],
  [
    "uint8",
    { dataType: 2, int32Data: [255, 7] },
    Uint8Array.of(255, 7),
    "uint8",
  ],
  [
    "bool",
    { dataType: 9, rawData: Uint8Array.of(0, 1) },
    Uint8Array.of(0, 1),
    "bool",
  ],
];

for (const [what, message, data, dtype] of INTEGERS) {
  Deno.test(`readInlineTensor() reads ${what}`, () => {
    const tensor = readInlineTensor({ name: "w", dims: [2], ...message });
    assertEquals(tensor.dtype, dtype);
    assertEquals(tensor.data, data);
  });
}

Deno.test("readInlineTensor() copies nothing that is aligned", () => {
  const data = Float32Array.of(1, 2, 3);
  const rawData = new Uint8Array(data.buffer, 4, 8);
  const tensor = readInlineTensor({
    name: "w",
    dims: [2],
    dataType: 1,
    rawData,
  });
  assert(tensor.data.buffer === data.buffer);
  assertEquals(tensor.data, Float32Array.of(2, 3));
});

Deno.test("readInlineTensor() reads scalars and empty tensors", () => {
  const scalar = readInlineTensor({ name: "s", dataType: 1, floatData: [4] });
  assertEquals(scalar.shape, []);
  const empty = readInlineTensor({ name: "e", dims: [0, 3], dataType: 7 });
  assertEquals(empty.shape, [0, 3]);
  assertEquals(empty.data.length, 0);
});

Deno.test("toInteger() saturates at 2^53", () => {
  assertEquals(toInteger(undefined), 0);
  assertEquals(toInteger(-7), -7);
  assertEquals(toInteger(2 ** 60), Number.MAX_SAFE_INTEGER);
  assertEquals(toInteger(-(2 ** 63)), -Number.MAX_SAFE_INTEGER);
});
