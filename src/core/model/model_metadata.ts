import { shown } from "../settings/shown.ts";
import { parseShard } from "./shard.ts";
import {
  ModelFileError,
  type StoredCoverage,
  type StoredModel,
  type StoredThreshold,
} from "./stored_model.ts";

/**
 * The newest model format this program reads. Version 4 has a region of images
 * that is inspected, and a least area of regions of maps. Version 3 has scores of training
 * images that were held out of the choice of the bank, the largest pixels of
 * their maps, and thresholds with a band of uncertain scores. Version 2 has NaN
 * for a training score that is not known, version 1 had 0, so that it could not
 * say 0.
 */
const MODEL_FORMAT_VERSION = 4;

/** The oldest version that can say what models hold. */
export function formatVersionOf(
  models: readonly Pick<
    StoredModel,
    "trainScores" | "trainMapMaxima" | "settings"
  >[],
  { threshold, minArea }: Pick<StoredModel, "threshold" | "minArea">,
): number {
  const hasRegion = models.some(({ settings }) => "region" in settings);
  if (hasRegion || minArea !== undefined) return MODEL_FORMAT_VERSION;
  const isBand = threshold?.uncertainFrom !== undefined;
  if (isBand || models.some(({ trainMapMaxima }) => trainMapMaxima)) return 3;
  const areOld = models.every(({ trainScores }) =>
    trainScores.every((score) => score > 0)
  );
  return areOld ? 1 : 2;
}

/** What the strings of a model file say. */
interface ModelMetadata {
  /** Version of the format. */
  readonly formatVersion: number;
  /** Every setting of the fit. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The seed of all random draws. */
  readonly seed: number;
  /** Name of the backbone. */
  readonly backboneName: string;
  /** SHA-256 of the backbone's file. */
  readonly backboneSha256: string;
  /** Where fit found the backbone's file, if it said so. */
  readonly backboneSource?: string;
  /** Whose way of fitting positions a transformer was converted for. */
  readonly backbonePositions?: string;
  /** File names of the training images. */
  readonly imageNames: readonly string[];
  /** The threshold, unless none could be found. */
  readonly threshold?: StoredThreshold;
  /** The threshold of anomaly maps, unless none could be found. */
  readonly mapThreshold?: StoredThreshold;
  /** The least area of regions of maps, if there is one. */
  readonly minArea?: number;
  /** What the bank stands for, if the file says so. */
  readonly coverage?: StoredCoverage;
  /** Version of the program that made the model. */
  readonly softwareVersion: string;
}

/**
 * Returns the `__metadata__` strings of a model.
 *
 * @throws {ModelFileError} When the seed, the threshold or the backbone's
 * SHA-256 could not be read back.
 */
export function modelMetadata(model: StoredModel): Map<string, string> {
  const metadata = new Map([
    ["format", "patchcore"],
    ["format_version", String(formatVersionOf([model], model))],
    ["settings", JSON.stringify(model.settings)],
    ["seed", String(model.seed)],
    ["backbone_name", model.backbone.name],
    ["backbone_sha256", model.backbone.sha256],
    ["images", JSON.stringify(model.imageNames)],
    ["software_version", model.softwareVersion],
  ]);
  const { source, positions } = model.backbone;
  if (source !== undefined) metadata.set("backbone_source", source);
  if (positions !== undefined) {
    metadata.set("backbone_positions", positions);
  }
  setThreshold(metadata, "threshold", model.threshold);
  setThreshold(metadata, "map_threshold", model.mapThreshold);
  setMinArea(metadata, model.minArea);
  if (model.coverage) {
    metadata.set("coverage", JSON.stringify(model.coverage));
  }
  parseModelMetadata(metadata);
  return metadata;
}

/**
 * Reads the `__metadata__` strings of a model file.
 *
 * @throws {ModelFileError} When one is missing or makes no sense, or the format
 * version is newer than {@linkcode MODEL_FORMAT_VERSION}.
 */
export function parseModelMetadata(
  metadata: ReadonlyMap<string, string>,
): ModelMetadata {
  const formatVersion = checkFormat(metadata, "patchcore");
  const images = parseJson(metadata, "images");
  if (!isStrings(images)) throw bad(metadata, "images", "a list of names");
  const sha256 = text(metadata, "backbone_sha256");
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw bad(metadata, "backbone_sha256", "64 hexadecimal digits");
  }
  const source = metadata.get("backbone_source");
  const positions = metadata.get("backbone_positions");
  const threshold = parseThreshold(metadata, "threshold");
  const mapThreshold = parseThreshold(metadata, "map_threshold");
  const minArea = parseMinArea(metadata);
  return {
    formatVersion,
    settings: object(metadata, "settings"),
    seed: finite(metadata, "seed"),
    backboneName: text(metadata, "backbone_name"),
    backboneSha256: sha256,
    ...(source !== undefined && { backboneSource: source }),
    ...(positions !== undefined && { backbonePositions: positions }),
    imageNames: images,
    ...(threshold && { threshold }),
    ...(mapThreshold && { mapThreshold }),
    ...(minArea !== undefined && { minArea }),
    ...(metadata.has("coverage") && { coverage: coverageOf(metadata) }),
    softwareVersion: text(metadata, "software_version"),
  };
}

/** Writes a threshold and the rule it came from, where there is one. */
export function setThreshold(
  metadata: Map<string, string>,
  key: string,
  threshold: StoredThreshold | undefined,
): void {
  if (threshold === undefined) return;
  const { value, uncertainFrom } = threshold;
  metadata.set(key, String(value));
  if (uncertainFrom !== undefined) {
    metadata.set(`${key}_uncertain_from`, String(uncertainFrom));
  }
  metadata.set(`${key}_rule`, JSON.stringify(threshold.rule));
}

/** Reads what {@linkcode setThreshold} wrote; nothing where it wrote nothing. */
export function parseThreshold(
  metadata: ReadonlyMap<string, string>,
  key: string,
): StoredThreshold | undefined {
  if (!metadata.has(key)) return undefined;
  const rule = object(metadata, `${key}_rule`);
  const value = finite(metadata, key);
  const band = `${key}_uncertain_from`;
  if (!metadata.has(band)) return { value, rule };
  const uncertainFrom = finite(metadata, band);
  if (!(uncertainFrom < value)) {
    throw bad(metadata, band, `a number below the threshold, ${value}`);
  }
  return { value, uncertainFrom, rule };
}

/** Writes the least area of regions, where there is one. */
export function setMinArea(
  metadata: Map<string, string>,
  area: number | undefined,
): void {
  if (area !== undefined) metadata.set("min_area", String(area));
}

/** Reads what {@linkcode setMinArea} wrote; nothing where it wrote nothing. */
export function parseMinArea(
  metadata: ReadonlyMap<string, string>,
): number | undefined {
  if (!metadata.has("min_area")) return undefined;
  const area = finite(metadata, "min_area");
  if (Number.isSafeInteger(area) && area >= 1) return area;
  throw bad(metadata, "min_area", "whole pixels from 1 up");
}

function coverageOf(metadata: ReadonlyMap<string, string>): StoredCoverage {
  const { patches, radius, shard, list, key } = object(metadata, "coverage");
  const isKnown = typeof patches === "number" && Number.isInteger(patches) &&
    patches > 0;
  const isRadius = radius === undefined ||
    typeof radius === "number" && radius >= 0;
  if (
    isKnown && isRadius && isShard(shard) && isDigest(list) && isDigest(key)
  ) {
    return {
      patches,
      ...(radius !== undefined && { radius }),
      ...(shard !== undefined && { shard }),
      ...(list !== undefined && { list }),
      ...(key !== undefined && { key }),
    };
  }
  throw bad(
    metadata,
    "coverage",
    "patches from 1 up, a radius from 0 up, and parts such as 1/4",
  );
}

function isShard(shard: unknown): shard is string | undefined {
  return shard === undefined ||
    typeof shard === "string" && parseShard(shard) !== undefined;
}

function isDigest(digest: unknown): digest is string | undefined {
  return digest === undefined ||
    typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest);
}

/**
 * Checks which format a file has, and that it is none of the future.
 *
 * @returns Its version.
 * @throws {ModelFileError} If it is another one, or newer.
 */
export function checkFormat(
  metadata: ReadonlyMap<string, string>,
  format: string,
): number {
  const found = metadata.get("format");
  if (found === "patchcore_ensemble" && format === "patchcore") {
    throw new ModelFileError(
      "it is an ensemble of several backbones, one model was expected; predict, evaluate and info take ensembles",
    );
  }
  if (found !== format) {
    throw new ModelFileError(
      `metadata "format" is ${
        shown(found)
      }, expected "${format}"; it is not a PatchCore model`,
    );
  }
  const version = finite(metadata, "format_version");
  if (version > MODEL_FORMAT_VERSION) {
    throw new ModelFileError(
      `it has format version ${version}, this program reads up to ${MODEL_FORMAT_VERSION}; update @patchcore/webgpu`,
    );
  }
  if (!Number.isInteger(version) || version < 1) {
    throw bad(metadata, "format_version", "a whole number from 1 up");
  }
  return version;
}

/** A string of the metadata that has to be there. */
export function text(
  metadata: ReadonlyMap<string, string>,
  key: string,
): string {
  const value = metadata.get(key);
  if (value === undefined) {
    throw new ModelFileError(`metadata "${key}" is missing`);
  }
  return value;
}

/** A number of the metadata that has to be there. */
export function finite(
  metadata: ReadonlyMap<string, string>,
  key: string,
): number {
  const value = text(metadata, key);
  const number = value.trim() === "" ? NaN : Number(value);
  if (!Number.isFinite(number)) throw bad(metadata, key, "a number");
  return number;
}

function parseJson(
  metadata: ReadonlyMap<string, string>,
  key: string,
): unknown {
  try {
    return JSON.parse(text(metadata, key));
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    throw bad(metadata, key, "JSON");
  }
}

function object(
  metadata: ReadonlyMap<string, string>,
  key: string,
): Record<string, unknown> {
  const value = parseJson(metadata, key);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad(metadata, key, "a JSON object");
  }
  return value as Record<string, unknown>;
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((x) => typeof x === "string");
}

/** The error for a value that makes no sense. */
export function bad(
  metadata: ReadonlyMap<string, string>,
  key: string,
  expected: string,
): ModelFileError {
  return new ModelFileError(
    `metadata "${key}" is ${shown(metadata.get(key))}, expected ${expected}`,
  );
}
