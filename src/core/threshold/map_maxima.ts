import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import {
  type LeaveOneImageOutInputs,
  PatchSearch,
  type Threshold,
  thresholdOf,
} from "./leave_one_out.ts";
import { pairDistances } from "../rows/pair_distances.ts";
import type { BandTable } from "../features/band_table.ts";
import type { MapSettings } from "../settings/settings.ts";
import { imageMax } from "../../wgsl/image_max.ts";
import { AnomalyMaps } from "../score/anomaly_map.ts";
import { mapWeights } from "../score/map_weights.ts";

/** Patches that are searched at a time. */
const BATCH = 64;

/** Pixels of the maps that are made at a time, if one is not more. */
const MAP_PIXELS = 2 ** 18;

/** Bounds and scores are sums in different orders. */
const MORE_THAN_ROUNDING = 1.00001;

/** Larger than any score, and small enough to be summed. */
const UNBOUNDED = 1e30;

/** What {@linkcode mapThreshold} works on. */
export interface MapThresholdInputs extends LeaveOneImageOutInputs {
  /** Places of the images that count: those with bank rows of another image. */
  readonly known: readonly number[];
  /** Patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** Size of the maps, `[height, width]` in pixels. */
  readonly size: readonly [number, number];
  /** How patch scores become maps. */
  readonly map: MapSettings;
  /** Quantile of the maps' largest pixels, 0 to 1; 1 is the maximum. */
  readonly quantile: number;
  /** What the quantile is multiplied with. */
  readonly factor: number;
}

/** What {@linkcode mapThreshold} finds. */
export interface MapThreshold extends Threshold {
  /** Patches that were searched in the whole bank. */
  readonly searched: number;
}

/** What {@linkcode mapMaxima} works on. */
export interface MapMaximaInputs extends MapThresholdInputs {
  /**
   * How many of the largest maxima are wanted; by default as many as the
   * quantile needs.
   */
  readonly wanted?: number;
  /** Only maxima above this are wanted; 0 by default. */
  readonly floor?: number;
}

/** What {@linkcode mapMaxima} finds. */
export interface MapMaxima {
  /** The largest maxima, in no order. */
  readonly maxima: readonly number[];
  /** Patches that were searched in the whole bank. */
  readonly searched: number;
}

/** A training image whose map is known but for some patches' upper bounds. */
interface BoundedMap {
  readonly image: number;
  /** The largest pixel. */
  maximum: number;
  /** Where it is. */
  pixel: number;
}

/**
 * The value at and above which a pixel of an anomaly map is anomalous: every
 * training image is scored against the bank without its own rows and becomes a
 * map as a new image would; the quantile of the maps' largest pixels, times a
 * factor, is the threshold.
 *
 * Exact, yet few patches are searched where `nearby` is given: upsampling and
 * smoothing keep the order of scores, so a map of upper bounds bounds the map.
 * The image with the largest pixel is taken each time; that pixel is the image's
 * maximum if its patches were searched already, else they are searched now.
 */
export async function mapThreshold(
  gpu: Gpu,
  inputs: MapThresholdInputs,
): Promise<MapThreshold> {
  const { maxima, searched } = await mapMaxima(gpu, inputs);
  const below = new Float32Array(inputs.known.length - maxima.length);
  return { ...thresholdOf([...maxima, ...below], inputs), searched };
}

/** The largest of so many values that a quantile depends on. */
export function neededFor(quantile: number, count: number): number {
  return count - Math.floor((count - 1) * quantile);
}

/**
 * The largest pixels of the maps of training images, each scored without its
 * own rows; see {@linkcode mapThreshold}.
 */
export async function mapMaxima(
  gpu: Gpu,
  inputs: MapMaximaInputs,
): Promise<MapMaxima> {
  const { known, quantile, onProgress, floor = 0 } = inputs;
  if (known.length === 0) return { maxima: [], searched: 0 };
  const wanted = inputs.wanted ?? neededFor(quantile, known.length);
  const scores = await boundsOf(gpu, inputs);
  const isExact = new Uint8Array(scores.length);
  using maps = await LeftOutMaps.create(gpu, inputs);
  using search = await PatchSearch.create(gpu, inputs, BATCH);
  const open = await maps.largest(scores, known);
  const maxima: number[] = [];
  let searched = 0;
  while (maxima.length < wanted && open.length > 0) {
    const top = open.reduce((a, b) => b.maximum > a.maximum ? b : a);
    if (top.maximum < floor) break;
    const work = maps.patchesOf(top)
      .filter((patch) => isExact[patch] === 0);
    if (work.length === 0) {
      maxima.push(top.maximum);
      open.splice(open.indexOf(top), 1);
      onProgress?.(maxima.length, wanted);
      continue;
    }
    for (let start = 0; start < work.length; start += BATCH) {
      const batch = work.slice(start, start + BATCH);
      const found = await search.run(batch);
      batch.forEach((patch, i) => {
        scores[patch] = found.scores[i];
        isExact[patch] = 1;
      });
    }
    searched += work.length;
    const [now] = await maps.largest(scores, [top.image]);
    Object.assign(top, now);
  }
  return { maxima, searched };
}

/** For each patch, what its score does not exceed. */
async function boundsOf(
  gpu: Gpu,
  inputs: MapThresholdInputs,
): Promise<Float32Array> {
  const { features, bank, nearby, neighbours = 1, squared = false } = inputs;
  if (nearby === undefined || neighbours > 1) {
    return new Float32Array(features.rows).fill(UNBOUNDED);
  }
  const distances = await pairDistances(gpu, features, bank, nearby);
  return distances.map((distance) => {
    const score = squared ? distance : Math.sqrt(distance);
    return Math.min(score * MORE_THAN_ROUNDING, UNBOUNDED);
  });
}

/** Makes the maps of training images and knows what they are made of. */
class LeftOutMaps implements Disposable {
  readonly #gpu: Gpu;
  readonly #inputs: MapThresholdInputs;
  readonly #images: number;
  readonly #scores: Tensor;
  readonly #map: Tensor;
  readonly #pixels: Tensor;
  readonly #maxima: Tensor;
  readonly #places: Tensor;
  readonly #nearest: Tensor;
  readonly #maps: AnomalyMaps;
  readonly #one: Program;
  readonly #all: Program;
  readonly #rows: BandTable;
  readonly #columns: BandTable;

  private constructor(gpu: Gpu, inputs: MapThresholdInputs) {
    const { patches, grid, size, map, known } = inputs;
    const pixels = size[0] * size[1];
    const together = Math.max(1, Math.floor(MAP_PIXELS / pixels));
    const images = Math.min(together, known.length);
    this.#gpu = gpu;
    this.#images = images;
    this.#inputs = inputs;
    this.#rows = mapWeights(grid[0], size[0], map);
    this.#columns = mapWeights(grid[1], size[1], map);
    this.#scores = gpu.tensor([images, patches], "f32", "patch scores");
    this.#map = gpu.tensor([images, ...size], "f32", "anomaly maps");
    this.#pixels = gpu.tensor([images, pixels], "u32", "pixels of maps");
    this.#maxima = gpu.tensor([images], "f32", "largest pixels");
    this.#places = gpu.tensor([images], "u32", "places of largest pixels");
    this.#nearest = gpu.tensor([images], "u32", "unused");
    this.#maps = new AnomalyMaps(gpu, { grid, size, maxImages: images }, map);
    this.#one = this.#record(1);
    this.#all = this.#record(images);
  }

  #record(images: number): Program {
    const program = this.#gpu.program("anomaly maps of training images");
    this.#maps.record(program, this.#scores, this.#map, images);
    const { size } = this.#inputs;
    // A map's largest pixel is found as an image's worst patch is.
    return program.dispatch(imageMax, {
      images,
      patches: size[0] * size[1],
      neighbours: 1,
      used: 1,
      squared: true,
    }, {
      distances: this.#map,
      indices: this.#map,
      patch_scores: this.#pixels,
      scores: this.#maxima,
      worst: this.#places,
      nearest: this.#nearest,
    }, "maps");
  }

  static async create(
    gpu: Gpu,
    inputs: MapThresholdInputs,
  ): Promise<LeftOutMaps> {
    const maps = new LeftOutMaps(gpu, inputs);
    await maps.#one.compile();
    await maps.#all.compile();
    return maps;
  }

  /** The largest pixels of images' maps, the first of equals. */
  async largest(
    scores: Float32Array,
    images: readonly number[],
  ): Promise<BoundedMap[]> {
    const { patches, size } = this.#inputs;
    const found: BoundedMap[] = [];
    for (let start = 0; start < images.length; start += this.#images) {
      const batch = images.slice(start, start + this.#images);
      const values = new Float32Array(batch.length * patches);
      batch.forEach((image, i) => {
        const first = image * patches;
        values.set(scores.subarray(first, first + patches), i * patches);
      });
      this.#gpu.write(this.#scores, values);
      (batch.length === 1 ? this.#one : this.#all).run();
      const [maxima, places] = await this.#gpu.readAll([
        this.#maxima,
        this.#places,
      ]);
      batch.forEach((image, i) => {
        const pixel = places![i]! - i * size[0] * size[1];
        found.push({ image, maximum: maxima![i]!, pixel });
      });
    }
    return found;
  }

  /** The patches that make a pixel; all of the image if it has no bounds. */
  patchesOf({ image, maximum, pixel }: BoundedMap): number[] {
    const { patches, grid, size } = this.#inputs;
    const first = image * patches;
    if (maximum > UNBOUNDED / 2) {
      return Array.from({ length: patches }, (_, i) => first + i);
    }
    const columns = pointsOf(this.#columns, pixel % size[1]);
    return pointsOf(this.#rows, Math.floor(pixel / size[1])).flatMap((row) =>
      columns.map((column) => first + row * grid[1] + column)
    );
  }

  [Symbol.dispose](): void {
    this.#one.dispose();
    this.#all.dispose();
    this.#maps.dispose();
    for (
      const tensor of [
        this.#scores,
        this.#map,
        this.#pixels,
        this.#maxima,
        this.#places,
        this.#nearest,
      ]
    ) tensor.dispose();
  }
}

/** Points with a weight in an output of a band table. */
function pointsOf({ blocks, weights }: BandTable, output: number): number[] {
  const block = output >> 3;
  const [first, count, start] = blocks.subarray(block * 4, block * 4 + 3);
  return Array.from({ length: count }, (_, i) => first + i)
    .filter((_, i) => weights[start * 4 + i * 8 + output % 8] !== 0);
}
