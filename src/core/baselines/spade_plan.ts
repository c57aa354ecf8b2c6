import type { TapShape } from "../features/feature_layer.ts";
import type { MapSettings } from "../settings/settings.ts";
import { MAX_NEIGHBOURS } from "../../wgsl/search_refine.ts";
import { pyramidSearchBytes } from "./pyramid_search.ts";

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
export interface SpadePlan {
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
export function padded({ channels }: TapShape): number {
  return Math.ceil(channels / 4) * 4;
}
