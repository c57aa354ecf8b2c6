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
  /** How many the image has. */
  readonly count: number;
}

/** The views of an image, in order. */
export function viewsOf(image: LoadedImage, settings: ResizeSettings): View[] {
  const { pixels } = image;
  const plans = planViews(pixels.width, pixels.height, settings);
  return plans.map((plan, place) => ({
    ...{ image, pixels, plan, place },
    count: plans.length,
  }));
}
