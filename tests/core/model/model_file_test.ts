import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checkBackbone,
  readModelFile,
  writeModelFile,
} from "../../../src/core/model/model_file.ts";
import {
  ModelFileError,
  type StoredModel,
} from "../../../src/core/model/stored_model.ts";
import {
  readSafetensors,
  writeSafetensors,
} from "../../../src/nn/safetensors.ts";
import type { StoredTensor } from "../../../src/nn/stored_tensor.ts";

const plain: StoredModel = {
  memoryBank: new Float32Array([0.5, -1, 2, 0, 1 / 3, 4]),
  rows: 2,
  dim: 3,
  bankPrecision: "f32",
  origin: new Int32Array([0, 1, 2, 1, 0, 27]),
  trainScores: new Float32Array([1.5, 0.1]),
  settings: { coreset: 0.1, layers: ["layer2", "layer3"], preset: "paper" },
  seed: 42,
  backbone: { name: "wide_resnet50_2", sha256: "0f".repeat(32) },
  imageNames: ["good/000.png", "good/ü.png"],
  imageSizes: new Int32Array([256, 200, 640, 480]),
  threshold: { value: 1 / 3, rule: { quantile: 1, factor: 1 } },
  mapThreshold: { value: 0.25, rule: { quantile: 1, factor: 1 } },
  softwareVersion: "0.1.0",
};

/** Writes `plain`, lets `change` alter the file's content, reads it again. */
function readChanged(
  change: (
    tensors: Map<string, StoredTensor>,
    metadata: Map<string, string>,
  ) => void,
): StoredModel {
  const file = readSafetensors(writeModelFile(plain));
  const tensors = new Map(file.tensors);
  const metadata = new Map(file.metadata);
  change(tensors, metadata);
  return readModelFile(writeSafetensors(tensors, metadata));
}

Deno.test("writeModelFile() is read back by readModelFile()", () => {
  const model: StoredModel = {
    ...plain,
    projection: { rows: 1, columns: 3, data: new Float32Array([3, 4, 5]) },
    backbone: { ...plain.backbone, onnx: new Uint8Array([8, 1, 2]) },
  };
  assertEquals(readModelFile(writeModelFile(model)), model);
  assertEquals(writeModelFile(model), writeModelFile(model));
});

for (
  const [scores, version] of [
    [[1.5, 0.1], "1"],
    [[0, 0.1], "2"],
    [[1.5, NaN], "2"],
  ] as const
) {
  Deno.test(`writeModelFile() says version ${version} of scores ${scores}`, () => {
    const trainScores = Float32Array.from(scores);
    const bytes = writeModelFile({ ...plain, trainScores });
    const { metadata } = readSafetensors(bytes);
    assertEquals(metadata.get("format_version"), version);
    assertEquals(readModelFile(bytes).trainScores, trainScores);
  });
}

Deno.test("writeModelFile() keeps the largest pixels of maps from version 3 on", () => {
  const trainMapMaxima = Float32Array.of(2, NaN);
  const bytes = writeModelFile({ ...plain, trainMapMaxima });
  assertEquals(readSafetensors(bytes).metadata.get("format_version"), "3");
  assertEquals(readModelFile(bytes).trainMapMaxima, trainMapMaxima);
  assertThrows(
    () => writeModelFile({ ...plain, trainMapMaxima: new Float32Array(3) }),
    ModelFileError,
    "train_map_maxima has 3 numbers, train_scores 2",
  );
});

Deno.test("readModelFile() does not know scores that version 1 has as 0", () => {
  const { trainScores } = readChanged((tensors) =>
    tensors.set("train_scores", floats([2], 0, 0.5))
  );
  assertEquals(trainScores, Float32Array.of(NaN, 0.5));
});

Deno.test("readModelFile() leaves out what the model does not have", () => {
  const { threshold: _, mapThreshold: __, ...model } = plain;
  const read = readModelFile(writeModelFile(model));
  assertEquals(read, model);
  assert(!("threshold" in read) && !("projection" in read));
  assert(!("mapThreshold" in read));
  assert(!("onnx" in read.backbone));
});

Deno.test("writeModelFile() rounds the bank when its precision is f16", () => {
  const bytes = writeModelFile({ ...plain, bankPrecision: "f16" });
  assertEquals(readSafetensors(bytes).tensors.get("memory_bank")?.dtype, "F16");
  const read = readModelFile(bytes);
  assertEquals(read.bankPrecision, "f16");
  assertEquals(
    read.memoryBank,
    plain.memoryBank.map((x) => Math.f16round(x)),
  );
});

for (
  const [what, change, sentence] of [
    [
      "NaN in the bank",
      { memoryBank: new Float32Array([0, 1, 2, 3, NaN, 5]) },
      "Cannot write the model: memory_bank holds NaN in row 1",
    ],
    [
      "a bank row too large for float16",
      {
        bankPrecision: "f16",
        memoryBank: new Float32Array([0, 1, 2, 70000, 4, 5]),
      },
      "memory bank row 1 holds 70000, float16 ends at 65504",
    ],
    ["a bank of another size", { dim: 4 }, "does not fit"],
    ["an empty bank", {
      rows: 0,
      memoryBank: new Float32Array(),
      origin: new Int32Array(),
    }, "memory_bank is empty"],
    [
      "an origin of another size",
      { origin: new Int32Array(3) },
      "origin has 3 numbers, 2 bank rows need 6",
    ],
    [
      "an origin outside the images",
      { origin: new Int32Array([0, 0, 0, 2, 0, 0]) },
      "origin of bank row 1 is [2, 0, 0], with 2 images",
    ],
    [
      "an infinite threshold",
      { threshold: { value: Infinity, rule: {} } },
      'metadata "threshold" is "Infinity", expected a number',
    ],
    [
      "a SHA-256 in capitals",
      { backbone: { name: "a", sha256: "0F".repeat(32) } },
      "expected 64 hexadecimal digits",
    ],
  ] as [string, Partial<StoredModel>, string][]
) {
  Deno.test(`writeModelFile() throws on ${what}`, () => {
    assertThrows(
      () => writeModelFile({ ...plain, ...change }),
      ModelFileError,
      sentence,
    );
  });
}

const floats = (shape: number[], ...values: number[]): StoredTensor => ({
  dtype: "F32",
  shape,
  data: new Float32Array(values),
});

for (
  const [what, change, sentence] of [
    [
      "a number in the bank whose square overflows",
      (t) => t.set("memory_bank", floats([2, 3], 0, 1, 2, 3, -3e38, 4)),
      "Cannot read the model: memory_bank holds -3.0000000054977558e+38 in row 1, so that distances to it overflow",
    ],
    [
      "an infinity in the bank",
      (t) => t.set("memory_bank", floats([2, 3], 0, 1, 2, 3, 4, -Infinity)),
      "Cannot read the model: memory_bank holds -Infinity in row 1",
    ],
    [
      "an infinity in the training scores",
      (t) => t.set("train_scores", floats([2], 0, Infinity)),
      "train_scores holds Infinity in row 1",
    ],
    [
      "a projection of other rows than the bank's",
      (t) => t.set("projection", floats([1, 2], 1, 2)),
      "projection is [1, 2], rows of 3 elements need [from 1 up, 3]",
    ],
    [
      "images of 2³⁰ pixels",
      (t) =>
        t.set("image_sizes", {
          dtype: "I32",
          shape: [2, 2],
          data: new Int32Array(4).fill(2 ** 30),
        }),
      "2 images need a width and a height from 1 to 1000000 each",
    ],
    [
      "an infinity in the projection",
      (t) => t.set("projection", floats([1, 3], 1, Infinity, 2)),
      "projection holds Infinity in row 0",
    ],
    [
      "no bank",
      (t) => t.delete("memory_bank"),
      'no tensor "memory_bank"; it is not a PatchCore model',
    ],
    [
      "a bank of one dimension",
      (t) => t.set("memory_bank", floats([6], 1, 2, 3, 4, 5, 6)),
      "memory_bank is F32 [6], expected F32 or F16 with 2 dimensions",
    ],
    [
      "an origin of floats",
      (t) => t.set("origin", floats([2, 3], 0, 0, 0, 0, 0, 0)),
      "origin is F32 [2,3], expected I32 with 2 dimensions",
    ],
    [
      "an origin with two columns",
      (t) =>
        t.set("origin", {
          dtype: "I32",
          shape: [2, 2],
          data: new Int32Array(4),
        }),
      "origin has 4 numbers",
    ],
    [
      "a negative origin",
      (t) =>
        t.set("origin", {
          dtype: "I32",
          shape: [2, 3],
          data: new Int32Array([0, 0, -1, 0, 0, 0]),
        }),
      "origin of bank row 0 is [0, 0, -1]",
    ],
    [
      "an origin beyond the image names",
      (_, m) => m.set("images", '["one.png"]'),
      "origin of bank row 1 is [1, 0, 27], with 1 images",
    ],
    [
      "an image without height",
      (t) =>
        t.set("image_sizes", {
          dtype: "I32",
          shape: [2, 2],
          data: new Int32Array([4, 4, 4, 0]),
        }),
      "image_sizes holds [4,4,4,0…], 2 images need a width and a height",
    ],
    ["no image sizes", (t) => t.delete("image_sizes"), '"image_sizes"'],
    [
      "another format",
      (_, m) => m.set("format", "pt"),
      'metadata "format" is "pt", expected "patchcore"',
    ],
    ["no metadata", (_, m) => m.clear(), "it is not a PatchCore model"],
    [
      "a newer format version",
      (_, m) => m.set("format_version", "5"),
      "format version 5, this program reads up to 4; update",
    ],
    [
      "a format version of 0",
      (_, m) => m.set("format_version", "0"),
      "a whole number from 1 up",
    ],
    [
      "an empty seed",
      (_, m) => m.set("seed", ""),
      'metadata "seed" is "", expected a number',
    ],
    ["no seed", (_, m) => m.delete("seed"), 'metadata "seed" is missing'],
    [
      "broken settings",
      (_, m) => m.set("settings", "{"),
      'metadata "settings" is "{", expected JSON',
    ],
    [
      "settings that are a list",
      (_, m) => m.set("settings", "[]"),
      "expected a JSON object",
    ],
    [
      "image names that are numbers",
      (_, m) => m.set("images", "[1]"),
      "expected a list of names",
    ],
    [
      "a threshold without its rule",
      (_, m) => m.delete("threshold_rule"),
      'metadata "threshold_rule" is missing',
    ],
    [
      "a map threshold that is no number",
      (_, m) => m.set("map_threshold", "high"),
      'metadata "map_threshold" is "high", expected a number',
    ],
  ] as [string, Parameters<typeof readChanged>[0], string][]
) {
  Deno.test(`readModelFile() throws on ${what}`, () => {
    assertThrows(() => readChanged(change), ModelFileError, sentence);
  });
}

Deno.test("readModelFile() throws on lying headers and holes", () => {
  const bytes = writeModelFile(plain);
  assertThrows(
    () => readModelFile(bytes.subarray(0, -4)),
    ModelFileError,
    "Cannot read the model: safetensors: tensor",
  );
  const longer = new Uint8Array(bytes.length + 4);
  longer.set(bytes);
  assertThrows(
    () => readModelFile(longer),
    ModelFileError,
    "no tensor covers bytes",
  );
  assertThrows(
    () => readModelFile(new Uint8Array(100).fill(255)),
    ModelFileError,
    "header claims 18446744073709551615 bytes",
  );
});

Deno.test("checkBackbone() throws naming both files when the SHA-256 differs", () => {
  checkBackbone(plain, { name: "renamed", sha256: "0f".repeat(32) });
  const error = assertThrows(
    () => checkBackbone(plain, { name: "other", sha256: "1f".repeat(32) }),
    ModelFileError,
  );
  for (const part of ["other", "1f1f", "wide_resnet50_2", "0f0f"]) {
    assert(error.message.includes(part), part);
  }
});
