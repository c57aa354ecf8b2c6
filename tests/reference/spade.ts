/**
 * SPADE in float64, straight from its definition.
 *
 * @module
 */
import { anomalyMap, type Options as MapOptions } from "./anomaly_map.ts";
import { patchFeatures, type Tap } from "./patch_features.ts";
import { nearestNeighbours } from "./search.ts";

/** One image: the layers of its pyramid and the last one. */
export interface SpadeImage {
  /** Layers, the finest first. */
  readonly layers: readonly Tap[];
  /** The layer that is pooled. */
  readonly last: Tap;
}

/** How SPADE is used. */
export interface SpadeReferenceOptions {
  /** K. */
  readonly neighbours: number;
  /** κ. */
  readonly kappa: number;
  /** One search of concatenated layers, or one a layer. */
  readonly pyramid: "concat" | "layers";
  /** The distance that is averaged. */
  readonly distance: "euclidean" | "squared";
  /** Size of the maps. */
  readonly size: readonly [number, number];
  /** How maps are made. */
  readonly map: MapOptions;
}

/** Image score and map of `image`. */
export function spade(
  train: readonly SpadeImage[],
  image: SpadeImage,
  options: SpadeReferenceOptions,
): { score: number; map: Float64Array } {
  const { kappa, distance, pyramid, size } = options;
  const measure = (squared: number): number =>
    distance === "squared" ? squared : Math.sqrt(squared);
  const query = pooled(image.last);
  const similar = train.map(({ last }, index) => ({
    index,
    squared: pooled(last).reduce((sum, x, c) => sum + (x - query[c]!) ** 2, 0),
  })).sort((a, b) => a.squared - b.squared).slice(0, options.neighbours);
  const score = similar.reduce((sum, s) => sum + measure(s.squared), 0) /
    similar.length;
  const indices = image.layers.map((_, i) => i);
  const searches = pyramid === "concat" ? [indices] : indices.map((i) => [i]);
  const map = new Float64Array(size[0] * size[1]);
  for (const search of searches) {
    const features = (of: SpadeImage) =>
      patchFeatures(search.map((i) => of.layers[i]!), {
        patchSize: 1,
        stride: 1,
        layerDim: "channels",
        dim: "concat",
        merge: "bilinear",
      });
    const own = features(image);
    const bank = Float64Array.from(
      similar.flatMap(({ index }) => [...features(train[index]!).features]),
    );
    const found = nearestNeighbours(own.features, bank, own.dim, kappa);
    const scores = Float64Array.from(
      { length: own.height * own.width },
      (_, p) => {
        let sum = 0;
        for (let i = 0; i < kappa; i++) {
          sum += measure(found.squaredDistances[p * kappa + i]!);
        }
        return sum / kappa;
      },
    );
    anomalyMap(scores, [own.height, own.width], size, options.map)
      .forEach((value, i) => map[i]! += value / searches.length);
  }
  return { score, map };
}

function pooled({ height, width, channels, data }: Tap): number[] {
  return Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = c; i < data.length; i += channels) sum += data[i]!;
    return sum / (height * width);
  });
}
