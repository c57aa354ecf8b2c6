/**
 * The model file: one safetensors file with the memory bank, where each of its
 * rows came from, and everything that must be known to use it.
 *
 * | tensor | dtype, shape | |
 * |---|---|---|
 * | `memory_bank` | F32 or F16 `[K, D]` | coreset of the training patches |
 * | `origin` | I32 `[K, 3]` | image index, row and column of each bank row |
 * | `origin_view` | U16 `[K]` | which view of its image each is of; only where images have several |
 * | `image_sizes` | I32 `[images, 2]` | width and height of each training image |
 * | `projection` | F32 `[P, D]` | only when the features were projected |
 * | `train_scores` | F32 `[images]` | held-out training scores, NaN where not known (0 in format version 1) |
 * | `train_map_maxima` | F32 `[images]` | the largest pixels of their maps, NaN where not known; from format version 3 on |
 * | `backbone.onnx` | U8 `[bytes]` | only in a bundle: the cut network |
 * | `sample_images` | I32 `[n]` | only in a part: images carried along for the thresholds of the whole |
 * | `sample_patches` | I32 `[n, m]` | the patches of each that are carried |
 * | `sample_features` | F32 `[n, m, D]` | their features |
 * | `sample_scores` | F32 `[n, height, width]` | scores of all patches against the part's bank, at the most; −1: a patch of the ground |
 *
 * A part has the metadata string `crc32` as well, a checksum of all that is in
 * the file.
 *
 * @module
 */
import {
  readSafetensors,
  SafetensorsError,
  writeSafetensors,
} from "../../nn/safetensors.ts";
import {
  floatData,
  type StoredDtype,
  type StoredTensor,
} from "../../nn/stored_tensor.ts";
import { incomparableRow } from "../features/row_length.ts";
import { CHECKSUM_KEY, checksumOf } from "./checksum.ts";
import { modelMetadata, parseModelMetadata } from "./model_metadata.ts";
import { LIMITS } from "../settings/limits.ts";
import { readSample, sampleTensors } from "./sample_tensors.ts";
import { ModelFileError, type StoredModel } from "./stored_model.ts";

/**
 * Writes a model as the bytes of its file. The same model gives the same
 * bytes.
 *
 * @throws {ModelFileError} When the model contradicts itself, or a number of
 * the bank is not finite or does not fit the bank's precision.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { PatchCore, readModelFile, writeModelFile } from "@patchcore/webgpu";
 *
 * const square = (level: number) => ({
 *   width: 64,
 *   height: 64,
 *   data: new Uint8ClampedArray(64 * 64 * 4).map((_, i) => level + i % 7),
 * });
 * using detector = await PatchCore.create({
 *   backbone: "demo",
 *   resize: 64,
 *   crop: null,
 * });
 * await detector.fit([square(100), square(110)]);
 *
 * // What save() does, with another precision.
 * const bytes = writeModelFile({ ...detector.model, bankPrecision: "f16" });
 * assertEquals(readModelFile(bytes).bankPrecision, "f16");
 * ```
 */
export function writeModelFile(model: StoredModel): Uint8Array<ArrayBuffer> {
  return withContext("Cannot write the model", () => {
    const tensors = modelTensors(model);
    const metadata = modelMetadata(model);
    if (model.coverage?.shard !== undefined) {
      metadata.set(CHECKSUM_KEY, checksumOf(tensors, metadata));
    }
    return writeSafetensors(tensors, metadata);
  });
}

/**
 * The tensors of a model, checked.
 *
 * @throws {ModelFileError} When the model contradicts itself, or a number of
 * the bank is not finite or does not fit the bank's precision.
 */
export function modelTensors(
  model: StoredModel,
): readonly (readonly [string, StoredTensor])[] {
  const { rows, dim, memoryBank, projection } = model;
  const tensors: [string, StoredTensor][] = [
    ["memory_bank", bankTensor(model)],
    ["origin", { dtype: "I32", shape: [rows, 3], data: model.origin }],
    ...(model.originView
      ? [[
        "origin_view",
        { dtype: "U16", shape: [rows], data: model.originView },
      ] as [string, StoredTensor]]
      : []),
    ["image_sizes", {
      dtype: "I32",
      shape: [model.imageNames.length, 2],
      data: model.imageSizes,
    }],
    ["train_scores", {
      dtype: "F32",
      shape: [model.trainScores.length],
      data: model.trainScores,
    }],
  ];
  const maxima = model.trainMapMaxima;
  if (maxima) {
    tensors.push(["train_map_maxima", {
      dtype: "F32",
      shape: [maxima.length],
      data: maxima,
    }]);
  }
  if (projection) {
    const { rows, columns, data } = projection;
    tensors.push(["projection", {
      dtype: "F32",
      shape: [rows, columns],
      data,
    }]);
  }
  const onnx = model.backbone.onnx;
  if (onnx) {
    tensors.push([
      "backbone.onnx",
      { dtype: "U8", shape: [onnx.length], data: onnx },
    ]);
  }
  if (model.sample) tensors.push(...sampleTensors(model.sample, dim));
  checkComparable("memory_bank", memoryBank, dim);
  checkModel(model);
  return tensors;
}

function bankTensor(model: StoredModel): StoredTensor {
  const { rows, dim, memoryBank, bankPrecision } = model;
  if (bankPrecision === "f32") {
    return { dtype: "F32", shape: [rows, dim], data: memoryBank };
  }
  const data = new Float16Array(memoryBank);
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at >= 0 && Number.isFinite(memoryBank[at])) {
    throw new ModelFileError(
      `Cannot write the model: memory bank row ${Math.floor(at / dim)} holds ${
        memoryBank[at]
      }, float16 ends at 65504; use precision f32`,
    );
  }
  return { dtype: "F16", shape: [rows, dim], data };
}

/**
 * Reads a model file. Arrays are views on `bytes` where they can be.
 *
 * @throws {ModelFileError} When the file is malformed, is no model, has a newer
 * format version, contradicts itself, or its bank holds NaN or an infinity.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { PatchCore, readModelFile } from "@patchcore/webgpu";
 *
 * const square = (level: number) => ({
 *   width: 64,
 *   height: 64,
 *   data: new Uint8ClampedArray(64 * 64 * 4).map((_, i) => level + i % 7),
 * });
 * using detector = await PatchCore.create({
 *   backbone: "demo",
 *   resize: 64,
 *   crop: null,
 * });
 * await detector.fit([square(100), square(110)]);
 *
 * const model = readModelFile(detector.save());
 * assertEquals(model.backbone.name, "demo");
 * assertEquals(model.imageNames.length, 2);
 * ```
 */
export function readModelFile(bytes: Uint8Array): StoredModel {
  return withContext("Cannot read the model", () => {
    const { tensors, metadata } = readSafetensors(bytes);
    const checksum = metadata.get(CHECKSUM_KEY);
    if (checksum !== undefined && checksum !== checksumOf(tensors, metadata)) {
      throw new ModelFileError(
        "it is damaged, as its checksum tells; fit that part again",
      );
    }
    return modelOf(tensors, metadata);
  });
}

/**
 * A model from the tensors and the metadata of its file.
 *
 * @throws {ModelFileError} When something is missing or makes no sense.
 */
export function modelOf(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: ReadonlyMap<string, string>,
): StoredModel {
  const {
    backboneName,
    backboneSha256,
    backboneSource,
    backbonePositions,
    formatVersion,
    ...known
  } = parseModelMetadata(metadata);
  const bank = matrix(tensors, "memory_bank", ["F32", "F16"]);
  const origin = matrix(tensors, "origin", ["I32"]);
  const views = tensors.has("origin_view")
    ? vector(tensors, "origin_view", "U16").data as Uint16Array
    : undefined;
  const onnx = tensors.has("backbone.onnx")
    ? vector(tensors, "backbone.onnx", "U8").data as Uint8Array
    : undefined;
  const projection = tensors.has("projection")
    ? matrix(tensors, "projection", ["F32"])
    : undefined;
  const scores = vector(tensors, "train_scores", "F32").data as Float32Array;
  const maxima = tensors.has("train_map_maxima")
    ? vector(tensors, "train_map_maxima", "F32").data as Float32Array
    : undefined;
  const sample = readSample(tensors, bank.columns, known.imageNames.length);
  const model: StoredModel = {
    ...known,
    ...(sample && { sample }),
    memoryBank: bank.floats(),
    rows: bank.rows,
    dim: bank.columns,
    bankPrecision: bank.dtype === "F16" ? "f16" : "f32",
    origin: origin.data as Int32Array,
    ...(views && { originView: views }),
    imageSizes: matrix(tensors, "image_sizes", ["I32"]).data as Int32Array,
    trainScores: formatVersion === 1 && scores.includes(0)
      ? scores.map((score) => score === 0 ? NaN : score)
      : scores,
    ...(maxima && { trainMapMaxima: maxima }),
    backbone: {
      name: backboneName,
      sha256: backboneSha256,
      ...(backboneSource !== undefined && { source: backboneSource }),
      ...(backbonePositions !== undefined && { positions: backbonePositions }),
      ...(onnx && { onnx }),
    },
    ...(projection && {
      projection: {
        rows: projection.rows,
        columns: projection.columns,
        data: projection.floats(),
      },
    }),
  };
  checkComparable("memory_bank", model.memoryBank, model.dim);
  checkModel(model);
  return model;
}

/** Refuses what is well-formed but cannot be a model. */
function checkModel(model: StoredModel): void {
  const { rows, dim, origin, imageNames, projection } = model;
  if (rows < 1 || dim < 1) {
    throw new ModelFileError(`memory_bank is empty: [${rows}, ${dim}]`);
  }
  if (origin.length !== rows * 3) {
    throw new ModelFileError(
      `origin has ${origin.length} numbers, ${rows} bank rows need ${rows * 3}`,
    );
  }
  const views = model.originView;
  if (views && views.length !== rows) {
    throw new ModelFileError(
      `origin_view has ${views.length} numbers, ${rows} bank rows need ${rows}`,
    );
  }
  for (let i = 0; i < origin.length; i++) {
    const isImage = i % 3 === 0;
    if (origin[i] < 0 || (isImage && origin[i] >= imageNames.length)) {
      const [image, row, column] = origin.subarray(i - i % 3);
      throw new ModelFileError(
        `origin of bank row ${
          Math.floor(i / 3)
        } is [${image}, ${row}, ${column}], with ${imageNames.length} images`,
      );
    }
  }
  const { imageSizes } = model;
  if (
    imageSizes.length !== imageNames.length * 2 ||
    imageSizes.some((size) => size < 1 || size > LIMITS.imageSide)
  ) {
    throw new ModelFileError(
      `image_sizes holds [${
        imageSizes.subarray(0, 4)
      }…], ${imageNames.length} images need a width and a height from 1 to ${LIMITS.imageSide} each`,
    );
  }
  const { trainScores, trainMapMaxima } = model;
  checkKnown("train_scores", trainScores);
  if (trainMapMaxima) {
    checkKnown("train_map_maxima", trainMapMaxima);
    if (trainMapMaxima.length !== trainScores.length) {
      throw new ModelFileError(
        `train_map_maxima has ${trainMapMaxima.length} numbers, train_scores ${trainScores.length}: expected as many`,
      );
    }
  }
  if (projection) {
    if (projection.columns !== dim || projection.rows < 1) {
      throw new ModelFileError(
        `projection is [${projection.rows}, ${projection.columns}], rows of ${dim} elements need [from 1 up, ${dim}]`,
      );
    }
    checkComparable("projection", projection.data, projection.columns);
  }
}

/**
 * Checks that a backbone is the one the model was fitted with.
 *
 * @throws {ModelFileError} When the SHA-256 differs; the message names both.
 */
export function checkBackbone(
  model: Pick<StoredModel, "backbone">,
  given: {
    /** Name of the backbone at hand. */
    readonly name: string;
    /** Its SHA-256, 64 lowercase hexadecimal digits. */
    readonly sha256: string;
    /** Whose way of fitting positions it was converted for. */
    readonly positions?: string | undefined;
  },
): void {
  const { name, sha256, positions } = model.backbone;
  if (given.sha256 === sha256) return;
  if (
    positions !== undefined && given.positions !== undefined &&
    positions !== given.positions
  ) {
    throw new ModelFileError(
      `Cannot use backbone "${given.name}" with ${given.positions} positions: ` +
        `the model was fitted with "${name}" with ${positions} positions, whose features differ; ` +
        `give that file, or make it with "weights convert --positions ${positions}"`,
    );
  }
  throw new ModelFileError(
    `Cannot use backbone "${given.name}" (SHA-256 ${given.sha256}): ` +
      `the model was fitted with "${name}" (SHA-256 ${sha256}); ` +
      `give that file or fit again`,
  );
}

/** Runs `work`; what it says of the file begins with what could not be done. */
export function withContext<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SafetensorsError) {
      const rest = error.message.replace(/^Cannot \w+ /, "");
      throw new ModelFileError(`${what}: ${rest}`, { cause: error });
    }
    if (
      !(error instanceof ModelFileError) || error.message.startsWith("Cannot ")
    ) throw error;
    throw new ModelFileError(`${what}: ${error.message}`);
  }
}

/** A two-dimensional tensor of a model file. */
interface StoredMatrix extends StoredTensor {
  /** First size. */
  readonly rows: number;
  /** Second size. */
  readonly columns: number;
  /** Returns the elements as float32. */
  floats(): Float32Array;
}

/**
 * Returns the tensor `name` as a matrix.
 *
 * @throws {ModelFileError} When it is missing, has another dtype or rank.
 */
function matrix(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  dtypes: readonly StoredDtype[],
): StoredMatrix {
  const tensor = find(tensors, name, dtypes, 2);
  const [rows, columns] = tensor.shape;
  return { ...tensor, rows, columns, floats: () => floatData(tensor) };
}

/**
 * Returns the tensor `name`, which must have one dimension.
 *
 * @throws {ModelFileError} When it is missing, has another dtype or rank.
 */
function vector(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  dtype: StoredDtype,
): StoredTensor {
  return find(tensors, name, [dtype], 1);
}

function find(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  dtypes: readonly StoredDtype[],
  rank: number,
): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) {
    throw new ModelFileError(
      `the file has no tensor "${name}"; it is not a PatchCore model`,
    );
  }
  if (!dtypes.includes(tensor.dtype) || tensor.shape.length !== rank) {
    throw new ModelFileError(
      `${name} is ${tensor.dtype} [${tensor.shape}], expected ${
        dtypes.join(" or ")
      } with ${rank} dimension${rank === 1 ? "" : "s"}`,
    );
  }
  return tensor;
}

/** Checks that every number is finite, or NaN for one that is not known. */
function checkKnown(name: string, data: Float32Array): void {
  checkFinite(name, data.map((x) => Number.isNaN(x) ? 0 : x), 1);
}

/**
 * Checks that distances to every row are numbers.
 *
 * @throws {ModelFileError} Naming the first row that holds NaN, an infinity or
 * numbers so large that distances to it overflow.
 */
function checkComparable(
  name: string,
  data: Float32Array,
  columns: number,
): void {
  const found = incomparableRow(data, columns);
  if (found === undefined) return;
  const { row, value } = found;
  throw new ModelFileError(
    `${name} holds ${value} in row ${row}${
      Number.isFinite(value) ? ", so that distances to it overflow" : ""
    }`,
  );
}

/**
 * Checks that every number is finite.
 *
 * @throws {ModelFileError} Naming the first row that holds NaN or an infinity.
 */
function checkFinite(
  name: string,
  data: Float32Array,
  columns: number,
): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new ModelFileError(
      `${name} holds ${data[i]} in row ${Math.floor(i / columns)}`,
    );
  }
}
