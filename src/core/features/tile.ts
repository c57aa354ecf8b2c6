import type { ImagePart } from "../images/preprocess.ts";
import type { ResizeSettings } from "../images/resize_plan.ts";
import { planTilesOf } from "../images/tiles.ts";
import type { LoadedImage } from "./image_batches.ts";

/**
 * What the network sees of an image at a time: a tile, or all that the crop
 * shows, which is the one tile of an image that is not cut.
 */
export interface Tile extends ImagePart {
  /** The image, or the view of it. */
  readonly image: LoadedImage;
  /** Which of the image's tiles it is, row by row. */
  readonly place: number;
  /** How many of the image's tiles that are wanted come before it. */
  readonly order: number;
  /** How many of the image's tiles are wanted. */
  readonly count: number;
}

/**
 * The tiles of an image, in order.
 *
 * @param only The one that is wanted; by default all are.
 */
export function tilesOf(
  image: LoadedImage,
  settings: ResizeSettings,
  only?: number,
): Tile[] {
  const { pixels } = image;
  const plans = planTilesOf(pixels.width, pixels.height, settings);
  const places = only === undefined ? [...plans.keys()] : [only];
  return places.map((place, order) => ({
    ...{ image, pixels, place, order },
    plan: plans[place]!,
    count: places.length,
  }));
}

/** Whether it is the first tile of an image itself, not of another view of it. */
export function isFirst({ image, order }: Tile): boolean {
  return image.view === 0 && order === 0;
}
