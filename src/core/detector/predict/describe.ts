import type { StoredModel, StoredThreshold } from "../../model/stored_model.ts";
import type { Pixels } from "../../images/pixels.ts";
import { planExtents } from "../../images/resize_plan.ts";
import type { Settings } from "../../settings/settings.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";
import { patchBox, type Prediction } from "./prediction.ts";
import type { ScoredImage } from "./batch_predictor.ts";

/** An image ready to be scored. */
export interface Loaded {
  /** Its name. */
  readonly name: string;
  /** The image as it was decoded. */
  readonly pixels: Pixels;
  /** Milliseconds that reading and decoding took. */
  readonly ms: number;
}

/** What the description of a prediction needs to know of the model. */
export interface DescribedModel {
  /** The model: thresholds, origins and names. */
  readonly model:
    & Pick<StoredModel, "origin" | "imageNames" | "imageSizes">
    & {
      /** Raw score at and above which an image is anomalous. */
      readonly threshold?: StoredThreshold | undefined;
      /** Map value at and above which a pixel is. */
      readonly mapThreshold?: StoredThreshold | undefined;
    };
  /** Knows the input size and the patch grid. */
  readonly extractor: FeatureExtractor;
}

/** Puts what came back from the GPU into the terms of the original image. */
export function describe(
  { name, pixels, ms }: Loaded,
  scored: ScoredImage,
  share: number,
  { model, extractor }: DescribedModel,
  settings: Settings,
): Prediction {
  const { score, geometry, map, times, worstPatch, nearestRow } = scored;
  const { threshold, mapThreshold, origin, imageNames, imageSizes } = model;
  const { height, width } = extractor.features;
  const grid = [height, width] as const;
  const limit = threshold?.value ?? NaN;
  const [image, row, column] = origin.subarray(3 * nearestRow);
  const [trainWidth, trainHeight] = imageSizes.subarray(2 * image);
  const train = planExtents(trainWidth, trainHeight, settings).geometry;
  return {
    name,
    image: pixels,
    score,
    normalizedScore: score / limit,
    label: score >= limit ? "anomalous" : "normal",
    threshold: limit,
    worstPatch: {
      ...patchBox(worstPatch, grid, geometry),
      nearest: {
        image: imageNames[image],
        box: patchBox(row * width + column, grid, train),
      },
    },
    map: {
      width: extractor.input[1],
      height: extractor.input[0],
      data: map,
      threshold: mapThreshold?.value ?? limit,
      geometry,
    },
    ms: {
      decode: ms,
      trunk: times?.trunk ?? null,
      patches: times?.patches ?? null,
      search: times?.search ?? null,
      map: times?.map ?? null,
      total: ms + share,
    },
  };
}
