import type { Gpu, Tensor } from "../../gpu/mod.ts";
import { globalAveragePool } from "../../wgsl/global_average_pool.ts";
import { rowDistances } from "../../wgsl/row_distances.ts";
import type { TapShape } from "../features/feature_layer.ts";
import { AnomalyMaps } from "../score/anomaly_map.ts";
import { PyramidSearch, pyramidSearchBytes } from "./pyramid_search.ts";
import {
  BASELINE_MAP,
  type Progress,
  type ScoredImages,
} from "./scored_images.ts";
import type { MapSettings } from "../settings/settings.ts";
import { MAX_NEIGHBOURS } from "../../wgsl/search_refine.ts";

/** Training images searched with one submit. */
const IMAGES_PER_SUBMIT = 8;

/** Options of SPADE. */
export interface SpadeOptions {
  /** Layers of the pixel pyramid (paper: layers 1 to 3), the finest first. */
  readonly layers: readonly TapShape[];
  /** The layer whose mean over all pixels finds similar images: the last one. */
  readonly last: TapShape;
  /** Training images: memory is taken for so many. */
  readonly images: number;
  /** Size of the anomaly maps, `[height, width]` in pixels. */
  readonly size: readonly [number, number];
  /** Similar training images, K; 50 by default, all when there are fewer. */
  readonly neighbours?: number;
  /** Nearest pixels of them whose mean distance counts, κ; 1 by default. */
  readonly kappa?: number;
  /**
   * `"concat"` (the paper's, default): layers are upsampled to the first one's
   * grid and concatenated, one search; `"layers"`: one search a layer on its
   * own grid, the maps averaged, as the public re-implementations do.
   */
  readonly pyramid?: "concat" | "layers";
  /** The distance that is averaged; Euclidean by default. */
  readonly distance?: "euclidean" | "squared";
  /** How the maps are made; bilinear and σ = 4 by default. */
  readonly map?: MapSettings;
}

/** What SPADE needs, known before any work. */
interface SpadePlan {
  /** Similar images of each image. */
  readonly neighbours: number;
  /** Neighbours of a pixel. */
  readonly kappa: number;
  /** The layers of each search. */
  readonly searches: readonly (readonly number[])[];
  /** Bytes of the training images' layers, which stay on the GPU. */
  readonly galleryBytes: number;
  /** Bytes in all. */
  readonly bytes: number;
}

/**
 * Plans a SPADE: which searches, how many bytes.
 *
 * @throws {RangeError} If an option is not allowed.
 */
export function planSpade(options: SpadeOptions): SpadePlan {
  const { layers, last, images, size, neighbours = 50, kappa = 1 } = options;
  for (
    const [name, value, most] of [
      ["images", images, Infinity],
      ["neighbours", neighbours, Infinity],
      ["layers", layers.length, Infinity],
      ["kappa", kappa, MAX_NEIGHBOURS],
    ] as const
  ) {
    if (Number.isInteger(value) && value >= 1 && value <= most) continue;
    throw new RangeError(
      `Cannot fit SPADE: ${name} must be an integer from 1 to ${most}: current value is ${value}`,
    );
  }
  const indices = layers.map((_, i) => i);
  const searches = options.pyramid === "layers"
    ? indices.map((i) => [i])
    : [indices];
  const layerElements = layers.reduce(
    (sum, tap) => sum + tap.height * tap.width * padded(tap),
    0,
  );
  const galleryBytes = 4 * images * (layerElements + padded(last));
  const workBytes = searches.reduce(
    (sum, search) =>
      sum + pyramidSearchBytes(search.map((i) => layers[i]!)) +
      4 * size[0] * size[1] +
      4 * size[1] * layers[search[0]!]!.height,
    4 * (layerElements + images),
  );
  return {
    neighbours: Math.min(neighbours, images),
    kappa,
    searches,
    galleryBytes,
    bytes: galleryBytes + workBytes,
  };
}

/** Channels of a tap with their padding. */
function padded({ channels }: TapShape): number {
  return Math.ceil(channels / 4) * 4;
}

/** Taps of a batch, `[N, height, width, channels padded to 4]` each. */
export interface SpadeTaps {
  /** The layers of the pyramid, in the order of the options. */
  readonly layers: readonly Tensor[];
  /** The last layer. */
  readonly last: Tensor;
}

interface Search {
  readonly layers: readonly number[];
  readonly pixels: PyramidSearch;
  readonly maps: AnomalyMaps;
  readonly map: Tensor;
}

/**
 * SPADE (Cohen and Hoshen 2020): the mean distance to the K most similar
 * training images is the image score; the distance of each feature pixel to
 * the nearest one anywhere in those K images makes the map.
 */
export class Spade implements Disposable {
  /** Searches and bytes. */
  readonly plan: SpadePlan;
  readonly #gpu: Gpu;
  readonly #options: SpadeOptions;
  readonly #pooled: Tensor;
  readonly #gallery: (readonly Tensor[])[] = [];
  readonly #query: readonly Tensor[];
  readonly #searches: readonly Search[];

  /**
   * @throws {RangeError} If an option is not allowed, or a layer of one image
   * is more than the adapter binds at once.
   */
  constructor(gpu: Gpu, options: SpadeOptions) {
    const { layers, last, images, size, map = BASELINE_MAP } = options;
    this.#gpu = gpu;
    this.#options = options;
    this.plan = planSpade(options);
    this.#pooled = gpu.tensor([images, padded(last)], "f32", "pooled features");
    this.#query = layers.map((tap) => layerTensor(gpu, tap));
    this.#searches = this.plan.searches.map((indices) => {
      const taps = indices.map((i) => layers[i]!);
      const pixels = new PyramidSearch(gpu, taps, this.plan.kappa);
      return {
        layers: indices,
        pixels,
        maps: new AnomalyMaps(
          gpu,
          { grid: pixels.grid, size, maxImages: 1 },
          map,
        ),
        map: gpu.tensor([1, ...size], "f32", "SPADE map"),
      };
    });
  }

  /** Training images added so far. */
  get images(): number {
    return this.#gallery.length;
  }

  /**
   * Adds training images: their layers are copied.
   *
   * @param taps Taps of a batch.
   * @param images Images that count, from the first; all by default.
   * @throws {RangeError} If a shape is not the options' or there are too many.
   */
  async add(
    taps: SpadeTaps,
    images: number = taps.last.shape[0]!,
  ): Promise<void> {
    this.#check(taps, images);
    const before = this.images;
    if (before + images > this.#options.images) {
      throw new RangeError(
        `Cannot add ${images} images to SPADE: memory was taken for ${this.#options.images}, ${before} are in use`,
      );
    }
    using pooled = await this.#pool(taps.last, images);
    const width = padded(this.#options.last);
    this.#gpu.copy(pooled, this.#pooled, {
      toOffset: before * width,
      count: images * width,
    });
    for (let image = 0; image < images; image++) {
      this.#gallery.push(taps.layers.map((layer, i) => {
        const tensor = layerTensor(this.#gpu, this.#options.layers[i]!);
        this.#copyImage(layer, tensor, image);
        return tensor;
      }));
    }
  }

  /**
   * Scores images.
   *
   * @param taps Taps of a batch.
   * @param images Images that count, from the first; all by default.
   * @param onProgress Called with the training images searched and in all.
   * @returns Scores and maps; `distances` has the pixels of all searches.
   * @throws {RangeError} If a shape is not the options' or nothing was added.
   */
  async score(
    taps: SpadeTaps,
    images: number = taps.last.shape[0]!,
    onProgress?: Progress,
  ): Promise<ScoredImages> {
    this.#check(taps, images);
    const similar = await this.#similarImages(taps.last, images);
    const total = similar.reduce((sum, { order }) => sum + order.length, 0);
    const [height, width] = this.#options.size;
    const maps = new Float32Array(images * height * width);
    const pixelDistances: Float32Array[] = [];
    let done = 0;
    for (let image = 0; image < images; image++) {
      const { order } = similar[image]!;
      await this.#searchPixels(taps, image, order, (count) => {
        onProgress?.(done += count, total);
      });
      const results = await this.#gpu.readAll(
        this.#searches.flatMap(({ map, pixels }) => [map, pixels.distances]),
      ) as Float32Array[];
      const map = maps.subarray(
        image * height * width,
        (image + 1) * height * width,
      );
      results.forEach((values, i) => {
        if (i % 2 === 1) pixelDistances.push(values);
        else {values.forEach((value, at) => {
            map[at]! += value / this.#searches.length;
          });}
      });
    }
    const scores = Float32Array.from(similar, ({ score }) => score);
    return { scores, maps, distances: joined(pixelDistances) };
  }

  async #similarImages(
    last: Tensor,
    images: number,
  ): Promise<{ score: number; order: number[] }[]> {
    const rows = this.images;
    if (rows === 0) {
      throw new RangeError("Cannot score with SPADE: no image was added");
    }
    using queries = await this.#pool(last, images);
    using distances = this.#gpu.tensor([images, rows], "f32", "similarities");
    using program = this.#gpu.program("SPADE similar images");
    program.dispatch(
      rowDistances,
      { queries: images, rows, dim: padded(this.#options.last) },
      { queries, rows: this.#pooled, distances },
    );
    (await program.compile()).run();
    const squared = await this.#gpu.readFloats(distances);
    const euclidean = this.#options.distance !== "squared";
    const count = Math.min(this.plan.neighbours, rows);
    return Array.from({ length: images }, (_, image) => {
      const row = squared.subarray(image * rows, (image + 1) * rows);
      const order = [...row.keys()]
        .sort((a, b) => row[a]! - row[b]! || a - b)
        .slice(0, count);
      const sum = order.reduce(
        (sum, i) => sum + (euclidean ? Math.sqrt(row[i]!) : row[i]!),
        0,
      );
      return { score: sum / count, order };
    });
  }

  async #searchPixels(
    taps: SpadeTaps,
    image: number,
    order: readonly number[],
    onDone: (count: number) => void,
  ): Promise<void> {
    taps.layers.forEach((layer, i) => {
      this.#copyImage(layer, this.#query[i]!, image);
    });
    for (let start = 0; start < order.length; start += IMAGES_PER_SUBMIT) {
      const part = order.slice(start, start + IMAGES_PER_SUBMIT);
      const last = start + part.length === order.length;
      using program = this.#gpu.program("SPADE pixels");
      for (const { layers, pixels, maps, map } of this.#searches) {
        const pick = (all: readonly Tensor[]): Tensor[] =>
          layers.map((i) => all[i]!);
        if (start === 0) pixels.recordQuery(program, pick(this.#query));
        part.forEach((index, i) => {
          pixels.recordImage(program, pick(this.#gallery[index]!), start + i);
        });
        if (!last) continue;
        pixels.recordDistances(program, this.#options.distance === "squared");
        maps.record(program, pixels.distances, map, 1);
      }
      (await program.compile()).run();
      await this.#gpu.finish();
      onDone(part.length);
    }
  }

  async #pool(last: Tensor, images: number): Promise<Tensor> {
    const width = padded(this.#options.last);
    const pooled = this.#gpu.tensor([images, width], "f32", "pooled features");
    using program = this.#gpu.program("SPADE pooling");
    const pixels = this.#options.last.height * this.#options.last.width;
    program.dispatch(
      globalAveragePool,
      { images, pixels, channels4: width / 4 },
      { x: last, y: pooled },
    );
    (await program.compile()).run();
    return pooled;
  }

  #copyImage(from: Tensor, to: Tensor, image: number): void {
    this.#gpu.copy(from, to, { fromOffset: image * to.size, count: to.size });
  }

  #check({ layers, last }: SpadeTaps, images: number): void {
    const expected = [...this.#options.layers, this.#options.last];
    [...layers, last].forEach(({ shape }, i) => {
      const tap = expected[i];
      const fits = tap && shape.length === 4 && shape[0]! >= images &&
        shape[1] === tap.height && shape[2] === tap.width &&
        shape[3] === padded(tap);
      if (fits && layers.length + 1 === expected.length) return;
      throw new RangeError(
        `Cannot use ${images} images in SPADE: tap "${
          tap?.name ?? i
        }" has shape [${shape}], expected [N, ${
          tap && [tap.height, tap.width, padded(tap)].join(", ")
        }]`,
      );
    });
  }

  /** Frees everything. */
  [Symbol.dispose](): void {
    this.#pooled.dispose();
    for (const tensor of [...this.#query, ...this.#gallery.flat()]) {
      tensor.dispose();
    }
    for (const { pixels, maps, map } of this.#searches) {
      for (const part of [pixels, maps, map]) part[Symbol.dispose]();
    }
  }
}

function layerTensor(gpu: Gpu, tap: TapShape): Tensor {
  const { name, height, width } = tap;
  return gpu.tensor([1, height, width, padded(tap)], "f32", `SPADE ${name}`);
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
