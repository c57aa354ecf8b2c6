// @ts-types="npm:@types/d3-scale-chromatic@3.1.0"
import { interpolateInferno } from "npm:d3-scale-chromatic@3.1.0";
import type { FloatImage, Pixels } from "./pixels.ts";
import type { GreyImage } from "./png.ts";

/** A model's colour scale: the same for all its images. */
export interface MapScale {
  /** Map value of the colour map's first colour. */
  readonly min: number;
  /** Map value of its last colour. */
  readonly max: number;
}

/**
 * The colour scale of a model's maps: fixed by their threshold, never by an
 * image, so that good parts stay calm. Maps without a threshold are coloured up
 * to the highest value there is, which says nothing of how high that is.
 *
 * @param threshold The maps' threshold; `null` for none.
 * @param highest The largest pixel of what is drawn.
 */
export function mapScale(threshold: number | null, highest: number): MapScale {
  if (threshold !== null && threshold > 0) {
    return { min: 0, max: 2 * threshold };
  }
  return { min: 0, max: highest > 0 ? highest : 1 };
}

/** Where colours begin and how much they cover. */
interface OverlayOptions extends MapScale {
  /**
   * Map value from which on a pixel is anomalous; with `null` there is no line,
   * and colours become opaque towards the middle of the scale.
   */
  readonly threshold: number | null;
  /** Opacity of the colours, 0 to 1, 0.6 by default. */
  readonly opacity?: number;
}

const OPACITY = 0.6;
/** Where nothing was looked at, every second stripe of the image is this dark. */
const UNSEEN = 0.35;
const UNSEEN_STRIPE = 0.55;
/** A stripe is this part of the long side, at least two pixels. */
const STRIPE = 1 / 80;
/** Of the threshold: below it the image shows through unchanged. */
const CALM = 0.75;
/** The contour's line is this part of the long side, at least a pixel. */
const LINE = 1 / 500;
const LINE_COLOR = [0, 229, 255] as const;

/**
 * Draws an anomaly map over its image: the colours of the map where it is
 * above three quarters of the threshold, more opaque towards the threshold, and a line
 * around what is above the threshold (as in the paper's Figure 1). Where the map
 * is NaN nothing was looked at: there the image is dark, with stripes.
 *
 * @param map The anomaly map in the original image's geometry.
 * @param options The model's scale and threshold.
 * @returns A new image of the same size.
 * @throws {RangeError} If the map has another size, or the scale is empty.
 */
export function drawOverlay(
  image: Pixels,
  map: FloatImage,
  options: OverlayOptions,
): Pixels {
  checkSizes(image, map);
  const { threshold, max, opacity = OPACITY } = options;
  const strong = threshold ?? max / 2;
  const calm = strong * CALM;
  const ramp = Math.max(strong - calm, Number.MIN_VALUE);
  const colors = colorTable();
  const position = positions(options);
  const data = new Uint8Array(image.data);
  shadeUnseen(data, map);
  for (let i = 0; i < map.data.length; i++) {
    const value = map.data[i]!;
    if (!(value > calm)) continue;
    const alpha = opacity * Math.min((value - calm) / ramp, 1);
    const color = Math.round(position(value) * 255) * 3;
    for (let c = 0; c < 3; c++) {
      const level = data[i * 4 + c]!;
      data[i * 4 + c] = Math.round(
        level + (colors[color + c]! - level) * alpha,
      );
    }
  }
  if (threshold !== null) drawContour(data, map, threshold);
  return { width: image.width, height: image.height, data };
}

/** A rectangle to draw, in pixels of the image. */
interface DrawnBox {
  /** Left edge. */
  readonly x: number;
  /** Top edge. */
  readonly y: number;
  /** Extent to the right. */
  readonly width: number;
  /** Extent downwards. */
  readonly height: number;
}

/**
 * Draws frames around boxes, a line outside of each.
 *
 * @returns A new image of the same size.
 */
export function drawBoxes(image: Pixels, boxes: readonly DrawnBox[]): Pixels {
  const { width, height } = image;
  const data = new Uint8Array(image.data);
  const line = lineOf(image);
  for (const box of boxes) {
    const left = Math.round(box.x);
    const top = Math.round(box.y);
    const right = Math.max(left + 1, Math.round(box.x + box.width));
    const bottom = Math.max(top + 1, Math.round(box.y + box.height));
    const isInside = (x: number, y: number): boolean =>
      x >= left && x < right && y >= top && y < bottom;
    for (let y = top - line; y < bottom + line; y++) {
      for (let x = left - line; x < right + line; x++) {
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        if (!isInside(x, y)) data.set(LINE_COLOR, (y * width + x) * 4);
      }
    }
  }
  return { width, height, data };
}

/** 255 where a map is at the threshold or above, else 0, also where it is NaN. */
export function thresholdMask(map: FloatImage, threshold: number): GreyImage {
  const { width, height, data } = map;
  const grey = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    if (data[i]! >= threshold) grey[i] = 255;
  }
  return { width, height, grey };
}

/**
 * A map as 16-bit grey: `min` becomes 0, `max` 65,535, NaN 0.
 *
 * @throws {RangeError} If the scale is empty.
 */
export function mapToGrey16(map: FloatImage, scale: MapScale): GreyImage {
  const { width, height, data } = map;
  const position = positions(scale);
  const grey = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value > scale.min) grey[i] = Math.round(position(value) * 65_535);
  }
  return { width, height, grey };
}

/**
 * A map in the colours of its model's scale; transparent where it is NaN.
 *
 * @throws {RangeError} If the scale is empty.
 */
export function colorMap(map: FloatImage, scale: MapScale): Pixels {
  const { width, height, data: values } = map;
  const position = positions(scale);
  const colors = colorTable();
  const data = new Uint8Array(values.length * 4);
  values.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    const color = Math.round(position(value) * 255) * 3;
    data.set(colors.subarray(color, color + 3), i * 4);
    data[i * 4 + 3] = 255;
  });
  return { width, height, data };
}

/** Darkens what was not looked at, in stripes, so that it is not taken for a shadow. */
function shadeUnseen(
  data: Uint8Array,
  { width, height, data: values }: FloatImage,
): void {
  const stripe = Math.max(2, Math.round(Math.max(width, height) * STRIPE));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!Number.isNaN(values[i]!)) continue;
      const isStripe = Math.floor((x + y) / stripe) % 2 === 1;
      const left = isStripe ? UNSEEN_STRIPE : UNSEEN;
      for (let c = 0; c < 3; c++) {
        data[i * 4 + c] = Math.round(data[i * 4 + c]! * left);
      }
    }
  }
}

/** Pixels that a line is wide. */
function lineOf({ width, height }: Pick<Pixels, "width" | "height">): number {
  return Math.max(1, Math.round(Math.max(width, height) * LINE));
}

/** A line of pixels that are anomalous and near one that is not. */
function drawContour(
  data: Uint8Array,
  { width, height, data: values }: FloatImage,
  threshold: number,
): void {
  const line = lineOf({ width, height });
  const calm = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height &&
    !(values[y * width + x]! >= threshold);
  const nearCalm = (x: number, y: number): boolean => {
    for (let step = 1; step <= line; step++) {
      if (calm(x - step, y) || calm(x + step, y)) return true;
      if (calm(x, y - step) || calm(x, y + step)) return true;
    }
    return false;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (!(values[i]! >= threshold) || !nearCalm(x, y)) continue;
      data.set(LINE_COLOR, i * 4);
    }
  }
}

/** Where a value lies on the scale, from 0 to 1. */
function positions({ min, max }: MapScale): (value: number) => number {
  if (!(max > min)) {
    throw new RangeError(
      `Cannot colour a map from ${min} to ${max}: expected the maximum above the minimum`,
    );
  }
  return (value) => Math.min(Math.max((value - min) / (max - min), 0), 1);
}

let colors: Uint8Array | undefined;

/** 256 colours, red, green and blue, of the colour map inferno. */
function colorTable(): Uint8Array {
  colors ??= Uint8Array.from({ length: 256 * 3 }, (_, i) => {
    const color = interpolateInferno(Math.floor(i / 3) / 255);
    const channel = i % 3;
    return parseInt(color.slice(1 + channel * 2, 3 + channel * 2), 16);
  });
  return colors;
}

function checkSizes(image: Pixels, map: FloatImage): void {
  if (image.width === map.width && image.height === map.height) return;
  throw new RangeError(
    `Cannot draw a map of ${map.width} × ${map.height} over an image of ${image.width} × ${image.height} pixels: expected the same size`,
  );
}
