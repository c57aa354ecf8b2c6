import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { MemoryBank } from "../bank/memory_bank.ts";
import { nearestRows } from "../search/nearest_rows.ts";
import { project, type Projection } from "../rows/projection.ts";
import { BankSearch } from "../search/search.ts";
import type { Settings } from "../settings/settings.ts";
import type { Backbone } from "../features/backbone.ts";
import { type LeftOutScore, mapInputs, scoreLeftOut } from "./calibrate.ts";
import { mapMaxima, neededFor } from "./map_maxima.ts";
import type { FeatureExtractor } from "../features/extractor.ts";
import {
  type ExtractOptions,
  FeatureStream,
} from "../features/feature_stream.ts";
import type { SampledImage } from "../features/image_sample.ts";
import { allocateFeatures } from "../features/training_features.ts";

/** What {@linkcode calibrateAgain} works with. */
export interface CalibratedFit {
  /** The network. */
  readonly backbone: Backbone;
  /** Images to features. */
  readonly extractor: FeatureExtractor;
  /** How scores are made. */
  readonly settings: Settings;
  /** The finished bank. */
  readonly bank: MemoryBank;
  /** Finds neighbours in it; knows the rows' images. */
  readonly search: BankSearch;
  /** What its rows were chosen with. */
  readonly projection: Projection | undefined;
  /** Images that are scored together. */
  readonly block: number;
  /**
   * For each patch of all images, a bank row of another image near it, where the
   * choice of the bank saw all patches; nothing is measured then.
   */
  readonly nearby?: Uint32Array<ArrayBuffer>;
}

/** What a second look at training images tells. */
export interface SecondLook {
  /** Leave-one-image-out scores, where the bank has rows of other images. */
  readonly scores: readonly LeftOutScore[];
  /**
   * The largest distance of one of their patches to the bank, in the space that
   * its rows were chosen in; `undefined` where it was not measured.
   */
  readonly radius: number | undefined;
  /** The largest pixels of their maps, as many as the quantile needs. */
  readonly maxima: readonly number[];
  /** Images that were measured. */
  readonly images: number;
  /** Seconds of decoding, backbone and patch features. */
  readonly seconds: FeatureStream["seconds"];
}

/**
 * Extracts features of some training images once more, block by block, and
 * scores them without the bank rows that come from them: for banks that were
 * made without holding all features.
 */
export async function calibrateAgain(
  gpu: Gpu,
  images: readonly SampledImage[],
  fit: CalibratedFit,
  options: ExtractOptions,
): Promise<SecondLook> {
  const { bank, extractor, nearby } = fit;
  const projection = nearby === undefined ? fit.projection : undefined;
  const { patches, paddedDim } = extractor.features;
  using scope = new DisposableStack();
  const projected = projection && scope.use(
    await project(gpu, bank.rows, projection),
  );
  const search = projected
    ? scope.use(
      await BankSearch.create(gpu, projected, { images: bank.images }),
    )
    : fit.search;
  const measured = nearby === undefined &&
    fit.settings.coreset.method === "greedy";
  const wanted = neededFor(
    fit.settings.threshold.mapQuantile,
    images.length,
  );
  const space = { search, projection, measured, wanted };
  const block = Math.min(fit.block, images.length);
  const rows = scope.use(
    allocateFeatures(gpu, block * patches, paddedDim, patches),
  );
  const { onProgress: _, ...quiet } = options;
  const numbers = new Map(
    images.map(({ source, index }) => [{ ...source }, index]),
  );
  const feed = { images: numbers.keys(), count: images.length };
  using stream = new FeatureStream(gpu, fit, feed, quiet);
  const scores: LeftOutScore[] = [];
  let maxima: number[] = [];
  let radius = 0;
  let done = 0;
  let waiting: number[] = [];
  const score = async (): Promise<void> => {
    await stream.wait();
    const features = rows.head(waiting.length * patches);
    const numbered = Uint32Array.from(waiting);
    const floor = maxima[wanted - 1] ?? 0;
    const look = await lookAt(gpu, features, numbered, fit, {
      ...space,
      floor,
    });
    scores.push(...look.scores);
    maxima = [...maxima, ...look.maxima].sort((a, b) => b - a)
      .slice(0, wanted);
    radius = Math.max(radius, look.radius);
    gpu.pool.trim();
    done += waiting.length;
    waiting = [];
    options.onProgress?.("threshold", done, images.length);
  };
  for (;;) {
    const batch = await stream.next();
    if (batch.length === 0 || waiting.length + batch.length > block) {
      if (waiting.length > 0) await score();
      if (batch.length === 0) break;
    }
    await stream.submit(batch, rows, waiting.length * patches);
    waiting.push(...batch.map(({ source }) => numbers.get(source)!));
  }
  return {
    scores,
    maxima,
    radius: measured ? radius : undefined,
    images: done,
    seconds: stream.seconds,
  };
}

/** Scores one block of images. */
async function lookAt(
  gpu: Gpu,
  features: RowChunks,
  images: Uint32Array<ArrayBuffer>,
  { bank, search, settings, extractor, nearby }: CalibratedFit,
  space: {
    readonly search: BankSearch;
    readonly projection: Projection | undefined;
    readonly measured: boolean;
    readonly wanted: number;
    readonly floor: number;
  },
): Promise<
  { scores: LeftOutScore[]; maxima: readonly number[]; radius: number }
> {
  const { patches } = extractor.features;
  const { projection } = space;
  const projected = projection && await project(gpu, features, projection);
  try {
    const points = projected ?? features;
    const { squared } = space.measured
      ? await nearestRows(gpu, points, space.search)
      : { squared: new Float32Array() };
    const owners = Uint32Array.from(
      { length: features.rows },
      (_, row) => images[Math.floor(row / patches)],
    );
    const others = nearby !== undefined
      ? pickImages(nearby, images, patches)
      : projected &&
        (await nearestRows(gpu, points, space.search, { images: owners })).rows;
    const inputs = {
      features,
      patches,
      images,
      bank: bank.rows,
      search,
      settings,
      ...(others && { nearby: others }),
    };
    const scores = await scoreLeftOut(gpu, inputs);
    const { maxima } = await mapMaxima(gpu, {
      ...mapInputs(inputs, extractor),
      known: scores.map(({ place }) => place),
      wanted: space.wanted,
      floor: space.floor,
    });
    const radius = squared.reduce((most, value) => Math.max(most, value), 0);
    return { scores, maxima, radius: Math.sqrt(radius) };
  } finally {
    projected?.dispose();
  }
}

/** The values of some images' patches, of those of all. */
function pickImages(
  values: Uint32Array<ArrayBuffer>,
  images: Uint32Array<ArrayBuffer>,
  patches: number,
): Uint32Array<ArrayBuffer> {
  const picked = new Uint32Array(images.length * patches);
  images.forEach((image, i) => {
    const first = image * patches;
    picked.set(values.subarray(first, first + patches), i * patches);
  });
  return picked;
}
