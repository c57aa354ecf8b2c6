import { LIMITS } from "../settings/limits.ts";
import { shown } from "../settings/shown.ts";
import type { RegionSetting } from "../settings/settings.ts";
import type { Pixels } from "./pixels.ts";

/** A part of an image, in its pixels. */
export type RegionShape =
  | {
    /** A rectangle along the sides. */
    readonly kind: "box";
    /** Columns left of it. */
    readonly x: number;
    /** Rows above it. */
    readonly y: number;
    /** Columns. */
    readonly width: number;
    /** Rows. */
    readonly height: number;
    /** What people know it by; its numbers by default. */
    readonly name?: string;
  }
  | {
    /** What lies inside a closed line, pixels by their centres (even-odd). */
    readonly kind: "polygon";
    /** Corners `[x, y]` in pixels from the left and from the top. */
    readonly points: readonly (readonly [number, number])[];
    /** What people know it by. */
    readonly name?: string;
  }
  | {
    /** The pixels that a mask of the image's size marks. */
    readonly kind: "mask";
    /** Columns. */
    readonly width: number;
    /** Rows. */
    readonly height: number;
    /** `[H, W]`, anything but 0 belongs to it. */
    readonly data: Uint8Array;
    /** What people know it by. */
    readonly name?: string;
  };

/** What {@linkcode drawRegion} draws. */
export interface RegionDrawing {
  /** Columns of the images. */
  readonly width: number;
  /** Rows of the images. */
  readonly height: number;
  /** What is inspected, together; the whole image by default. */
  readonly roi?: readonly RegionShape[];
  /** What of it is left out. */
  readonly ignore?: readonly RegionShape[];
}

/**
 * Draws which pixels of images are inspected, as the setting `region` takes it.
 *
 * @throws {RangeError} If a shape lies outside the image or is empty, a mask has
 * another size, or nothing is left to inspect.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { drawRegion } from "@patchcore/webgpu/core";
 *
 * const { runs } = drawRegion({
 *   width: 4,
 *   height: 2,
 *   ignore: [{ kind: "box", x: 1, y: 0, width: 2, height: 1 }],
 * });
 * assertEquals(runs, [0, 1, 2, 5]);
 * ```
 */
export function drawRegion(
  { width, height, roi = [], ignore = [] }: RegionDrawing,
): RegionSetting {
  const size = { width, height };
  if (
    !isSide(width) || !isSide(height) || width * height > LIMITS.regionPixels
  ) {
    throw new RangeError(
      `Cannot draw a region of ${width} × ${height} pixels: expected whole sides and at most ${LIMITS.regionPixels} pixels`,
    );
  }
  const inside = new Uint8Array(width * height);
  if (roi.length === 0) inside.fill(1);
  for (const shape of roi) drawShape(inside, size, shape, 1);
  for (const shape of ignore) drawShape(inside, size, shape, 0);
  if (!inside.includes(1)) {
    throw new RangeError(
      `Cannot inspect a region of ${width} × ${height} pixels: nothing of it is left`,
    );
  }
  return {
    ...size,
    runs: runsOf(inside),
    roi: roi.map(nameOf),
    ignore: ignore.map(nameOf),
  };
}

/** Which pixels of images are inspected, for images of any size. */
export class Region {
  /** The setting that it is made of. */
  readonly setting: RegionSetting;
  #drawn: { readonly size: string; readonly runs: readonly number[] };

  /** Takes a setting that was checked. */
  constructor(setting: RegionSetting) {
    this.setting = setting;
    const { width, height, runs } = setting;
    this.#drawn = { size: `${width},${height}`, runs };
  }

  /**
   * Whether images of a size have the shape that the region was drawn for: one
   * scale makes both sides of it, to less than a pixel.
   */
  fits({ width, height }: Pick<Pixels, "width" | "height">): boolean {
    const { width: columns, height: rows } = this.setting;
    const least = Math.max((width - 1) / columns, (height - 1) / rows);
    const most = Math.min((width + 1) / columns, (height + 1) / rows);
    return least < most;
  }

  /**
   * The pixels of an image of another size, in runs that are left out and
   * inspected in turn: each is what the region has at the place of its centre.
   */
  runs(width: number, height: number): readonly number[] {
    const size = `${width},${height}`;
    if (this.#drawn.size !== size) {
      const runs = runsOf(this.bitmap(width, height));
      this.#drawn = { size, runs };
    }
    return this.#drawn.runs;
  }

  /** The same as ones and zeros, `[height, width]`. */
  bitmap(
    width: number = this.setting.width,
    height: number = this.setting.height,
  ): Uint8Array<ArrayBuffer> {
    const { width: columns, height: rows, runs } = this.setting;
    const drawn = new Uint8Array(columns * rows);
    for (const [start, end] of insideRuns(runs)) drawn.fill(1, start, end);
    if (width === columns && height === rows) return drawn;
    const from = Uint32Array.from(
      { length: width },
      (_, x) => Math.floor((x + 0.5) * columns / width),
    );
    const scaled = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const line = Math.floor((y + 0.5) * rows / height) * columns;
      for (let x = 0; x < width; x++) {
        scaled[y * width + x] = drawn[line + from[x]!]!;
      }
    }
    return scaled;
  }

  /** Share of the pixels that are inspected, above 0 and at most 1. */
  get share(): number {
    const { width, height, runs } = this.setting;
    let inside = 0;
    for (const [start, end] of insideRuns(runs)) inside += end - start;
    return inside / (width * height);
  }

  /**
   * A copy of an image in which every pixel outside has one colour, ImageNet's
   * mean, so that nothing there has any influence.
   */
  blank({ width, height, data }: Pixels): Pixels {
    const runs = this.runs(width, height);
    const copy = new Uint8Array(data);
    const words = new Uint32Array(copy.buffer);
    let at = 0;
    runs.forEach((run, i) => {
      if (i % 2 === 0) words.fill(BLANK, at, at + run);
      at += run;
    });
    return { width, height, data: copy };
  }
}

/** ImageNet's mean colour in levels, as a word of RGBA. */
const BLANK = new Uint32Array(Uint8Array.of(124, 116, 104, 255).buffer)[0]!;

/** What is inspected, in words. */
export function regionInWords(setting: RegionSetting): string {
  const { width, height, roi, ignore } = setting;
  const percent = (100 * new Region(setting).share).toFixed(1);
  const parts = [
    ...(roi.length > 0 ? [`of ${roi.join(" and ")}`] : []),
    ...(ignore.length > 0 ? [`without ${ignore.join(" and ")}`] : []),
  ];
  return `${percent} % of ${width} × ${height} pixels${
    parts.length > 0 ? `: ${parts.join(", ")}` : ""
  }`;
}

/** First pixel of every run that is inspected, and the one after its last. */
function* insideRuns(
  runs: readonly number[],
): Generator<readonly [start: number, end: number]> {
  let at = 0;
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 1) yield [at, at + run];
    at += run;
  }
}

function runsOf(inside: Uint8Array): number[] {
  const runs: number[] = [];
  for (let start = 0; start < inside.length;) {
    const wanted = runs.length % 2;
    const next = inside.indexOf(1 - wanted, start);
    const end = next < 0 ? inside.length : next;
    runs.push(end - start);
    start = end;
  }
  return runs;
}

function isSide(side: number): boolean {
  return Number.isSafeInteger(side) && side >= 1 && side <= LIMITS.imageSide;
}

function nameOf(shape: RegionShape): string {
  if (shape.name !== undefined) return shape.name;
  switch (shape.kind) {
    case "box":
      return [shape.x, shape.y, shape.width, shape.height].join();
    case "polygon":
      return `a polygon of ${shape.points.length} corners`;
    case "mask":
      return "a mask";
  }
}

function drawShape(
  inside: Uint8Array,
  size: Pick<RegionSetting, "width" | "height">,
  shape: RegionShape,
  value: 0 | 1,
): void {
  switch (shape.kind) {
    case "box":
      return drawBox(inside, size, shape, value);
    case "polygon":
      return drawPolygon(inside, size, shape, value);
    case "mask":
      return drawMask(inside, size, shape, value);
    default:
      throw new TypeError(
        `Cannot draw ${shown(shape)}: expected a box, a polygon or a mask`,
      );
  }
}

type ShapeOf<K extends RegionShape["kind"]> = Extract<RegionShape, { kind: K }>;

function drawBox(
  inside: Uint8Array,
  size: Pick<RegionSetting, "width" | "height">,
  box: ShapeOf<"box">,
  value: 0 | 1,
): void {
  const { x, y, width, height } = box;
  const fits = [x, y, width, height].every(Number.isSafeInteger) &&
    x >= 0 && y >= 0 && width >= 1 && height >= 1 &&
    x + width <= size.width && y + height <= size.height;
  if (!fits) {
    throw new RangeError(
      `Cannot draw the box ${
        nameOf(box)
      }: expected x,y,width,height in whole pixels inside of ${size.width} × ${size.height}`,
    );
  }
  for (let row = y; row < y + height; row++) {
    const start = row * size.width + x;
    inside.fill(value, start, start + width);
  }
}

function drawPolygon(
  inside: Uint8Array,
  size: Pick<RegionSetting, "width" | "height">,
  polygon: ShapeOf<"polygon">,
  value: 0 | 1,
): void {
  const { points } = polygon;
  const isSound = points.length >= 3 &&
    points.every((point) =>
      point.length === 2 && point.every(Number.isFinite) &&
      point[0] >= 0 && point[0] <= size.width &&
      point[1] >= 0 && point[1] <= size.height
    );
  let count = 0;
  for (let y = 0; isSound && y < size.height; y++) {
    const crossings = crossingsOf(points, y + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.ceil(crossings[i]! - 0.5);
      const to = Math.ceil(crossings[i + 1]! - 0.5);
      if (to <= from) continue;
      inside.fill(value, y * size.width + from, y * size.width + to);
      count += to - from;
    }
  }
  if (count > 0) return;
  throw new RangeError(
    `Cannot draw the polygon ${
      nameOf(polygon)
    }: expected three corners [x, y] or more inside of ${size.width} × ${size.height} pixels, and a pixel between them`,
  );
}

/** Where the sides of a polygon cross a horizontal line, ascending. */
function crossingsOf(
  points: ShapeOf<"polygon">["points"],
  y: number,
): number[] {
  return points.flatMap(([x0, y0], i) => {
    const [x1, y1] = points[(i + 1) % points.length]!;
    return (y0 <= y) === (y1 <= y)
      ? []
      : [x0 + (y - y0) * (x1 - x0) / (y1 - y0)];
  }).sort((a, b) => a - b);
}

function drawMask(
  inside: Uint8Array,
  size: Pick<RegionSetting, "width" | "height">,
  mask: ShapeOf<"mask">,
  value: 0 | 1,
): void {
  const { width, height, data } = mask;
  if (
    width !== size.width || height !== size.height ||
    data.length !== width * height
  ) {
    throw new RangeError(
      `Cannot draw ${
        nameOf(mask)
      } of ${width} × ${height} pixels: the images have ${size.width} × ${size.height}; draw it over one of them`,
    );
  }
  let count = 0;
  data.forEach((mark, i) => {
    if (mark === 0) return;
    inside[i] = value;
    count++;
  });
  if (count > 0) return;
  throw new RangeError(
    `Cannot draw ${nameOf(mask)}: no pixel is marked; expected white on black`,
  );
}
