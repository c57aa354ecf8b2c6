import { FileError } from "../../src/cli/disk.ts";
import { Journal } from "../../src/cli/evaluate_journal.ts";
import { OutputFolder } from "../../src/cli/output.ts";
import { TuningFile } from "../../src/cli/tuning_store.ts";
import { UsageError } from "../../src/cli/exit.ts";
import { polygonsOf } from "../../src/cli/region_options.ts";
import { drawRegion } from "../../src/core/images/region.ts";
import { readListFile } from "../../src/core/datasets/list_file.ts";
import { encodeNpy, npyFrame, parseNpy } from "../../src/core/images/npy.ts";
import {
  isEnsembleFile,
  readEnsembleFile,
  writeEnsembleFile,
} from "../../src/core/model/ensemble_file.ts";
import {
  readModelFile,
  writeModelFile,
} from "../../src/core/model/model_file.ts";
import {
  ModelFileError,
  type StoredModel,
} from "../../src/core/model/stored_model.ts";
import {
  resolveSettings,
  settingsFromJson,
} from "../../src/core/settings/resolve_settings.ts";
import { DryDevice, Gpu } from "../../src/gpu/mod.ts";
import { CheckpointError } from "../../src/nn/checkpoint/checkpoint_error.ts";
import {
  convertWeights,
  recogniseArchitecture,
} from "../../src/nn/checkpoint/convert.ts";
import {
  checkpointFormat,
  readStateDict,
  type StateDict,
} from "../../src/nn/checkpoint/state_dict.ts";
import { imageLevels } from "../../src/nn/image_normalization.ts";
import { Network } from "../../src/nn/network.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import {
  decodeModel,
  encodeModel,
  type ModelMessage,
} from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { readSafetensors, SafetensorsError } from "../../src/nn/safetensors.ts";
import { looksUntrained } from "../../src/nn/untrained.ts";
import { FakeTerminal } from "../cli/fake_terminal.ts";
import { MemoryFiles, npyFile } from "../core/datasets/memory_files.ts";
import { DEFAULT_LIMITS } from "../humble_adapter.ts";
import { OPERATOR_CASES } from "../nn/operator_cases.ts";
import { tinyBackbone } from "../tiny_model.ts";
import { type Chance, changed, damaged, joined } from "./damage.ts";
import type { Reader } from "./fuzz.ts";
import { goldenFiles } from "./golden_files.ts";
import { imageReaders } from "./image_readers.ts";
import { SERVICE_READERS } from "./service_readers.ts";

/**
 * All readers of what others have made.
 *
 * @param folder A folder for the files of those that read paths.
 */
export function readersIn(folder: string): readonly Reader[] {
  return [
    ...imageReaders(),
    ...arrayReaders(),
    ...modelReaders(),
    ...networkReaders(),
    ...checkpointReaders(),
    ...runReaders(folder),
    ...SERVICE_READERS,
  ];
}

function arrayReaders(): Reader[] {
  const files = [
    encodeNpy(new Float32Array(12), [3, 4]),
    npyFile("|u1", [2, 3, 4], new Uint8Array(24).fill(1)),
    npyFile("<i8", [2, 2, 2], new BigInt64Array(8)),
  ];
  const words = ["<f8", "|b1", ">f4", "True", "(,)", "(99999999999,)", "(0,)"];
  return [{
    name: "npy",
    input: (chance) => damaged(chance.pick(files), chance, words),
    read: (input) => {
      const array = parseNpy(input as Uint8Array, "a.npy");
      const count = array.shape.reduce((product, size) => product * size, 1);
      if (array.data.length !== count) throw new Error("wrong length");
      npyFrame(array, 1, "a.npy");
    },
    errors: [SyntaxError, RangeError],
  }];
}

function storedModel(name: string): StoredModel {
  const settings = JSON.parse(
    JSON.stringify(resolveSettings({ resize: 64, crop: null })),
  );
  return {
    memoryBank: new Float32Array([0.5, -1, 2, 0, 1 / 3, 4]),
    rows: 2,
    dim: 3,
    bankPrecision: "f32",
    origin: new Int32Array([0, 1, 2, 1, 0, 27]),
    trainScores: new Float32Array([1.5, 0.1]),
    settings,
    seed: 42,
    backbone: { name, sha256: "0f".repeat(32) },
    imageNames: ["good/000.png", "good/ü.png"],
    imageSizes: new Int32Array([256, 200, 640, 480]),
    projection: { rows: 1, columns: 3, data: new Float32Array([3, 4, 5]) },
    threshold: { value: 1 / 3, rule: { quantile: 1, factor: 1 } },
    mapThreshold: { value: 0.25, rule: { quantile: 1, factor: 1 } },
    softwareVersion: "0.1.0",
  };
}

function modelReaders(): Reader[] {
  const model = writeModelFile(storedModel("resnet18"));
  const ensemble = writeEnsembleFile({
    members: [storedModel("resnet18"), storedModel("resnet50")],
    threshold: { value: 0.75, rule: { quantile: 1, factor: 1 } },
    softwareVersion: "0.1.0",
  });
  const words = ["F32", "BF16", "I64", "[", '"', "\\u0061", "e999", "null"];
  return [{
    name: "safetensors",
    input: (chance) => damagedSafetensors(model, chance, words),
    read: (input) => void readSafetensors(input as Uint8Array),
    errors: [SafetensorsError],
  }, {
    name: "model",
    input: (chance) => damagedSafetensors(model, chance, words),
    read: (input) => {
      const stored = readModelFile(input as Uint8Array);
      const { memoryBank, rows, dim } = stored;
      if (memoryBank.length !== rows * dim) throw new Error("wrong length");
      if (!memoryBank.every(Number.isFinite)) throw new Error("not finite");
    },
    errors: [ModelFileError],
  }, {
    name: "settings",
    input: (chance) => changed(storedModel("").settings, chance),
    read: (input) => void settingsFromJson(input as Record<string, unknown>),
    errors: [TypeError, RangeError],
  }, {
    name: "ensemble",
    input: (chance) => damagedSafetensors(ensemble, chance, words),
    read: (input) => {
      isEnsembleFile(input as Uint8Array);
      readEnsembleFile(input as Uint8Array);
    },
    errors: [ModelFileError],
  }];
}

/** Damage to the bytes, or to what the header says. */
function damagedSafetensors(
  file: Uint8Array,
  chance: Chance,
  words: readonly string[],
): Uint8Array<ArrayBuffer> {
  if (chance.oneIn(3)) return damaged(file, chance, words);
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + length)),
  );
  let text = JSON.stringify(changed(header, chance));
  if (chance.oneIn(4)) text = changedMetadata(header, chance);
  const json = new TextEncoder().encode(text);
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, BigInt(json.length), true);
  return joined(start, json, file.subarray(8 + length));
}

/** JSON within the JSON: settings, thresholds and names of images. */
function changedMetadata(
  header: Record<string, Record<string, string>>,
  chance: Chance,
): string {
  const metadata = { ...header["__metadata__"] };
  const key = chance.pick(Object.keys(metadata));
  try {
    const value: unknown = JSON.parse(metadata[key]!);
    const [other] = changed([value], chance) as unknown[];
    metadata[key] = JSON.stringify(other) ?? "";
  } catch {
    metadata[key] = chance.pick(["", "-1", "1e999", "x", "2", "[]", "{}"]);
  }
  return JSON.stringify({ ...header, __metadata__: metadata });
}

function networkReaders(): Reader[] {
  const whole = [
    tinyBackbone().bytes,
    ...goldenFiles("exports", /(squeezenet|odds)\.onnx$/),
  ];
  const small = OPERATOR_CASES.map(({ bytes }) => bytes);
  const device = new DryDevice({
    limits: DEFAULT_LIMITS as unknown as GPUSupportedLimits,
    features: new Set(),
  }).device;
  const info = { description: "imitation" } as GPUAdapterInfo;
  const gpu = new Gpu(device, info, true);
  const read = async (input: unknown): Promise<void> => {
    const graph = await readOnnx(input as Uint8Array);
    looksUntrained(graph);
    using network = new Network(gpu, graph);
    const [images, channels, ...size] = graph.inputs[0]!.shape.map(Number);
    network.plan([images || 1, channels || 3, ...size.map((n) => n || 32)]);
    if (channels !== 3 && channels) return;
    network.check();
    imageLevels(graph);
  };
  return [{
    name: "onnx",
    input: (chance) => damaged(chance.pick(small), chance),
    read,
    errors: [OnnxError],
  }, {
    name: "onnx_messages",
    input: (chance) => changedModel(chance.pick(small), chance),
    read,
    errors: [OnnxError],
  }, {
    name: "onnx_networks",
    input: (chance) =>
      chance.oneIn(2)
        ? damaged(chance.pick(whole), chance)
        : changedModel(chance.pick(whole), chance),
    read,
    errors: [OnnxError],
  }];
}

/** A model one of whose messages is another. */
function changedModel(
  bytes: Uint8Array,
  chance: Chance,
): Uint8Array<ArrayBuffer> {
  const message = plain(decodeModel(bytes));
  try {
    return encodeModel(changed(message, chance) as ModelMessage);
  } catch {
    return damaged(bytes, chance);
  }
}

/** Messages as plain objects that can be cloned. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value as Uint8Array);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if ("toNumber" in value) return Number(String(value));
  return Object.fromEntries(
    Object.entries(value).map(([key, value]) => [key, plain(value)]),
  );
}

function checkpointReaders(): Reader[] {
  const files = goldenFiles(
    "checkpoint",
    /(module|tensors|wrapped|4)\.\w+\.pth$/,
  );
  const whole = goldenFiles("checkpoint", /densenet\.(legacy|zip)\.pth$/);
  const words = [
    ...["ctorch._utils\n_rebuild_tensor_v2\n", "cos\nsystem\n", "(", "t", "R"],
    ...["(((((((((((((((((((((((((", "q\xff", "j\xff\xff\xff\xff", "\x80\x05"],
    ...[
      "b",
      "s",
      "u",
      "e",
      "}",
      "]",
      ".",
      "2",
      "\x8a\xff",
      "X\xff\xff\xff\x7f",
    ],
  ];
  const read = (input: unknown): StateDict => {
    const bytes = input as Uint8Array;
    checkpointFormat(bytes);
    const tensors = readStateDict(bytes);
    for (const tensor of tensors.values()) {
      const count = tensor.shape.reduce((product, size) => product * size, 1);
      if (!Number.isSafeInteger(count)) throw new Error("wrong length");
    }
    return tensors;
  };
  const errors = [CheckpointError, SafetensorsError];
  return [{
    name: "pth",
    input: (chance) => damaged(chance.pick(files), chance, words),
    read,
    errors,
  }, {
    name: "pth_networks",
    input: (chance) => damaged(chance.pick(whole), chance, words),
    read: (input) => {
      const tensors = read(input);
      convertWeights(tensors, recogniseArchitecture(tensors));
    },
    errors,
  }, {
    name: "pickle",
    input: (chance) => {
      const file = chance.pick(files);
      const tail = damaged(file.subarray(0, 400), chance, words);
      return joined(new Uint8Array([0x80, 2]), tail);
    },
    read,
    errors,
  }];
}

function runReaders(folder: string): Reader[] {
  const record = {
    category: "bolt",
    ...{ image_auroc: 0.75, image_aupr: 0, f1_max: 1, f1_threshold: -2.5 },
    ...{ false_positives: 1, false_negatives: 0, pixel_auroc: null },
    ...{ pixel_auroc_defective: null, aupro_30: null, aupro_5: null },
    ...{ pro_per_image: null, threshold: 3.25 },
    ...{ threshold_false_positives: 0, threshold_false_negatives: null },
    images: { train: 2, normal: 1, anomalous: 1 },
    seconds: { features: 0.5, "bank rows": 0, total: 0.5 },
  };
  const entry = { key: "a1".repeat(32), records: [record] };
  const lines = (entries: readonly unknown[]): Uint8Array =>
    new TextEncoder().encode(
      entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
    );
  const run = `${folder}/run`;
  const list = new TextEncoder().encode(
    'path,split,label,mask\ngood/a.png,train,OK,\r\n"x, y.png",test,"scratch",masks/xy.png\r\n/abs/c.png,test,normal,\n',
  );
  const journal = `${folder}/journal.jsonl`;
  const tuning = `${folder}/tuning.json`;
  const choices = { "0.1.0 Deno 2.9.6: llvmpipe": { "conv a": "tile" } };
  return [{
    name: "journal",
    input: (chance) =>
      chance.oneIn(3)
        ? damaged(lines([entry, entry]), chance)
        : lines([changed(entry, chance)]),
    read: async (input) => {
      await Deno.writeFile(journal, input as Uint8Array);
      const opened = await Journal.open(journal);
      opened.find(entry.key, "bolt");
    },
    errors: [FileError],
  }, {
    name: "run_folder",
    input: (chance) => ({
      "run.json": damaged(lines([{ generator: "@patchcore/webgpu" }]), chance),
      ".files": chance.oneIn(2)
        ? damaged(lines([{ file: "maps/a.tiff", image: "a" }]), chance)
        : lines([changed({ file: "maps/a.tiff", image: "a" }, chance)]),
    }),
    read: async (input) => {
      await Deno.remove(run, { recursive: true }).catch(() => {});
      await Deno.mkdir(run, { recursive: true });
      for (const [name, bytes] of Object.entries(input as object)) {
        await Deno.writeFile(`${run}/${name}`, bytes);
      }
      using opened = await OutputFolder.open(run, { resume: true });
      opened.earlierFiles();
    },
    errors: [FileError],
  }, {
    name: "list",
    input: (chance) =>
      damaged(list, chance, [",", ";", "\t", '"', '""', "\n", "\r", "\ufeff"]),
    read: async (input) => {
      const files = new MemoryFiles(["/d/a.csv", input as Uint8Array]);
      for (const purpose of ["fit", "predict", "evaluate"] as const) {
        await readListFile(files, "/d/a.csv", { purpose });
      }
    },
  }, {
    name: "polygon",
    input: (chance) => ({
      isJson: chance.oneIn(2),
      text: damaged(
        new TextEncoder().encode(
          chance.oneIn(2) ? "[[1,1],[9,1.5],[4,8]]" : "1,1\n9 1.5\n4;8\n",
        ),
        chance,
        [",", " ", "\n", "[", "]", "1e999", "-0", '"', "null"],
      ),
    }),
    read: (input) => {
      const { isJson, text } = input as { isJson: boolean; text: Uint8Array };
      const name = isJson ? "a.json" : "a.txt";
      const roi = polygonsOf("--roi", name, new TextDecoder().decode(text));
      const region = drawRegion({ width: 12, height: 10, roi });
      settingsFromJson({ ...resolveSettings({ region }) });
    },
    errors: [UsageError, RangeError],
  }, {
    name: "tuning",
    input: (chance) =>
      chance.oneIn(2)
        ? damaged(lines([choices]), chance)
        : lines([changed(choices, chance)]),
    read: async (input) => {
      await Deno.writeFile(tuning, input as Uint8Array);
      const { terminal } = new FakeTerminal();
      await new TuningFile(tuning, terminal).load("llvmpipe");
    },
    errors: [],
  }];
}
