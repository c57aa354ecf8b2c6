import type { Gpu } from "../../../gpu/mod.ts";
import { patchOf } from "../../bank/tile_origins.ts";
import { isTooLarge } from "../../features/batch_too_large.ts";
import {
  ImageBatches,
  type LoadedImage,
} from "../../features/image_batches.ts";
import type { ImageSources } from "../../features/image_source.ts";
import { reportImageError, type WorkOptions } from "../../features/progress.ts";
import { type Tile, tilesOf } from "../../features/tile.ts";
import type { Pixels } from "../../images/pixels.ts";
import { planTileOf, tileCounts } from "../../images/tiles.ts";
import type { StoredModel } from "../../model/stored_model.ts";
import type { Limits } from "../../score/verdict.ts";
import { checkFiniteResult } from "../../score/finite_result.ts";
import type { Settings } from "../../settings/settings.ts";
import {
  BatchPredictor,
  type PredictorParts,
  type ScoredTile,
} from "./batch_predictor.ts";
import { judgedMap, judgeMapped } from "./judge_mapped.ts";
import { type View, viewsOf } from "../../images/views.ts";
import { type Box, patchBox, type Prediction } from "./prediction.ts";
import { SeenImage } from "./seen_image.ts";
import { Turns } from "./turns.ts";

/** What a prediction tells of the model beside its scores. */
type DescribedModel = Pick<
  StoredModel,
  "origin" | "originView" | "imageNames" | "imageSizes"
>;

interface RunningBatch {
  /** Those that count; the batch may be filled up with one of them. */
  readonly tiles: readonly Tile[];
  /** Milliseconds until it was submitted. */
  readonly ms: number;
  /** Its results, read back when they are asked for the first time. */
  readonly scored: () => Promise<readonly ScoredTile[]>;
}

/**
 * Scores images with a fitted model. Any number of predictions may be under way
 * at a time: they take turns batch by batch.
 */
export class Predictor {
  readonly #gpu: Gpu;
  readonly #parts: PredictorParts;
  readonly #model: DescribedModel;
  readonly #settings: Settings;
  readonly #views: readonly View[];
  #batch: number;
  readonly #turns: Turns;
  readonly #predictors = new Map<number, BatchPredictor>();
  #running: RunningBatch | undefined;
  #isTuned = false;
  #isRetired = false;

  /**
   * @param gpu The device that the parts are on.
   * @param parts What scores are made with; they stay their owner's.
   * @param model What is told of a patch beside its score.
   * @param settings The settings that the model was fitted with.
   * @param batch Tiles of a batch, if the adapter binds as many.
   * @param turns Who may use the parts.
   */
  constructor(
    gpu: Gpu,
    parts: PredictorParts,
    model: DescribedModel,
    settings: Settings,
    batch: number,
    turns: Turns = new Turns(),
  ) {
    this.#gpu = gpu;
    this.#parts = parts;
    this.#model = model;
    this.#settings = settings;
    this.#views = viewsOf(settings.augment);
    this.#batch = Math.min(batch, parts.extractor.maxImages);
    this.#turns = turns;
  }

  /** Scores images in order; the GPU works on a batch while the next is decoded. */
  async *predict(
    images: ImageSources,
    options: WorkOptions,
    limits: Limits,
  ): AsyncGenerator<Prediction> {
    const { extractor } = this.#parts;
    const settings = this.#settings;
    const batches = new ImageBatches(images, {
      ...options,
      batch: settings.tiles === undefined ? this.#batch : 1,
      range: settings.range,
      check: (pixels) => {
        extractor.check(pixels);
        this.#checkPlaces(pixels);
      },
    });
    const open = new Map<LoadedImage, SeenImage>();
    let running: RunningBatch | undefined;
    for await (const batch of batches) {
      const tiles = batch.flatMap((image) => tilesOf(image, settings));
      while (tiles.length > 0) {
        if (running !== undefined) {
          const seen = this.#seen(await this.#collect(running), open);
          yield* this.#judged(seen, options, limits);
          if (!this.#isTuned) await this.tune();
        }
        running = await this.#turn(() => this.#submit(tiles));
        tiles.splice(0, running.tiles.length);
      }
    }
    if (running !== undefined) {
      const seen = this.#seen(await this.#collect(running), open);
      yield* this.#judged(seen, options, limits);
    }
  }

  /**
   * Checks that an image has the tiles that the model has banks for.
   *
   * @throws {RangeError} If it has others.
   */
  #checkPlaces(image: Pixels): void {
    if (this.#settings.tiles?.banks !== "position") return;
    const [width = 1, height = 1] = this.#model.imageSizes;
    const [rows, columns] = tileCounts(image, this.#settings);
    const known = tileCounts({ width, height }, this.#settings);
    if (rows === known[0] && columns === known[1]) return;
    throw new RangeError(
      `Cannot use an image of ${image.width} × ${image.height} pixels: it has ${columns} × ${rows} tiles, and the model has a bank for each of ${
        known[1]
      } × ${
        known[0]
      }; inspect images of ${width} × ${height}, or fit with one bank for all tiles`,
    );
  }

  /**
   * Measures which kernels are the best for batches of the sizes that there were
   * and takes those from now on; no score changes by that. A prediction does so
   * by itself between its first and its second batch, so that no first image
   * waits for it.
   */
  async tune(): Promise<void> {
    await this.#turn(async () => {
      await this.#running?.scored().catch(() => {});
      for (const [tiles, predictor] of this.#predictors) {
        if (!await this.#parts.extractor.tune(tiles)) continue;
        predictor[Symbol.dispose]();
        this.#predictors.delete(tiles);
        this.#parts.extractor.release(tiles);
      }
      this.#isTuned = true;
    });
  }

  /**
   * From now on a batch is refused: the model is going to be replaced.
   * Predictions that are under way end with an error.
   */
  retire(): void {
    this.#isRetired = true;
  }

  async #turn<T>(work: () => Promise<T>): Promise<T> {
    this.#checkUse();
    return await this.#turns.take(() => {
      this.#checkUse();
      return work();
    });
  }

  #checkUse(): void {
    if (!this.#isRetired) return;
    throw new TypeError(
      "Cannot go on with a prediction: the detector was fitted anew or disposed of since it began; start it again",
    );
  }

  /** Submits as many of the tiles as go in one batch, from the first. */
  async #submit(waiting: readonly Tile[]): Promise<RunningBatch> {
    // Its results lie where those of this batch are going to.
    await this.#running?.scored().catch(() => {});
    const start = performance.now();
    const { predictor, size } = await this.#predictor(waiting.length);
    const tiles = waiting.slice(0, size);
    const [first] = tiles as [Tile];
    const filled = Array.from({ length: size }, (_, i) => tiles[i] ?? first);
    const batch = await predictor.submit(filled);
    let scored: Promise<readonly ScoredTile[]> | undefined;
    return this.#running = {
      tiles,
      ms: performance.now() - start,
      scored: () => scored ??= batch.collect(),
    };
  }

  async #collect(running: RunningBatch): Promise<[Tile, ScoredTile, number][]> {
    const { tiles, ms } = running;
    const start = performance.now();
    const scored = await this.#turn(() => running.scored());
    if (this.#running === running) this.#running = undefined;
    const share = (ms + performance.now() - start) / tiles.length;
    return tiles.map((tile, i) => [tile, scored[i]!, share]);
  }

  /** Adds tiles to what is known of their images; those that are complete. */
  #seen(
    tiles: readonly [Tile, ScoredTile, number][],
    open: Map<LoadedImage, SeenImage>,
  ): SeenImage[] {
    const { extractor: { input } } = this.#parts;
    return tiles.flatMap(([tile, scored, share]) => {
      const seen = open.get(tile.image) ??
        new SeenImage(tile, input, this.#settings);
      if (!seen.add(tile.place, scored, share)) {
        open.set(tile.image, seen);
        return [];
      }
      open.delete(tile.image);
      return [seen];
    });
  }

  /** Tells of images whose score or map says nothing, and judges the others. */
  *#judged(
    images: readonly SeenImage[],
    options: WorkOptions,
    limits: Limits,
  ): Generator<Prediction> {
    for (const seen of images) {
      let prediction: Prediction;
      try {
        prediction = this.#describe(seen, limits);
      } catch (error) {
        reportImageError(seen.image.source.name, error, options);
        continue;
      }
      yield prediction;
    }
  }

  /**
   * What scores so many tiles at a time, or evenly fewer: where the adapter does
   * not bind as many, half of them, and so on.
   */
  async #predictor(
    tiles: number,
  ): Promise<{ readonly predictor: BatchPredictor; readonly size: number }> {
    for (;;) {
      const size = Math.ceil(tiles / Math.ceil(tiles / this.#batch));
      const known = this.#predictors.get(size);
      if (known !== undefined) return { predictor: known, size };
      try {
        const predictor = await BatchPredictor.create(
          this.#gpu,
          this.#parts,
          size,
        );
        this.#predictors.set(size, predictor);
        return { predictor, size };
      } catch (error) {
        if (size === 1 || !isTooLarge(error)) throw error;
        this.#parts.extractor.release(size);
        this.#gpu.pool.trim();
        this.#batch = Math.ceil(size / 2);
      }
    }
  }

  /** Puts what came back from the GPU into the terms of the original image. */
  #describe(seen: SeenImage, limits: Limits): Prediction {
    const { image: { source, pixels, ms: decode }, score, times } = seen;
    const { worstPatch, nearestRow, geometry: tile, unseen } = seen.worst;
    checkFiniteResult(source.name, { score, map: seen.map.data, unseen });
    const { height, width } = this.#parts.extractor.features;
    const { geometry } = seen;
    const map = judgedMap({ ...seen.map, geometry }, unseen, limits);
    return {
      name: source.name,
      image: pixels,
      score,
      ...judgeMapped(score, map, limits),
      threshold: limits.score,
      uncertainFrom: limits.uncertainFrom,
      worstPatch: {
        ...patchBox(worstPatch, [height, width], tile),
        nearest: this.#nearest(nearestRow),
      },
      map,
      ms: {
        decode,
        trunk: times?.trunk ?? null,
        patches: times?.patches ?? null,
        search: times?.search ?? null,
        map: times?.map ?? null,
        total: decode + seen.milliseconds,
      },
    };
  }

  /** Where a bank row comes from. */
  #nearest(row: number): Prediction["worstPatch"]["nearest"] {
    const { origin, originView, imageNames, imageSizes } = this.#model;
    const { features } = this.#parts.extractor;
    const [image, down, across] = origin.subarray(3 * row);
    const [width, height] = imageSizes.subarray(2 * image!);
    const size = { width: width!, height: height! };
    const view = this.#views[originView?.[row] ?? 0]!;
    const [, columns] = tileCounts(size, this.#settings);
    const { place, patch } = patchOf(down!, across!, columns, features);
    const { geometry } = planTileOf(width!, height!, this.#settings, place);
    const box = patchBox(patch, [features.height, features.width], geometry);
    return {
      image: imageNames[image!]!,
      box: boxInImage(box, view, [width!, height!]),
      ...(view.name !== "" && { view: view.name }),
    };
  }

  /** Frees what was recorded, not the parts. */
  [Symbol.dispose](): void {
    for (const predictor of this.#predictors.values()) {
      predictor[Symbol.dispose]();
    }
    this.#predictors.clear();
  }
}

/**
 * The box of a patch of a view in the image itself: of the same size, around the
 * same place, and inside the image.
 *
 * @param size Width and height of the image.
 */
function boxInImage(
  box: Box,
  { name, placeInImage }: View,
  size: readonly [number, number],
): Box {
  if (name === "") return box;
  const { width, height } = box;
  const [x, y] = placeInImage(box.x + width / 2, box.y + height / 2, size);
  const inside = (place: number, length: number, all: number): number =>
    Math.max(0, Math.min(place - length / 2, all - length));
  return {
    x: inside(x, width, size[0]),
    y: inside(y, height, size[1]),
    width,
    height,
  };
}
