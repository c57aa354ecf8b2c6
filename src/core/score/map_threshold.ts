import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import { imageMax } from "../../wgsl/image_max.ts";
import { recordGather } from "../bank/gather.ts";
import type { RecordedSearch } from "../bank/search.ts";
import {
  type LeaveOneImageOutInputs,
  type Threshold,
  thresholdOf,
} from "../bank/threshold.ts";
import { pairDistances } from "../bank/upper_bounds.ts";
import type { MapSettings, ThresholdSettings } from "../settings/settings.ts";
import { AnomalyMaps } from "./anomaly_map.ts";

/** Bounds and scores are sums in different orders. */
const MORE_THAN_ROUNDING = 1.00001;

/** Larger than any score, and small enough to be summed. */
const UNBOUNDED = 1e30;

/** What {@linkcode mapThreshold} works on. */
export interface MapThresholdInputs extends LeaveOneImageOutInputs {
  /** Training images that count: those with bank rows of another image. */
  readonly images: readonly number[];
  /** Patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** Size of the maps, `[height, width]` in pixels. */
  readonly size: readonly [number, number];
  /** How patch scores become maps. */
  readonly map: MapSettings;
  /** How the threshold follows from the maps' maxima. */
  readonly threshold: ThresholdSettings;
}

/** What {@linkcode mapThreshold} finds. */
export interface MapThreshold extends Threshold {
  /** Images whose patches were searched in the whole bank. */
  readonly searched: number;
}

/**
 * The value at and above which a pixel of an anomaly map is anomalous: every
 * training image is scored against the bank without its own rows and becomes a
 * map as a new image would; the quantile of the maps' largest pixels, times a
 * factor, is the threshold.
 *
 * Exact, yet few images are searched where `nearby` is given: upsampling and
 * smoothing keep the order of scores, so the map of upper bounds bounds the
 * map, and images are searched by decreasing bound until none can change the
 * quantile.
 */
export async function mapThreshold(
  gpu: Gpu,
  inputs: MapThresholdInputs,
): Promise<MapThreshold> {
  const { images, threshold, onProgress } = inputs;
  const count = images.length;
  using maps = await LeftOutMaps.create(gpu, inputs);
  const bounds = await boundsOf(gpu, inputs, maps);
  const order = images.toSorted((a, b) => bounds[b]! - bounds[a]! || a - b);
  const decisive = Math.floor((count - 1) * threshold.quantile);
  const descending: number[] = [];
  for (const image of order) {
    if (descending[count - 1 - decisive]! >= bounds[image]!) break;
    onProgress?.(descending.length, count);
    const maximum = await maps.searchedMaximum(image);
    const place = descending.findIndex((other) => other < maximum);
    descending.splice(place < 0 ? descending.length : place, 0, maximum);
  }
  onProgress?.(count, count);
  const searched = descending.length;
  const below = new Array<number>(count - searched).fill(0);
  return { ...thresholdOf([...descending, ...below], threshold), searched };
}

/** For each image, what no pixel of its map exceeds. */
async function boundsOf(
  gpu: Gpu,
  inputs: MapThresholdInputs,
  maps: LeftOutMaps,
): Promise<Float64Array> {
  const { features, patches, bank, nearby, images } = inputs;
  const { neighbours = 1, squared = false } = inputs;
  const bounds = new Float64Array(features.rows / patches).fill(Infinity);
  if (nearby === undefined || neighbours > 1) return bounds;
  const scores = (await pairDistances(gpu, features, bank, nearby)).map((
    distance,
  ) => Math.min(squared ? distance : Math.sqrt(distance), UNBOUNDED));
  for (const image of images) {
    const start = image * patches;
    const own = scores.subarray(start, start + patches);
    bounds[image] = await maps.maximum(own) * MORE_THAN_ROUNDING;
  }
  return bounds;
}

/** Largest pixels of training images' maps. */
class LeftOutMaps implements Disposable {
  readonly #gpu: Gpu;
  readonly #patches: number;
  readonly #list: Tensor;
  readonly #images: Tensor;
  readonly #scores: Tensor;
  readonly #map: Tensor;
  readonly #found: RecordedSearch;
  readonly #maps: AnomalyMaps;
  readonly #searching: Program;
  readonly #mapping: Program;
  readonly #owned: Tensor[] = [];

  private constructor(gpu: Gpu, inputs: MapThresholdInputs) {
    const { features, patches, bank, search, grid, size, map } = inputs;
    const { neighbours = 1, squared = false } = inputs;
    const k = Math.min(neighbours, bank.rows);
    this.#gpu = gpu;
    this.#patches = patches;
    this.#list = this.#tensor([patches], "u32", "patches");
    this.#images = this.#tensor([patches], "u32", "images");
    this.#scores = this.#tensor([patches], "f32", "patch scores");
    this.#map = this.#tensor([1, ...size], "f32", "anomaly map");
    const queries = this.#tensor([patches, features.dim], "f32", "features");
    this.#searching = gpu.program("search of a training image");
    recordGather(this.#searching, features, this.#list, patches, queries);
    this.#found = search.record(this.#searching, queries, {
      rows: patches,
      k,
      queryImages: this.#images,
    });
    this.#searching.dispatch(
      imageMax,
      { images: 1, patches, neighbours: k, used: k, squared },
      {
        distances: this.#found.squaredDistances,
        indices: this.#found.indices,
        patch_scores: this.#scores,
        scores: this.#tensor([1], "f32", "image score"),
        worst: this.#tensor([1], "u32", "worst patch"),
        nearest: this.#tensor([1], "u32", "nearest bank row"),
      },
    );
    this.#maps = new AnomalyMaps(gpu, { grid, size, maxImages: 1 }, map);
    this.#mapping = gpu.program("anomaly map of a training image");
    this.#maps.record(this.#mapping, this.#scores, this.#map);
  }

  static async create(
    gpu: Gpu,
    inputs: MapThresholdInputs,
  ): Promise<LeftOutMaps> {
    const maps = new LeftOutMaps(gpu, inputs);
    await maps.#searching.compile();
    await maps.#mapping.compile();
    return maps;
  }

  #tensor(shape: number[], dtype: "f32" | "u32", label: string): Tensor {
    const tensor = this.#gpu.tensor(shape, dtype, label);
    this.#owned.push(tensor);
    return tensor;
  }

  /** The largest pixel of the map of given patch scores. */
  maximum(scores: Float32Array): Promise<number> {
    this.#gpu.write(this.#scores, scores);
    this.#mapping.run();
    return this.#largest();
  }

  /** The largest pixel of an image's map without the image's own bank rows. */
  searchedMaximum(image: number): Promise<number> {
    const patches = this.#patches;
    const first = image * patches;
    const rows = Uint32Array.from({ length: patches }, (_, i) => first + i);
    this.#gpu.write(this.#list, rows);
    this.#gpu.write(this.#images, new Uint32Array(patches).fill(image));
    this.#gpu.submit([this.#searching, this.#mapping]);
    return this.#largest();
  }

  async #largest(): Promise<number> {
    const map = await this.#gpu.readFloats(this.#map);
    return map.reduce((a, b) => Math.max(a, b), 0);
  }

  [Symbol.dispose](): void {
    this.#searching.dispose();
    this.#mapping.dispose();
    this.#found.dispose();
    this.#maps.dispose();
    for (const tensor of this.#owned) tensor.dispose();
  }
}
