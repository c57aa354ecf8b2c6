/**
 * The file of several models that judge together: one safetensors file, in
 * which every tensor and every metadata string of member `i`'s model file is
 * kept under `i.`, as in `0.memory_bank`. The metadata of the whole are
 * `format` (`patchcore_ensemble`), `format_version`, `members`, `threshold`,
 * `threshold_rule`, the same of `map_threshold`, `min_area` and
 * `software_version`.
 *
 * @module
 */
import { readSafetensors, writeSafetensors } from "../../nn/safetensors.ts";
import type { StoredTensor } from "../../nn/stored_tensor.ts";
import { shown } from "../settings/shown.ts";
import { minMaxScale, onScale } from "../score/min_max_scale.ts";
import { modelOf, modelTensors, withContext } from "./model_file.ts";
import {
  ModelFileError,
  type StoredModel,
  type StoredThreshold,
} from "./stored_model.ts";
import {
  bad,
  checkFormat,
  finite,
  formatVersionOf,
  modelMetadata,
  parseMinArea,
  parseThreshold,
  setMinArea,
  setThreshold,
  text,
} from "./model_metadata.ts";

const FORMAT = "patchcore_ensemble";

/** Members that a file has at most. */
const MAX_MEMBERS = 16;

/** Models of the same images that judge together. */
export interface StoredEnsemble {
  /** The models, in the order of their backbones. */
  readonly members: readonly StoredModel[];
  /** The threshold of the joint score, unless none could be found. */
  readonly threshold?: StoredThreshold;
  /**
   * The threshold of the joint maps. Files of earlier versions have none: it is
   * the mean of the members' own on their scales.
   */
  readonly mapThreshold?: StoredThreshold;
  /** The least area of regions of the joint maps, if there is one. */
  readonly minArea?: number;
  /** Version of the program that made them. */
  readonly softwareVersion: string;
}

/** Reads the kind of a model file from its metadata. */
export function isEnsembleFile(bytes: Uint8Array): boolean {
  return withContext(
    "Cannot read the model",
    () => readSafetensors(bytes).metadata.get("format") === FORMAT,
  );
}

/**
 * Writes an ensemble as the bytes of its file.
 *
 * @throws {ModelFileError} If a member contradicts itself or the others.
 */
export function writeEnsembleFile(
  ensemble: StoredEnsemble,
): Uint8Array<ArrayBuffer> {
  const { members, threshold, mapThreshold, softwareVersion } = ensemble;
  return withContext("Cannot write the model", () => {
    checkMembers(members);
    const tensors: [string, StoredTensor][] = [];
    const metadata = new Map([
      ["format", FORMAT],
      ["format_version", String(formatVersionOf(members, ensemble))],
      ["members", String(members.length)],
      ["software_version", softwareVersion],
    ]);
    setThreshold(metadata, "threshold", threshold);
    setThreshold(metadata, "map_threshold", mapThreshold);
    setMinArea(metadata, ensemble.minArea);
    members.forEach((member, i) => {
      for (const [name, tensor] of modelTensors(member)) {
        tensors.push([`${i}.${name}`, tensor]);
      }
      for (const [key, value] of modelMetadata(member)) {
        metadata.set(`${i}.${key}`, value);
      }
    });
    return writeSafetensors(tensors, metadata);
  });
}

/**
 * Reads an ensemble's file. Arrays are views on `bytes` where they can be.
 *
 * @throws {ModelFileError} When the file is malformed, is no ensemble, has a
 * newer format version, or its members contradict themselves or each other.
 */
export function readEnsembleFile(bytes: Uint8Array): StoredEnsemble {
  return withContext("Cannot read the model", () => {
    const { tensors, metadata } = readSafetensors(bytes);
    checkFormat(metadata, FORMAT);
    const count = finite(metadata, "members");
    if (!Number.isInteger(count) || count < 2 || count > MAX_MEMBERS) {
      throw bad(metadata, "members", `a whole number from 2 to ${MAX_MEMBERS}`);
    }
    const members = Array.from({ length: count }, (_, i) => {
      try {
        return modelOf(
          withPrefix(tensors, `${i}.`),
          withPrefix(metadata, `${i}.`),
        );
      } catch (error) {
        if (!(error instanceof ModelFileError)) throw error;
        throw new ModelFileError(`member ${i}: ${error.message}`, {
          cause: error,
        });
      }
    });
    checkMembers(members);
    const threshold = parseThreshold(metadata, "threshold");
    const mapThreshold = parseThreshold(metadata, "map_threshold") ??
      jointMapThreshold(members);
    const minArea = parseMinArea(metadata);
    return {
      members,
      ...(threshold && { threshold }),
      ...(mapThreshold && { mapThreshold }),
      ...(minArea !== undefined && { minArea }),
      softwareVersion: text(metadata, "software_version"),
    };
  });
}

/**
 * The threshold of joint maps where the largest pixels of the members' maps are
 * not known: where no pixel of a member's map is above the
 * member's threshold, none of the joint map is above the mean of the thresholds
 * on the members' scales.
 *
 * @returns Nothing where a member has no threshold of maps, or no scale.
 */
export function jointMapThreshold(
  members: readonly StoredModel[],
): StoredThreshold | undefined {
  let sum = 0;
  for (const { mapThreshold, trainScores } of members) {
    const scale = minMaxScale(trainScores);
    if (mapThreshold === undefined || scale === undefined) return undefined;
    sum += onScale(mapThreshold.value, scale);
  }
  return {
    value: sum / members.length,
    rule: { scores: "mean of the members' thresholds on their scales" },
  };
}

function withPrefix<T>(
  entries: ReadonlyMap<string, T>,
  prefix: string,
): Map<string, T> {
  return new Map(
    [...entries].flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []
    ),
  );
}

/** Settings that decide how maps lie over images. */
const GEOMETRY = ["resize", "square", "crop", "region"];

/** Refuses members that cannot judge the same images. */
function checkMembers(members: readonly StoredModel[]): void {
  const [first] = members;
  for (const [i, member] of members.entries()) {
    if (member.imageNames.join("\n") !== first?.imageNames.join("\n")) {
      throw new ModelFileError(
        `member ${i} was fitted to other images than member 0`,
      );
    }
    const other = GEOMETRY.find((key) =>
      JSON.stringify(member.settings[key]) !==
        JSON.stringify(first.settings[key])
    );
    if (other !== undefined) {
      throw new ModelFileError(
        `member ${i} was fitted with ${other} ${
          shown(member.settings[other])
        }, member 0 with ${shown(first.settings[other])}`,
      );
    }
    if (member.imageSizes.join() !== first.imageSizes.join()) {
      throw new ModelFileError(
        `member ${i} was fitted to images of other sizes than member 0`,
      );
    }
    if (minMaxScale(member.trainScores) === undefined) {
      throw new ModelFileError(
        `member ${i} gave all its training images the same score, so that its scores have no scale`,
      );
    }
    if (member.trainScores.length !== member.imageNames.length) {
      throw new ModelFileError(
        `member ${i} has ${member.trainScores.length} train_scores of ${member.imageNames.length} images`,
      );
    }
  }
}
