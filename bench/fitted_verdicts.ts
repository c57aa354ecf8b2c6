/**
 * Fits to any images of a data set whose features are extracted once, and what
 * the thresholds that follow from them say of other images.
 *
 * @module
 */
import { DISK } from "../src/cli/disk.ts";
import { chooseBank } from "../src/core/bank/choose_rows.ts";
import type { MemoryBank } from "../src/core/bank/memory_bank.ts";
import { MendedBank } from "../src/core/bank/mended_bank.ts";
import type { Sample } from "../src/core/datasets/dataset.ts";
import { baseName } from "../src/core/datasets/files.ts";
import { readDataset } from "../src/core/datasets/read_dataset.ts";
import { FeatureScorer } from "../src/core/detector/predict/batch_predictor.ts";
import {
  featuresOfImages,
  sourcesOf,
} from "../src/core/evaluation/features_of.ts";
import type { Backbone } from "../src/core/features/backbone.ts";
import {
  extractTrainingFeatures,
  type TrainingFeatures,
} from "../src/core/features/training_features.ts";
import { limitsOf } from "../src/core/model/thresholds.ts";
import { ImageScores } from "../src/core/score/image_score.ts";
import { BankSearch } from "../src/core/search/search.ts";
import type { Settings } from "../src/core/settings/settings.ts";
import {
  calibrate,
  thresholdsOf,
  type TrainingRecord,
} from "../src/core/threshold/calibrate.ts";
import { type Folds, foldsByName } from "../src/core/threshold/folds.ts";
import type { Gpu } from "../src/gpu/mod.ts";

/** Images decoded, and scored, at a time. */
const BATCH = 8;

/** Features of all images of a data set, and which of them are what. */
export interface ImageSet {
  readonly name: string;
  readonly features: TrainingFeatures;
  /** Good images to train, good and defective ones to test, by index. */
  readonly train: readonly number[];
  readonly good: readonly number[];
  readonly defective: readonly number[];
}

/** What a fit gives of an image. */
export interface Scored {
  readonly score: number;
  readonly maximum: number;
}

/** A fit, from which the thresholds of any rate follow. */
export interface Fitted {
  readonly record: TrainingRecord;
  readonly folds: Folds;
  /** In the order in which they were asked for. */
  readonly scored: readonly Scored[];
}

/** Verdicts of a fit at a rate, as shares. */
export interface Verdicts {
  readonly rate: number;
  /** Good images that are called anomalous, or whose map has a contour. */
  readonly alarms: number;
  readonly mapAlarms: number;
  /** Defective images likewise. */
  readonly found: number;
  readonly mapFound: number;
  /** Images whose verdict goes with their map. */
  readonly agreement: number;
  readonly f1: number;
  /** Training images that did not count. */
  readonly odd: number;
}

/**
 * Extracts the features of a data set's images.
 *
 * @param backbone The network, tapped at the settings' layers.
 * @param settings Input geometry and features.
 * @param folder The data set; of several categories the first counts.
 */
export async function imageSet(
  gpu: Gpu,
  backbone: Backbone,
  settings: Settings,
  folder: string,
): Promise<ImageSet> {
  const [category] = await readDataset(DISK, folder);
  const { train, test } = category!;
  const samples: Sample[] = [...train, ...test];
  const features = await extractTrainingFeatures(
    gpu,
    backbone,
    settings,
    sourcesOf(samples, DISK),
    { batch: BATCH },
  );
  const tested = Array.from(test.keys(), (place) => train.length + place);
  const isGood = (image: number): boolean => samples[image]!.label === "normal";
  return {
    name: baseName(folder),
    features,
    train: Array.from(train.keys()),
    good: tested.filter(isGood),
    defective: tested.filter((image) => !isGood(image)),
  };
}

/** Fits a bank to some images, scores them held out, and others as new ones. */
export async function fit(
  gpu: Gpu,
  { features }: ImageSet,
  settings: Settings,
  images: {
    readonly train: readonly number[];
    readonly score: readonly number[];
  },
): Promise<Fitted> {
  using train = await featuresOfImages(
    gpu,
    features,
    Uint32Array.from(images.train),
  );
  const folds = foldsByName(train.names, settings.seed);
  const chosen = await chooseBank(gpu, train, settings, folds.folds, {});
  using bank = chosen.bank;
  using mended = await MendedBank.create(
    gpu,
    bank,
    (image) => folds.folds[image]!,
    chosen.mends,
  );
  const record = await calibrate(
    gpu,
    train,
    { mended, folds, near: chosen.near },
    settings,
    {},
  );
  const scored = await scoresOf(gpu, features, bank, settings, images.score);
  return { record, folds, scored };
}

/** Scores images as a prediction does, from their features. */
async function scoresOf(
  gpu: Gpu,
  { rows, extractor }: TrainingFeatures,
  bank: MemoryBank,
  settings: Settings,
  images: readonly number[],
): Promise<Scored[]> {
  const { patches } = extractor.features;
  using search = await BankSearch.create(gpu, bank.rows);
  const parts = {
    ...{ extractor, search },
    scores: new ImageScores(gpu, bank.rows, search, settings),
    mapSettings: settings.map,
    masksGround: settings.foreground.mask === "on",
  };
  using queries = gpu.tensor([BATCH * patches, rows.dim], "f32", "queries");
  gpu.clear(queries);
  using scorer = new FeatureScorer(gpu, parts, queries, BATCH);
  for (const program of scorer.programs) await program.compile();
  const count = patches * rows.dim;
  const scored: Scored[] = [];
  for (let first = 0; first < images.length; first += BATCH) {
    const batch = images.slice(first, first + BATCH);
    batch.forEach((image, i) => {
      const { chunk, row } = rows.locate(image * patches);
      gpu.copy(rows.chunks[chunk]!, queries, {
        fromOffset: row * rows.dim,
        toOffset: i * count,
        count,
      });
    });
    gpu.submit(scorer.programs);
    const [found] = await scorer.read(batch.length);
    for (const { score, map } of found) {
      const maximum = map.reduce((most, pixel) => Math.max(most, pixel));
      scored.push({ score, maximum });
    }
  }
  return scored;
}

/**
 * What the thresholds of each rate say.
 *
 * @param settings Those of the fit, whatever rate they have.
 * @param rates Promised shares of false alarms.
 * @param good How many of the scored images are good: the first ones.
 */
export function verdicts(
  { record, folds, scored }: Fitted,
  settings: Settings,
  { rates, good }: { readonly rates: readonly number[]; readonly good: number },
): Verdicts[] {
  return rates.map((falseAlarms) => {
    const threshold = { ...settings.threshold, falseAlarms };
    const made = thresholdsOf(record, { ...settings, threshold }, { folds });
    const { score: least, map: leastPixel } = limitsOf({
      threshold: made.threshold,
      mapThreshold: made.mapThreshold,
    });
    if (least === null || leastPixel === null) {
      throw new Error("Cannot judge: the fit has no threshold");
    }
    const flagged = scored.map(({ score }) => score >= least);
    const marked = scored.map(({ maximum }) => maximum >= leastPixel);
    const [alarms, found] = [flagged.slice(0, good), flagged.slice(good)];
    const [wrong, right] = [alarms, found].map((list) =>
      list.filter(Boolean).length
    ) as [number, number];
    return {
      rate: falseAlarms,
      alarms: share(alarms),
      mapAlarms: share(marked.slice(0, good)),
      found: share(found),
      mapFound: share(marked.slice(good)),
      agreement: share(flagged.map((is, i) => is === marked[i])),
      f1: 2 * right / (right + wrong + found.length),
      odd: made.odd.length,
    };
  });
}

function share(list: readonly boolean[]): number {
  return list.filter(Boolean).length / list.length;
}
