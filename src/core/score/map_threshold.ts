import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import {
  type LeaveOneImageOutInputs,
  PatchSearch,
  type Threshold,
  thresholdOf,
} from "../bank/threshold.ts";
import { pairDistances } from "../bank/upper_bounds.ts";
import type { BandTable } from "../features/band_table.ts";
import type { MapSettings } from "../settings/settings.ts";
import { AnomalyMaps } from "./anomaly_map.ts";
import { mapWeights } from "./map_weights.ts";

/** Patches that are searched at a time. */
const BATCH = 64;

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
  const open: BoundedMap[] = [];
  for (const image of known) {
    open.push({ image, ...await maps.largest(scores, image) });
  }
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
    Object.assign(top, await maps.largest(scores, top.image));
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
  readonly #scores: Tensor;
  readonly #map: Tensor;
  readonly #maps: AnomalyMaps;
  readonly #program: Program;
  readonly #rows: BandTable;
  readonly #columns: BandTable;

  private constructor(gpu: Gpu, inputs: MapThresholdInputs) {
    const { patches, grid, size, map } = inputs;
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#rows = mapWeights(grid[0], size[0], map);
    this.#columns = mapWeights(grid[1], size[1], map);
    this.#scores = gpu.tensor([patches], "f32", "patch scores");
    this.#map = gpu.tensor([1, ...size], "f32", "anomaly map");
    this.#maps = new AnomalyMaps(gpu, { grid, size, maxImages: 1 }, map);
    this.#program = gpu.program("anomaly map of a training image");
    this.#maps.record(this.#program, this.#scores, this.#map);
  }

  static async create(
    gpu: Gpu,
    inputs: MapThresholdInputs,
  ): Promise<LeftOutMaps> {
    const maps = new LeftOutMaps(gpu, inputs);
    await maps.#program.compile();
    return maps;
  }

  /** The largest pixel of an image's map, the first of equals. */
  async largest(
    scores: Float32Array,
    image: number,
  ): Promise<{ maximum: number; pixel: number }> {
    const { patches } = this.#inputs;
    const start = image * patches;
    this.#gpu.write(this.#scores, scores.slice(start, start + patches));
    this.#program.run();
    const map = await this.#gpu.readFloats(this.#map);
    let pixel = 0;
    for (let i = 1; i < map.length; i++) if (map[i] > map[pixel]) pixel = i;
    return { maximum: map[pixel], pixel };
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
    this.#program.dispose();
    this.#maps.dispose();
    this.#scores.dispose();
    this.#map.dispose();
  }
}

/** Points with a weight in an output of a band table. */
function pointsOf({ blocks, weights }: BandTable, output: number): number[] {
  const block = output >> 3;
  const [first, count, start] = blocks.subarray(block * 4, block * 4 + 3);
  return Array.from({ length: count }, (_, i) => first + i)
    .filter((_, i) => weights[start * 4 + i * 8 + output % 8] !== 0);
}
