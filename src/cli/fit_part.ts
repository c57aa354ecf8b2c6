import { join } from "node:path";
import {
  type BackboneFile,
  type Bundling,
  type FitReport,
  mergeSources,
  type NamedImage,
  type PatchCore,
  readModelFile,
  type StoredModel,
  writeModelFile,
} from "../core/mod.ts";
import type { Settings } from "../core/settings/settings.ts";
import { VERSION } from "../core/settings/version.ts";
import { sha256 } from "../core/weights.ts";
import { readFile, statOrNothing, writeAtomically } from "./disk.ts";
import { bundling, type FitValues } from "./fit_options.ts";
import { namingModel } from "./model_loading.ts";
import type { Shard } from "./shard.ts";
import type { Terminal } from "./terminal.ts";

/** Images of a step of a part, at the least: less is not worth a file. */
const STEP_IMAGES = 24;

/** Steps that a part is done in, at the most. */
const STEPS = 16;

/** A part of a fit: what decides it. */
export interface Part {
  /** Which one. */
  readonly shard: Shard;
  /** Its images. */
  readonly paths: readonly string[];
  /** SHA-256 of the names of all images, of which these are every n-th. */
  readonly list: string;
  /** SHA-256 of everything that decides what comes out. */
  readonly key: string;
}

/**
 * Every n-th image, and a key of them and of how they are fitted.
 *
 * @param paths All images.
 * @param shard Which part of them.
 * @param method Settings, backbone and how the model is written.
 */
export async function partOf(
  paths: readonly string[],
  shard: Shard,
  method: {
    readonly settings: Settings;
    readonly backbone: BackboneFile;
    readonly values: FitValues;
  },
): Promise<Part> {
  const [part, parts] = shard;
  const own = paths.filter((_, i) => i % parts === part - 1);
  const list = await digest(paths);
  const { settings, backbone, values } = method;
  const { bankPrecision, precision, memory, thresholdImages } = values;
  const { groupBy, resume, maxPixels } = values;
  const key = await digest({
    ...{ list, shard, settings, version: VERSION },
    backbone: await sha256(backbone.bytes),
    files: await Promise.all(own.map(stamp)),
    ...{ bankPrecision, precision, memory, thresholdImages, groupBy },
    bundle: bundling(values),
    maxPixels,
    // A part that is done in steps is another one than a part that is not.
    steps: resume !== undefined,
  });
  return { shard, paths: own, list, key };
}

async function digest(value: unknown): Promise<string> {
  return await sha256(new TextEncoder().encode(JSON.stringify(value)));
}

/** A file that changes its size or its time of modification is another one. */
async function stamp(path: string): Promise<unknown> {
  const info = await statOrNothing(path);
  return [path, info?.size, info?.mtime?.getTime()];
}

/** What lies where a part is to be written. */
type Found =
  | { readonly kind: "nothing" }
  | { readonly kind: "finished"; readonly model: StoredModel }
  | { readonly kind: "other"; readonly why: string }
  | { readonly kind: "whole" };

/**
 * Finds out whether a part is finished already.
 *
 * @returns `finished` where the file is that part of the same images, fitted in the
 * same way; `other` where it is another part, or cannot be read; `whole` where it
 * is a model of all images, which a part must not replace.
 */
export async function foundPart(path: string, key: string): Promise<Found> {
  if (await statOrNothing(path) === undefined) return { kind: "nothing" };
  const bytes = await readFile(path);
  let model: StoredModel;
  try {
    model = readModelFile(bytes);
  } catch (error) {
    return { kind: "other", why: (error as Error).message };
  }
  const { coverage } = model;
  if (coverage?.shard === undefined) return { kind: "whole" };
  if (coverage.key === key) return { kind: "finished", model };
  return {
    kind: "other",
    why: `it is part ${coverage.shard} of other images or settings`,
  };
}

/** How a part is fitted. */
interface PartWork {
  /** The detector to fit. */
  readonly detector: PatchCore;
  /** The part. */
  readonly part: Part;
  /** Its images. */
  readonly images: readonly NamedImage[];
  /** Fits the detector to some of them, as such a part. */
  readonly fit: (
    images: readonly NamedImage[],
    shard: Shard,
  ) => Promise<FitReport>;
  /** How the part is written. */
  readonly values: Pick<FitValues, "resume" | "bankPrecision">;
  /** Whether it contains its backbone. */
  readonly bundle: Bundling;
  /** Where messages go. */
  readonly terminal: Terminal;
}

/** A part, and what was done for it. */
interface FittedPart {
  /** What is written. */
  readonly model: StoredModel;
  /** What was done. */
  readonly report: FitReport;
}

/**
 * Fits a part. With `--resume` it is done in steps, each of which is kept: a fit
 * that was cut off goes on behind the steps that are whole.
 */
export async function fitPart(work: PartWork): Promise<FittedPart> {
  const { detector, images, part, bundle, values, terminal } = work;
  const { resume, bankPrecision } = values;
  const steps = resume === undefined ? [images] : stepsOf(images);
  const [own, parts] = part.shard;
  const position = part.shard.join("/");
  if (resume === undefined || steps.length === 1) {
    const report = await work.fit(images, part.shard);
    const model = detector.toModel({ bundle, bankPrecision });
    return { model: asPart(model, part, position), report };
  }
  const paths = steps.map((_, i) => stepPath(resume, part.shard, i, steps));
  let report: FitReport | undefined;
  for (const [i, step] of steps.entries()) {
    const path = paths[i]!;
    if ((await foundPart(path, part.key)).kind === "finished") {
      terminal.message(
        `Step ${i + 1} of ${steps.length} is in "${path}" already`,
      );
      continue;
    }
    const done = await work.fit(step, [own, parts * steps.length]);
    report = report === undefined ? done : added(report, done);
    const model = detector.toModel({ bundle });
    const place = `${i + 1}/${steps.length}`;
    await writeAtomically(path, writeModelFile(asPart(model, part, place)));
  }
  const { gpu, adapterName: adapter } = detector;
  const joined = await mergeSources(
    paths.map((path) => ({ name: path, load: () => readPart(path) })),
    { gpu, partial: true },
  );
  const { coverage, rows, dim, threshold, mapThreshold } = joined.model;
  return {
    model: { ...asPart(joined.model, part, position), bankPrecision },
    report: {
      ...report ?? NOTHING_DONE,
      ...{ images: joined.model.imageNames.length, bankRows: rows, dim },
      patches: coverage!.patches,
      threshold: threshold?.value ?? NaN,
      mapThreshold: mapThreshold?.value ?? NaN,
      ...{ radius: undefined, radiusImages: 0, radiusBound: coverage!.radius },
      buckets: steps.length,
      passes: joined.passes + (report?.passes ?? 0),
      peakGpuBytes: Math.max(report?.peakGpuBytes ?? 0, joined.peakGpuBytes),
      adapter,
    },
  };
}

/** Removes the steps that a part was done in, once it is written. */
export async function removeSteps(
  folder: string,
  { shard, paths }: Part,
): Promise<void> {
  const steps = stepsOf(paths);
  for (const i of steps.keys()) {
    await Deno.remove(stepPath(folder, shard, i, steps)).catch(ignoreMissing);
  }
  try {
    await Deno.remove(folder);
  } catch {
    // Steps of other parts are there, or it was never made.
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** Images in steps of about as many each. */
function stepsOf<T>(images: readonly T[]): (readonly T[])[] {
  const most = Math.max(1, Math.floor(images.length / STEP_IMAGES));
  const count = Math.min(STEPS, most);
  return Array.from({ length: count }, (_, i) => {
    const [first, end] = [i, i + 1].map((step) =>
      Math.round(step * images.length / count)
    );
    return images.slice(first, end);
  });
}

function stepPath(
  folder: string,
  [part, parts]: Shard,
  step: number,
  { length }: readonly unknown[],
): string {
  return join(
    folder,
    `part-${part}-of-${parts}-step-${step + 1}-of-${length}.safetensors`,
  );
}

/** A model that says which part of what it is. */
function asPart(
  model: StoredModel,
  { list, key }: Part,
  shard: string,
): StoredModel {
  return { ...model, coverage: { ...model.coverage!, shard, list, key } };
}

async function readPart(path: string): Promise<StoredModel> {
  const bytes = await readFile(path);
  return await namingModel(path, () => Promise.resolve(readModelFile(bytes)));
}

/** What was done when every step was there already. */
const NOTHING_DONE: FitReport = {
  ...{ images: 0, patches: 0, bankRows: 0, dim: 0 },
  ...{ threshold: NaN, mapThreshold: NaN },
  ...{ radius: undefined, radiusImages: 0, radiusBound: undefined },
  ...{ buckets: 0, passes: 0, thresholdImages: 0 },
  ...{ falseAlarms: undefined, scoreSpread: undefined, oddImages: [] },
  secondKind: false,
  seconds: {
    ...{ decode: 0, trunk: 0, patches: 0 },
    ...{ coreset: 0, threshold: 0, total: 0 },
  },
  ...{ peakGpuBytes: 0, plannedGpuBytes: 0, adapter: "" },
};

/** What two steps took together. */
function added(a: FitReport, b: FitReport): FitReport {
  const { seconds } = a;
  const total = (step: keyof typeof seconds) => seconds[step] + b.seconds[step];
  return {
    ...b,
    thresholdImages: a.thresholdImages + b.thresholdImages,
    passes: a.passes + b.passes,
    oddImages: [...a.oddImages, ...b.oddImages],
    secondKind: a.secondKind || b.secondKind,
    seconds: {
      ...{ decode: total("decode"), trunk: total("trunk") },
      ...{ patches: total("patches"), coreset: total("coreset") },
      ...{ threshold: total("threshold"), total: total("total") },
    },
    peakGpuBytes: Math.max(a.peakGpuBytes, b.peakGpuBytes),
    plannedGpuBytes: Math.max(a.plannedGpuBytes, b.plannedGpuBytes),
  };
}
