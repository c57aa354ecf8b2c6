import type { Box, Prediction } from "../detector/predict/prediction.ts";
import type { FloatImage, Pixels } from "../images/pixels.ts";
import { mapToOriginal } from "../images/map_geometry.ts";
import { fittedSize, resampled, sampleBox } from "./thumbnail.ts";

/** Sides of the neighbourhood that is shown of a patch, in patches. */
const CONTEXT = 6;

/** A part of an image around a patch, and where the patch is in it. */
export interface CloseUp {
  /** The part. */
  readonly pixels: Pixels;
  /** The patch in the part, as shares of its sides. */
  readonly frame: Box;
}

/** What people look at of a prediction, in the size that they look at it. */
export interface SmallCopy {
  /** The image. */
  readonly image: Pixels;
  /** Its anomaly map, of the same size; NaN outside the crop. */
  readonly map: FloatImage;
  /** The worst patch. */
  readonly patch: CloseUp;
}

/**
 * Copies of a prediction's image, map and worst patch.
 *
 * @param side Most pixels of a picture's sides.
 */
export function smallCopy(prediction: Prediction, side: number): SmallCopy {
  const { image, map, worstPatch } = prediction;
  const size = fittedSize(image, side);
  const { geometry } = map;
  const across = size.width / image.width;
  const down = size.height / image.height;
  return {
    image: resampled(image, size),
    map: mapToOriginal(map, {
      ...size,
      left: geometry.left * across,
      right: geometry.right * across,
      top: geometry.top * down,
      bottom: geometry.bottom * down,
    }),
    patch: closeUp(image, worstPatch, side),
  };
}

/** Where a box of an image lies in a copy of another size. */
export function scaledBox(
  { x, y, width, height }: Box,
  from: Pick<Pixels, "width" | "height">,
  to: Pick<Pixels, "width" | "height">,
): Box {
  const across = to.width / from.width;
  const down = to.height / from.height;
  return {
    x: x * across,
    y: y * down,
    width: width * across,
    height: height * down,
  };
}

/**
 * The surroundings of a patch, moved so that they lie in the image.
 *
 * @param patch The patch in it, in pixels.
 * @param side Most pixels of the picture's sides.
 */
export function closeUp(image: Pixels, patch: Box, side: number): CloseUp {
  const most = Math.min(image.width, image.height);
  const length = Math.min(CONTEXT * Math.max(patch.width, patch.height), most);
  const place = (start: number, size: number, limit: number): number =>
    Math.min(Math.max(start + size / 2 - length / 2, 0), limit - length);
  const x = place(patch.x, patch.width, image.width);
  const y = place(patch.y, patch.height, image.height);
  const pixels = Math.max(1, Math.min(side, Math.round(length)));
  return {
    pixels: sampleBox(
      image,
      { x, y, width: length, height: length },
      pixels,
      pixels,
    ),
    frame: {
      x: (patch.x - x) / length,
      y: (patch.y - y) / length,
      width: patch.width / length,
      height: patch.height / length,
    },
  };
}
