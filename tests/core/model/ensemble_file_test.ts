import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  isEnsembleFile,
  readEnsembleFile,
  type StoredEnsemble,
  writeEnsembleFile,
} from "../../../src/core/model/ensemble_file.ts";
import {
  ModelFileError,
  type StoredModel,
} from "../../../src/core/model/stored_model.ts";
import {
  readModelFile,
  writeModelFile,
} from "../../../src/core/model/model_file.ts";
import {
  readSafetensors,
  writeSafetensors,
} from "../../../src/nn/safetensors.ts";
import type { StoredTensor } from "../../../src/nn/stored_tensor.ts";

function member(name: string, change: Partial<StoredModel> = {}): StoredModel {
  return {
    memoryBank: new Float32Array([0.5, -1, 2, 0, 1 / 3, 4]),
    rows: 2,
    dim: 3,
    bankPrecision: "f32",
    origin: new Int32Array([0, 1, 2, 1, 0, 27]),
    trainScores: new Float32Array([1.5, 0.1]),
    settings: { resize: 256, square: false, crop: 224 },
    seed: 42,
    backbone: { name, sha256: "0f".repeat(32) },
    imageNames: ["good/000.png", "good/ü.png"],
    imageSizes: new Int32Array([256, 200, 640, 480]),
    threshold: { value: 1 / 3, rule: { quantile: 1, factor: 1 } },
    softwareVersion: "0.1.0",
    ...change,
  };
}

const plain: StoredEnsemble = {
  members: [
    member("resnet18"),
    member("resnet50", {
      memoryBank: new Float32Array(8).fill(2),
      dim: 4,
      backbone: {
        name: "resnet50",
        sha256: "a1".repeat(32),
        onnx: new Uint8Array([8, 1, 2]),
      },
    }),
  ],
  threshold: { value: 0.75, rule: { quantile: 1, factor: 1 } },
  softwareVersion: "0.1.0",
};

Deno.test("writeEnsembleFile() is read back by readEnsembleFile()", () => {
  const bytes = writeEnsembleFile(plain);
  assertEquals(readEnsembleFile(bytes), plain);
  assertEquals(writeEnsembleFile(plain), bytes);
  assert(isEnsembleFile(bytes));
  assert(!isEnsembleFile(writeModelFile(plain.members[0]!)));
});

Deno.test("readEnsembleFile() leaves out a threshold that is not there", () => {
  const { threshold: _, ...without } = plain;
  assertEquals(readEnsembleFile(writeEnsembleFile(without)), without);
});

Deno.test("readers refuse each other's files", () => {
  assertThrows(
    () => readModelFile(writeEnsembleFile(plain)),
    ModelFileError,
    "it is an ensemble of several backbones, one model was expected",
  );
  assertThrows(
    () => readEnsembleFile(writeModelFile(plain.members[0]!)),
    ModelFileError,
    'metadata "format" is "patchcore", expected "patchcore_ensemble"',
  );
});

for (
  const [what, change, sentence] of [
    [
      "other images",
      { imageNames: ["good/000.png", "good/001.png"] },
      "Cannot write the model: member 1 was fitted to other images than member 0",
    ],
    [
      "other sizes",
      { imageSizes: new Int32Array([256, 200, 640, 481]) },
      "Cannot write the model: member 1 was fitted to images of other sizes than member 0",
    ],
    [
      "another geometry",
      { settings: { resize: 256, square: false, crop: null } },
      "Cannot write the model: member 1 was fitted with crop null, member 0 with 224",
    ],
    [
      "scores without a scale",
      { trainScores: new Float32Array([2, 2]) },
      "Cannot write the model: member 1 gave all its training images the same score, so that its scores have no scale",
    ],
  ] as const
) {
  Deno.test(`writeEnsembleFile() refuses members with ${what}`, () => {
    const members = [member("resnet18"), member("resnet50", change)];
    assertThrows(
      () => writeEnsembleFile({ ...plain, members }),
      ModelFileError,
      sentence,
    );
  });
}

type Change = (
  tensors: Map<string, StoredTensor>,
  metadata: Map<string, string>,
) => void;

const HOSTILE: readonly (readonly [string, Change, string])[] = [
  [
    "no number of members",
    (_, metadata) => metadata.delete("members"),
    'metadata "members" is missing',
  ],
  [
    "one member",
    (_, metadata) => metadata.set("members", "1"),
    'metadata "members" is "1", expected a whole number from 2 to 16',
  ],
  [
    "a million members",
    (_, metadata) => metadata.set("members", "1000000"),
    "expected a whole number from 2 to 16",
  ],
  [
    "a member that is not there",
    (_, metadata) => metadata.set("members", "3"),
    'member 2: metadata "format" is missing',
  ],
  [
    "a member without a bank",
    (tensors) => tensors.delete("1.memory_bank"),
    'member 1: the file has no tensor "memory_bank"',
  ],
  [
    "a member with NaN in its bank",
    (tensors) =>
      tensors.set("0.memory_bank", {
        dtype: "F32",
        shape: [2, 3],
        data: new Float32Array(6).fill(NaN),
      }),
    "member 0: memory_bank holds NaN in row 0",
  ],
  [
    "members of other images",
    (_, metadata) => metadata.set("1.images", '["a","b"]'),
    "member 1 was fitted to other images than member 0",
  ],
  [
    "a newer format",
    (_, metadata) => metadata.set("format_version", "5"),
    "it has format version 5, this program reads up to 4",
  ],
  [
    "a threshold that is no number",
    (_, metadata) => metadata.set("threshold", "high"),
    'metadata "threshold" is "high", expected a number',
  ],
];

for (const [what, change, sentence] of HOSTILE) {
  Deno.test(`readEnsembleFile() refuses ${what}`, () => {
    const file = readSafetensors(writeEnsembleFile(plain));
    const tensors = new Map(file.tensors);
    const metadata = new Map(file.metadata);
    change(tensors, metadata);
    const bytes = writeSafetensors(tensors, metadata);
    const error = assertThrows(() => readEnsembleFile(bytes), ModelFileError);
    assert(error.message.startsWith("Cannot read the model: "), error.message);
    assert(error.message.includes(sentence), error.message);
  });
}
