import { inputSize } from "../../images/tiles.ts";
import {
  parseShard,
  type ShardPositions,
  shardText,
} from "../../model/shard.ts";
import { ModelFileError, type StoredModel } from "../../model/stored_model.ts";
import { settingsFromJson } from "../../settings/resolve_settings.ts";
import { shortened } from "../../settings/shown.ts";
import { settingsOf } from "../load.ts";

/** What has to be known of a model to tell whether it can be merged. */
export type MergeFacts =
  & Pick<
    StoredModel,
    | "backbone"
    | "settings"
    | "dim"
    | "coverage"
    | "threshold"
    | "rows"
    | "minArea"
  >
  & {
    /** What the network sees, `[height, width]`. */
    readonly input: readonly [number, number];
    /** Whether it carries a sample of its images along. */
    readonly carries: boolean;
  };

/** A model as far as it has to be known, with its name for messages. */
export interface NamedFacts {
  /** Its name. */
  readonly name: string;
  /** What is known of it. */
  readonly facts: MergeFacts;
}

/** What is asked of models that are merged. */
export interface MergeDemand {
  /** How many parts there have to be; by default as many as they say. */
  readonly expect?: number | undefined;
  /** Whether other parts may be missing. */
  readonly partial?: boolean | undefined;
}

/**
 * What has to be known of a model.
 *
 * @throws {ModelFileError} If its settings cannot be used.
 */
export function mergeFacts(model: StoredModel): MergeFacts {
  const { settings, dim, coverage, threshold, rows, minArea } = model;
  // The network itself is a view that would keep the whole file.
  const { onnx: _, ...backbone } = model.backbone;
  const [width = 1, height = 1] = model.imageSizes;
  const input = inputSize({ width, height }, settingsOf(model));
  return {
    ...{ backbone, settings, dim, rows, input },
    ...(minArea !== undefined && { minArea }),
    ...(coverage && { coverage }),
    ...(threshold && { threshold }),
    carries: model.sample !== undefined,
  };
}

/**
 * Checks that models are parts of one fit, and brings them into the order of
 * their parts.
 *
 * @returns Their places in that order, and which parts they are together; no
 * parts where they are models of their own.
 * @throws {ModelFileError} If they do not belong together, saying why.
 */
export function checkTogether(
  models: readonly NamedFacts[],
  demand: MergeDemand,
): { order: number[]; together: ShardPositions | undefined } {
  const [first, ...others] = models;
  const shards = models.map(({ facts }) => facts.coverage?.shard);
  const areParts = shards.some((shard) => shard !== undefined);
  if (first === undefined || others.length === 0 && !areParts) {
    throw new ModelFileError(
      `Cannot merge ${models.length} models: expected at least 2`,
    );
  }
  for (const { name, facts } of others) {
    const problem = difference(first.facts, facts);
    if (problem === undefined) continue;
    throw new ModelFileError(
      `Cannot merge "${first.name}" with "${name}": ${problem}; fit the parts alike`,
    );
  }
  if (settingsFromJson(first.facts.settings).tiles?.banks === "position") {
    throw new ModelFileError(
      `Cannot merge "${first.name}": it has a bank for each place of tiles; fit all images at once`,
    );
  }
  for (const { name, facts: { coverage, carries } } of models) {
    if (coverage === undefined) {
      throw new ModelFileError(
        `Cannot merge "${name}": it was made by an earlier version and does not say how many patches it stands for; fit it again`,
      );
    }
    if (coverage.shard !== undefined && !carries) {
      throw new ModelFileError(
        `Cannot merge "${name}": it was made by an earlier version and carries no sample of its images for the threshold; fit it again`,
      );
    }
  }
  if (!areParts) {
    if (demand.expect !== undefined || demand.partial) {
      throw new ModelFileError(
        `Cannot merge "${first.name}" as a part: it is a model of its own; fit parts with --shard`,
      );
    }
    return { order: [...models.keys()], together: undefined };
  }
  return checkPositions(models, demand);
}

function difference(a: MergeFacts, b: MergeFacts): string | undefined {
  if (a.backbone.sha256 !== b.backbone.sha256) {
    return `they were fitted with the backbones "${a.backbone.name}" (SHA-256 ${a.backbone.sha256}) and "${b.backbone.name}" (SHA-256 ${b.backbone.sha256})`;
  }
  const keys = new Set([
    ...Object.keys(a.settings),
    ...Object.keys(b.settings),
  ]);
  const [own, other] = [a, b].map(({ settings }) =>
    new Map<string, unknown>(Object.entries(settingsFromJson(settings)))
  );
  for (const key of keys) {
    const [mine, theirs] = [own!.get(key), other!.get(key)]
      .map((value) => JSON.stringify(value));
    if (mine !== theirs) {
      return `they were fitted with ${key} ${shortened(mine ?? "none")} and ${
        shortened(theirs ?? "none")
      }`;
    }
  }
  if (a.minArea !== b.minArea) {
    return `their regions have at least ${a.minArea ?? "any number of"} and ${
      b.minArea ?? "any number of"
    } pixels (--min-area)`;
  }
  if (a.dim !== b.dim) {
    return `their features have ${a.dim} and ${b.dim} dimensions`;
  }
  const groups = [a, b].map(({ threshold }) => threshold?.rule["group_by"]);
  const bothJudge = a.threshold !== undefined && b.threshold !== undefined;
  if (bothJudge && groups[0] !== groups[1]) {
    return `their images were grouped by ${groups[0] ?? "none"} and ${
      groups[1] ?? "none"
    }`;
  }
  return a.input.join() === b.input.join()
    ? undefined
    : `the network sees ${a.input[1]} × ${a.input[0]} and ${b.input[1]} × ${
      b.input[0]
    } pixels of their images`;
}

/** Parts of one list of images: none may be missing or there twice. */
function checkPositions(
  models: readonly NamedFacts[],
  { expect, partial = false }: MergeDemand,
): { order: number[]; together: ShardPositions } {
  const [first] = models as [NamedFacts];
  const positions = models.map(({ name, facts: { coverage } }) =>
    positionsOf(name, coverage!.shard)
  );
  const owners = new Map<number, string>();
  const [{ count }] = positions as [ShardPositions];
  models.forEach(({ name, facts: { coverage } }, i) => {
    const { parts, count: theirs } = positions[i]!;
    if (theirs !== count) {
      throw new ModelFileError(
        `Cannot merge "${first.name}" with "${name}": they are of ${count} and of ${theirs} parts; fit all of as many`,
      );
    }
    const { list } = first.facts.coverage!;
    if (coverage!.list !== list) {
      throw new ModelFileError(
        `Cannot merge "${first.name}" with "${name}": they are parts of different lists of images; give every part the same images`,
      );
    }
    for (const part of parts) {
      const twin = owners.get(part);
      if (twin !== undefined) {
        throw new ModelFileError(
          `Cannot merge "${twin}" with "${name}": both are part ${part}/${count}`,
        );
      }
      owners.set(part, name);
    }
  });
  if (expect !== undefined && expect !== count) {
    throw new ModelFileError(
      `Cannot merge "${first.name}": it is of ${count} parts, ${expect} are expected`,
    );
  }
  if (!partial || expect !== undefined) {
    for (let part = 1; part <= count; part++) {
      if (owners.has(part)) continue;
      throw new ModelFileError(
        `Cannot merge "${first.name}": part ${part}/${count} is missing; name all parts`,
      );
    }
  }
  const order = [...models.keys()].sort((a, b) =>
    positions[a]!.parts[0]! - positions[b]!.parts[0]!
  );
  const parts = [...owners.keys()].sort((a, b) => a - b);
  return { order, together: { parts, count } };
}

function positionsOf(
  name: string,
  shard: string | undefined,
): ShardPositions {
  const positions = shard === undefined ? undefined : parseShard(shard);
  if (positions !== undefined) return positions;
  throw new ModelFileError(
    shard === undefined
      ? `Cannot merge "${name}" with parts: it is a model of its own; fit it with --shard`
      : `Cannot merge "${name}": it says that it is part "${shard}", expected i/n`,
  );
}

/** The position of parts, as a model stores it; none where they are all there are. */
export function positionText(
  together: ShardPositions | undefined,
): string | undefined {
  return together && shardText(together);
}
