/**
 * Views of a training image: turned, mirrored, darker and lighter copies.
 *
 * @module
 */
import type { AugmentSettings } from "../settings/settings.ts";
import type { Pixels } from "./pixels.ts";

/** One way to look at an image. */
export interface View {
  /** What it is in words: `rotated by 45°`; empty for the image itself. */
  readonly name: string;
  /** The image as it is seen, of the same size. */
  apply(image: Pixels): Pixels;
  /**
   * Where in the image a place of the view lies, in pixels from the left and
   * from the top.
   *
   * @param size Width and height.
   */
  placeInImage(
    x: number,
    y: number,
    size: readonly [number, number],
  ): readonly [number, number];
}

/** The image itself. */
const ITSELF: View = {
  name: "",
  apply: (image) => image,
  placeInImage: (x, y) => [x, y],
};

/** All views of a training image, the image itself first. */
export function viewsOf(
  { rotations, flips, brightness }: AugmentSettings,
): readonly View[] {
  const turns = Array.from(
    { length: rotations - 1 },
    (_, i) => rotation(360 * (i + 1) / rotations),
  );
  return [
    ITSELF,
    ...turns,
    ...(flips ? [mirrored(true), mirrored(false)] : []),
    ...(brightness > 0 ? [lit(1 - brightness), lit(1 + brightness)] : []),
  ];
}

/** How many views a training image has, itself included. */
export function viewCount(augment: AugmentSettings): number {
  return viewsOf(augment).length;
}

/**
 * Counter-clockwise about (width / 2, height / 2), bilinear, beyond the border
 * mirrored without repeating the edge: OpenCV's `warpAffine` as AnomalyDINO
 * calls it. The centre is half a pixel off the middle of the pixels.
 */
function rotation(degrees: number): View {
  const angle = degrees * Math.PI / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const source = (
    x: number,
    y: number,
    [width, height]: readonly [number, number],
  ): readonly [number, number] => {
    const [dx, dy] = [x - width / 2, y - height / 2];
    return [
      cos * dx - sin * dy + width / 2,
      sin * dx + cos * dy + height / 2,
    ];
  };
  return {
    name: `rotated by ${Number(degrees.toFixed(2))}°`,
    apply: (image) => rotated(image, source),
    placeInImage(x, y, size) {
      const [sx, sy] = source(x - 0.5, y - 0.5, size);
      return [inside(sx + 0.5, size[0]), inside(sy + 0.5, size[1])];
    },
  };
}

function rotated(
  { width, height, data }: Pixels,
  source: (
    x: number,
    y: number,
    size: readonly [number, number],
  ) => readonly [number, number],
): Pixels {
  const result = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // A right angle is to hit pixels, whatever its cosine is rounded to.
      const [sx, sy] = source(x, y, [width, height]).map(whole);
      const [x0, y0] = [Math.floor(sx!), Math.floor(sy!)];
      const [along, down] = [sx! - x0, sy! - y0];
      const left = reflected(x0, width);
      const right = reflected(x0 + 1, width);
      const above = reflected(y0, height) * width;
      const below = reflected(y0 + 1, height) * width;
      for (let c = 0; c < 4; c++) {
        const top = data[(above + left) * 4 + c]! * (1 - along) +
          data[(above + right) * 4 + c]! * along;
        const bottom = data[(below + left) * 4 + c]! * (1 - along) +
          data[(below + right) * 4 + c]! * along;
        result[(y * width + x) * 4 + c] = top * (1 - down) + bottom * down;
      }
    }
  }
  return { width, height, data: result };
}

/** A coordinate to nine digits behind the point. */
function whole(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

/** The pixel inside that stands for one beyond the border: c b | a b c | b a. */
function reflected(position: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const at = ((position % period) + period) % period;
  return at < size ? at : period - at;
}

/** The same of a place between pixels: edges are mirrors. */
function inside(position: number, size: number): number {
  const at = ((position % (2 * size)) + 2 * size) % (2 * size);
  return at < size ? at : 2 * size - at;
}

/** Left and right exchanged, or top and bottom. */
function mirrored(horizontally: boolean): View {
  return {
    name: horizontally ? "mirrored left to right" : "mirrored top to bottom",
    apply({ width, height, data }) {
      const result = new Uint8ClampedArray(data.length);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const from = horizontally
            ? y * width + width - 1 - x
            : (height - 1 - y) * width + x;
          const pixel = data.subarray(from * 4, from * 4 + 4);
          result.set(pixel, (y * width + x) * 4);
        }
      }
      return { width, height, data: result };
    },
    placeInImage: (x, y, [width, height]) =>
      horizontally ? [width - x, y] : [x, height - y],
  };
}

/** Red, green and blue multiplied, at most white. */
function lit(factor: number): View {
  return {
    name: `brightness × ${Number(factor.toFixed(3))}`,
    apply({ width, height, data }) {
      const result = new Uint8ClampedArray(data.length);
      for (let i = 0; i < data.length; i++) {
        result[i] = i % 4 === 3 ? data[i]! : data[i]! * factor;
      }
      return { width, height, data: result };
    },
    placeInImage: (x, y) => [x, y],
  };
}
