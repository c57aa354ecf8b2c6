import type { ImagePart } from "../images/preprocess.ts";
import type { ResizeSettings } from "../images/resize_plan.ts";
import { planViews } from "../images/tiles.ts";
import type { LoadedImage } from "./image_batches.ts";

/**
 * What the network sees of an image at a time: all that the crop shows, or a
 * tile.
 */
export interface View extends ImagePart {
  /** The image. */
  readonly image: LoadedImage;
  /** Which of the image's views it is, row by row. */
  readonly place: number;
  /** How many of the image's views that are wanted come before it. */
  readonly order: number;
  /** How many of the image's views are wanted. */
  readonly count: number;
}

/**
 * The views of an image, in order.
 *
 * @param only The one that is wanted; by default all are.
 */
export function viewsOf(
  image: LoadedImage,
  settings: ResizeSettings,
  only?: number,
): View[] {
  const { pixels } = image;
  const plans = planViews(pixels.width, pixels.height, settings);
  const places = only === undefined ? [...plans.keys()] : [only];
  return places.map((place, order) => ({
    ...{ image, pixels, place, order },
    plan: plans[place]!,
    count: places.length,
  }));
}
