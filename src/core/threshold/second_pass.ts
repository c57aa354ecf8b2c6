import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import type { NearRows } from "../bank/choose_rows.ts";
import type { Backbone } from "../features/backbone.ts";
import type { FeatureExtractor } from "../features/extractor.ts";
import {
  type ExtractOptions,
  FeatureStream,
} from "../features/feature_stream.ts";
import type { SampledImage } from "../features/image_sample.ts";
import { allocateFeatures } from "../features/training_features.ts";
import {
  project,
  projectedBytes,
  type Projection,
} from "../rows/projection.ts";
import { nearestRows, nearestRowsBytes } from "../search/nearest_rows.ts";
import { BankSearch, searchBytes, type SearchSizes } from "../search/search.ts";
import { roundUp } from "../../wgsl/grid.ts";
import type { Settings } from "../settings/settings.ts";
import { findable } from "./calibrate.ts";
import {
  heldOutBytes,
  heldOutScores,
  layoutOf,
  type ScoringBank,
  type TrainingScore,
} from "./training_scores.ts";

/** What a second pass over training images works with. */
export interface SecondPassParts extends ScoringBank {
  /** The network. */
  readonly backbone: Backbone;
  /** Images to features. */
  readonly extractor: FeatureExtractor;
  /** The place of the one tile that counts of each image; by default all do. */
  readonly only?: number | undefined;
  /** Size of an image that all have to go with, `[width, height]`. */
  readonly like?: readonly [number, number] | undefined;
  /** What the bank's rows were chosen with. */
  readonly projection: Projection | undefined;
  /** Tiles that are scored together. */
  readonly block: number;
  /** Tiles of an image. */
  readonly tiles: number;
  /** Fold of each tile of the training images in all their views. */
  readonly folds: Uint32Array<ArrayBuffer>;
  /**
   * For each patch of all images, bank rows near it, where the choice of the bank
   * saw all patches; no radius is measured then.
   */
  readonly near: NearRows | undefined;
  /** Images whose worst patches are to be carried along. */
  readonly carry?: ReadonlySet<number>;
}

/** What a second pass over training images tells. */
export interface SecondPass {
  /** Scores of the tiles that have one; places are those of all images' tiles. */
  readonly scores: readonly TrainingScore[];
  /** Images that were scored. */
  readonly images: number;
  /**
   * The largest distance of one of their patches to the bank, in the space that
   * its rows were chosen in; `undefined` where it was not measured.
   */
  readonly radius: number | undefined;
}

/**
 * Extracts features of some training images once more, block by block, and
 * scores them without the bank rows of their folds: for banks that were made
 * without holding all features.
 */
export async function secondPass(
  gpu: Gpu,
  images: readonly SampledImage[],
  parts: SecondPassParts,
  options: ExtractOptions,
): Promise<SecondPass> {
  const { extractor } = parts;
  const { patches, paddedDim } = extractor.features;
  const { tiles } = parts;
  const block = Math.min(parts.block, images.length * tiles);
  using space = await ChoiceSpace.create(gpu, parts);
  using rows = allocateFeatures(gpu, block * patches, paddedDim, patches);
  const { onProgress: _, ...quiet } = options;
  const numbers = new Map(
    images.map(({ source, index }) => [{ ...source }, index]),
  );
  const feed = { images: numbers.keys(), count: images.length };
  using stream = new FeatureStream(
    gpu,
    parts,
    feed,
    quiet,
  );
  const scores: TrainingScore[] = [];
  let done = 0;
  let waiting: number[] = [];
  const score = async (): Promise<void> => {
    await stream.wait();
    const features = rows.head(waiting.length * patches);
    const numbered = Uint32Array.from(waiting);
    const carry = new Set(
      numbered.keys().filter((place) => parts.carry?.has(numbered[place]!)),
    );
    const masks = parts.settings.foreground.mask === "on"
      ? stream.masks.slice(done, done + waiting.length)
      : undefined;
    const found = await heldOutScores(gpu, parts, {
      ...{ rows: features, ...layoutOf(extractor), masks, tiles, carry },
      folds: numbered.map((image) => parts.folds[image]!),
      near: await space.look(features, numbered),
    });
    for (const { place, ...score } of found) {
      scores.push({ place: numbered[place]!, ...score });
    }
    gpu.pool.trim();
    done += waiting.length;
    waiting = [];
    const told = Math.floor(done / tiles);
    options.onProgress?.("threshold", told, images.length);
  };
  for (;;) {
    const batch = await stream.next();
    if (batch.length === 0 || waiting.length + batch.length > block) {
      if (waiting.length > 0) await score();
      if (batch.length === 0) break;
    }
    await stream.submit(batch, rows, waiting.length * patches);
    waiting.push(
      ...batch.map(({ image: { source }, order }) =>
        numbers.get(source)! + order
      ),
    );
  }
  return { scores, images: done / tiles, radius: space.radius };
}

/** A fold that no image is in: its queries find the bank's own rows, all of them. */
const NO_FOLD = 2 ** 30;

/** The space that a bank's rows were chosen in, where patches are compared. */
class ChoiceSpace implements Disposable {
  readonly #gpu: Gpu;
  readonly #parts: SecondPassParts;
  readonly #rows: RowChunks | undefined;
  readonly #search: BankSearch;
  #radius = 0;

  private constructor(
    gpu: Gpu,
    parts: SecondPassParts,
    rows: RowChunks | undefined,
    search: BankSearch,
  ) {
    this.#gpu = gpu;
    this.#parts = parts;
    this.#rows = rows;
    this.#search = search;
  }

  static async create(gpu: Gpu, parts: SecondPassParts): Promise<ChoiceSpace> {
    const { mended, projection, near } = parts;
    if (projection === undefined || near !== undefined) {
      return new ChoiceSpace(gpu, parts, undefined, mended.search);
    }
    using failed = new DisposableStack();
    const rows = failed.use(await project(gpu, mended.rows, projection));
    const { images } = mended;
    const projected = await BankSearch.create(gpu, rows, { images });
    failed.move();
    return new ChoiceSpace(gpu, parts, rows, projected);
  }

  get #measures(): boolean {
    const { near, settings } = this.#parts;
    return near === undefined && settings.coreset.method === "greedy";
  }

  /** The largest distance of a patch so far, where it is measured. */
  get radius(): number | undefined {
    return this.#measures ? this.#radius : undefined;
  }

  /** Measures patches, and finds a bank row near each that it may find. */
  async look(
    features: RowChunks,
    images: Uint32Array<ArrayBuffer>,
  ): Promise<Uint32Array<ArrayBuffer> | undefined> {
    const { extractor: { features: { patches } }, near, projection } =
      this.#parts;
    const { folds, mended } = this.#parts;
    const own = images.map((image) => folds[image]!);
    if (near) {
      const part = {
        rows: pickImages(near.rows, images, patches),
        others: pickImages(near.others, images, patches),
      };
      return findable(part, mended.images, own, patches);
    }
    const gpu = this.#gpu;
    using projected = this.#rows && await project(gpu, features, projection!);
    const points = projected ?? features;
    if (this.#measures) {
      const everyone = new Uint32Array(points.rows).fill(NO_FOLD);
      const { squared } = await nearestRows(gpu, points, this.#search, {
        images: everyone,
      });
      const radius = Math.sqrt(squared.reduce((a, b) => Math.max(a, b), 0));
      this.#radius = Math.max(this.#radius, radius);
    }
    if (projected === undefined) return undefined;
    const owners = Uint32Array.from(
      { length: features.rows },
      (_, row) => own[Math.floor(row / patches)]!,
    );
    const options = { images: owners };
    return (await nearestRows(gpu, points, this.#search, options)).rows;
  }

  [Symbol.dispose](): void {
    if (this.#rows === undefined) return;
    this.#search[Symbol.dispose]();
    this.#rows.dispose();
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

/**
 * GPU bytes of {@linkcode secondPass}, the bank and its search included.
 *
 * @param sizes The search.
 * @param settings How scores are made.
 * @param block Tiles that are scored together.
 * @param grid Patches of a tile, and pixels of its map.
 * @param space Elements of a feature in the space that rows were chosen in, where
 * distances there are measured: as given, or projected.
 */
export function secondPassBytes(
  sizes: SearchSizes,
  settings: Settings,
  block: number,
  grid: { readonly patches: number; readonly pixels: number },
  space?: { readonly projected: number | undefined },
): number {
  const { dim, rows } = sizes;
  const held = rows + block * grid.patches;
  const scoring = held * dim * 4 + searchBytes(sizes).bank +
    heldOutBytes(sizes, settings, block, grid);
  if (space === undefined) return scoring;
  const { projected } = space;
  if (projected === undefined) return scoring + nearestRowsBytes(sizes);
  const chosen = { ...sizes, dim: roundUp(projected, 4) };
  return scoring + projectedBytes(held, projected) +
    searchBytes(chosen).bank + nearestRowsBytes(chosen);
}
