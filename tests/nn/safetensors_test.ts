import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  readSafetensors,
  SafetensorsError,
  type SafetensorsFault,
  writeSafetensors,
} from "../../src/nn/safetensors.ts";
import { floatData, type StoredTensor } from "../../src/nn/stored_tensor.ts";
import { sharedTest } from "../testing.ts";

const info = { dtype: "F32", shape: [2], data_offsets: [0, 8] };

/** A file with this header text (or object) and so many data bytes. */
function file(header: unknown, dataBytes = 0, claim?: bigint): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer)
    .setBigUint64(0, claim ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const hostile: [SafetensorsFault, string, Uint8Array, string][] = [
  ["truncated", "an empty file", new Uint8Array(), "has 0 bytes"],
  [
    "header_too_large",
    "a header of 2^64 - 1 bytes",
    file("{}", 0, 2n ** 64n - 1n),
    "claims 18446744073709551615 bytes",
  ],
  ["header_length", "a lying header length", file("{}", 0, 50n), "has 2 left"],
  [
    "header_encoding",
    "a header that is not UTF-8",
    (() => {
      const bytes = file('{"a":1}');
      bytes[10] = 0xff;
      return bytes;
    })(),
    "not UTF-8",
  ],
  ["header_json", "broken JSON", file("{"), "is not JSON"],
  ["header_json", "an empty header", file(""), 'begin with "{"'],
  ["header_json", "leading white space", file(" {}"), 'begin with "{"'],
  ["header_json", "a byte order mark", file("\ufeff{}"), 'begin with "{"'],
  ["header_json", "text after the header", file("{} x"), "is not JSON"],
  [
    "duplicate_key",
    "a tensor name twice, once escaped",
    file(
      `{"a":${JSON.stringify(info)},"\\u0061":${JSON.stringify(info)}}`,
      8,
    ),
    '"a" twice',
  ],
  [
    "duplicate_key",
    "a field twice",
    file('{"a":{"dtype":"U8","dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    '"dtype" twice',
  ],
  ["metadata", "metadata as a list", file({ __metadata__: [] }), "an object"],
  [
    "metadata",
    "a number among the metadata",
    file({ __metadata__: { a: 1 } }),
    '"a" is not a string',
  ],
  ["tensor_info", "a tensor that is null", file({ a: null }), 'tensor "a"'],
  [
    "unknown_dtype",
    "an unknown dtype",
    file({ a: { ...info, dtype: "F8_E4M3" } }, 8),
    'has dtype "F8_E4M3"',
  ],
  [
    "unknown_dtype",
    "a dtype named like an object's method",
    file({ a: { ...info, dtype: "constructor" } }, 8),
    'has dtype "constructor"',
  ],
  ["unknown_dtype", "no dtype", file({ a: { shape: [] } }), "missing"],
  ["shape", "a negative size", file({ a: { ...info, shape: [-2] } }), "[-2]"],
  ["shape", "a fraction", file({ a: { ...info, shape: [0.5] } }), "[0.5]"],
  ["shape", "a shape in words", file({ a: { ...info, shape: "2" } }), '"2"'],
  [
    "shape",
    "a shape whose product overflows",
    file({ a: { ...info, shape: [2 ** 40, 2 ** 40] } }),
    "has shape",
  ],
  [
    "shape",
    "a byte count that overflows",
    file({ a: { ...info, shape: [2 ** 52] } }),
    "has shape",
  ],
  [
    "size_mismatch",
    "a shape larger than its bytes",
    file({ a: { ...info, shape: [3] } }, 8),
    "has 8 bytes, shape [3] of F32 needs 12",
  ],
  [
    "offsets",
    "offsets that run backwards",
    file({ a: { ...info, data_offsets: [8, 0] } }, 8),
    "[8,0]",
  ],
  [
    "offsets",
    "a negative offset",
    file({ a: { ...info, data_offsets: [-8, 0] } }, 8),
    "[-8,0]",
  ],
  ["offsets", "no offsets", file({ a: { dtype: "U8", shape: [] } }), "missing"],
  [
    "overlap",
    "tensors that overlap",
    file({ a: info, b: { ...info, data_offsets: [4, 12] } }, 12),
    'tensor "b" begins at 4, before 8',
  ],
  [
    "hole",
    "a hole at the front",
    file({ a: { ...info, data_offsets: [4, 12] } }, 12),
    "bytes 0 to 4",
  ],
  [
    "hole",
    "a hole in the middle",
    file({ a: info, b: { ...info, data_offsets: [12, 20] } }, 20),
    "bytes 8 to 12",
  ],
  ["truncated", "missing data", file({ a: info }, 7), "ends at 8, data has 7"],
  ["trailing_bytes", "bytes at the end", file({ a: info }, 9), "bytes 8 to 9"],
];

for (const [fault, what, bytes, sentence] of hostile) {
  Deno.test(`readSafetensors() throws "${fault}" for ${what}`, () => {
    const error = assertThrows(
      () => readSafetensors(bytes),
      SafetensorsError,
      sentence,
    );
    assertEquals(error.fault, fault);
  });
}

Deno.test("readSafetensors() never crashes on a damaged file", () => {
  const good = writeSafetensors([
    ["a", { dtype: "F32", shape: [2, 2], data: new Float32Array(4) }],
    ["b", { dtype: "U8", shape: [3], data: new Uint8Array(3) }],
  ], [["k", "v"]]);
  for (let at = 0; at < good.length; at++) {
    for (const value of [0, 0x22, 0x7d, 0xff, good[at] ^ 1]) {
      const bytes = good.slice();
      bytes[at] = value;
      try {
        readSafetensors(bytes);
      } catch (error) {
        assert(error instanceof SafetensorsError, String(error));
      }
    }
    assertThrows(() => readSafetensors(good.subarray(0, at)), SafetensorsError);
  }
});

Deno.test("readSafetensors() refuses a 50 MB string without overflowing", () => {
  const header = `{"${"a".repeat(50_000_000)}":{"dtype":"X"}}`;
  const error = assertThrows(
    () => readSafetensors(file(header)),
    SafetensorsError,
  );
  assert(error.message.length < 300);
});

Deno.test("writeSafetensors() is read back by readSafetensors()", () => {
  const tensors: [string, StoredTensor][] = [
    ["u8", { dtype: "U8", shape: [3], data: new Uint8Array([1, 2, 3]) }],
    ["bool", { dtype: "BOOL", shape: [1], data: new Uint8Array([1]) }],
    ["f16", { dtype: "F16", shape: [2], data: new Float16Array([0.5, -2]) }],
    ["bf16", {
      dtype: "BF16",
      shape: [2],
      data: new Uint16Array([0x3f80, 0xc000]),
    }],
    ["i32", { dtype: "I32", shape: [1, 2], data: new Int32Array([-1, 7]) }],
    ["i64", {
      dtype: "I64",
      shape: [1],
      data: new BigInt64Array([-(2n ** 60n)]),
    }],
    ["f32", { dtype: "F32", shape: [], data: new Float32Array([Math.PI]) }],
    ["f64", { dtype: "F64", shape: [1], data: new Float64Array([Math.PI]) }],
    ["empty", { dtype: "F32", shape: [0, 4], data: new Float32Array() }],
    ["__proto__", { dtype: "U8", shape: [1], data: new Uint8Array([9]) }],
  ];
  const metadata: [string, string][] = [["format", "pt"], ["ünï", '"\\\n']];
  const bytes = writeSafetensors(tensors, metadata);
  const { tensors: read, metadata: strings } = readSafetensors(bytes);
  assertEquals([...strings], metadata);
  assertEquals(read.size, tensors.length);
  for (const [name, tensor] of tensors) assertEquals(read.get(name), tensor);
  assertEquals(bytes, writeSafetensors(tensors.reverse(), metadata));
});

Deno.test("readSafetensors() gives views where aligned, copies elsewhere", () => {
  const bytes = writeSafetensors([
    ["a", { dtype: "F32", shape: [2], data: new Float32Array([1, 2]) }],
  ]);
  const a = readSafetensors(bytes).tensors.get("a")!;
  assertEquals(a.data.buffer, bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const b = readSafetensors(shifted.subarray(1)).tensors.get("a")!;
  assert(b.data.buffer !== shifted.buffer);
  assertEquals(b.data, new Float32Array([1, 2]));
});

Deno.test("writeSafetensors() throws when the data do not fit the shape", () => {
  const data = new Float32Array(3);
  for (
    const tensor of [
      { dtype: "F32", shape: [2], data },
      { dtype: "F32", shape: [-3], data },
      { dtype: "U8", shape: [3], data },
    ] as StoredTensor[]
  ) {
    const error = assertThrows(
      () => writeSafetensors([["a", tensor]]),
      SafetensorsError,
      'Cannot write tensor "a"',
    );
    assertEquals(error.fault, "size_mismatch");
  }
});

Deno.test("writeSafetensors() throws when a name is taken", () => {
  const tensor: StoredTensor = {
    dtype: "U8",
    shape: [],
    data: new Uint8Array(1),
  };
  for (const names of [["a", "a"], ["__metadata__"]]) {
    assertThrows(
      () => writeSafetensors(names.map((name) => [name, tensor])),
      SafetensorsError,
      "is taken",
    );
  }
});

Deno.test("floatData() converts every floating-point dtype", () => {
  const values = [1, -0.5, 2 ** -24, Infinity];
  const bf16 = new Uint16Array([0x3f80, 0xbf00, 0x3380, 0x7f80]);
  for (
    const tensor of [
      { dtype: "F16", data: new Float16Array(values) },
      { dtype: "BF16", data: bf16 },
      { dtype: "F32", data: new Float32Array(values) },
      { dtype: "F64", data: new Float64Array(values) },
    ] as const
  ) {
    assertEquals(
      floatData({ ...tensor, shape: [4] }),
      new Float32Array(values),
    );
  }
  assertThrows(
    () => floatData({ dtype: "U16", shape: [4], data: bf16 }),
    TypeError,
    "got U16",
  );
});

sharedTest(
  "readSafetensors() reads the files Python wrote",
  async (_t, shared) => {
    const path = shared(
      "golden",
      "patchcore",
      "wide_resnet.default.safetensors",
    );
    const { metadata, tensors } = readSafetensors(await Deno.readFile(path));
    assertEquals(metadata.get("patchsize"), "3");
    const embedding = tensors.get("train_embedding")!;
    assertEquals(embedding.shape, [1176, 128]);
    assert(floatData(embedding).every(Number.isFinite));
  },
);
