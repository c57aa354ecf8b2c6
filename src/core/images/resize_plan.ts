import { LIMITS } from "../settings/limits.ts";
import type { TileSettings } from "../settings/settings.ts";

/** Input geometry of a network; a part of the method's settings. */
export interface ResizeSettings {
  /** How images are cut into tiles instead. */
  readonly tiles?: TileSettings;
  /** Pixels of the short side, or of both sides when `square`. */
  readonly resize: number;
  /** Whether both sides become `resize`, whatever the aspect ratio. */
  readonly square?: boolean;
  /** Pixels of the centre crop's sides; `null`: no crop. */
  readonly crop: number | null;
  /**
   * What sides are cut to multiples of, at their right and bottom ends; 1 by
   * default, and where the network's patch is still to be known.
   */
  readonly multiple?: number | "patch";
  /** Pillow's filter, `"bilinear"` by default. */
  readonly resample?: "bilinear" | "bicubic";
}

/** What becomes of one axis of an image. */
export interface AxisExtent {
  /** Pixels before. */
  readonly input: number;
  /** Pixels after the resize, before the crop. */
  readonly resized: number;
  /** Resized pixels that the crop leaves out before its first. */
  readonly offset: number;
  /** Pixels of the crop. */
  readonly length: number;
}

/** How one axis of an image is resized and cropped. */
export interface AxisPlan extends AxisExtent {
  /** First input pixel that the crop needs. */
  readonly from: number;
  /** Input pixel after the last that the crop needs. */
  readonly to: number;
  /** Whether every output pixel is an input pixel as it is. */
  readonly isCopy: boolean;
  /** Weights of an output pixel. */
  readonly tapCount: number;
  /**
   * `[1 + tapCount, length]`: for each output pixel the first input pixel,
   * counted from `from`, then its weights, 2²² being 1.
   */
  readonly taps: Int32Array<ArrayBuffer>;
}

/** How an image becomes the input of a network. */
export interface ResizePlan<Axis extends AxisExtent = AxisPlan> {
  /** Along rows. */
  readonly columns: Axis;
  /** Along columns. */
  readonly rows: Axis;
  /** Where the result lies in the original image. */
  readonly geometry: CropGeometry;
}

/**
 * Where a network's input lies in the original image: the box of original
 * pixels that it shows, edges in pixels from the left and from the top.
 */
export interface CropGeometry {
  /** Columns of the original image. */
  readonly width: number;
  /** Rows of the original image. */
  readonly height: number;
  /** Left edge of the box, a fraction where the crop cuts a pixel. */
  readonly left: number;
  /** Top edge. */
  readonly top: number;
  /** Right edge. */
  readonly right: number;
  /** Bottom edge. */
  readonly bottom: number;
}

const PRECISION_BITS = 22;

/**
 * Plans the resize as torchvision does it: `Resize` (the short side becomes
 * `resize`, the long one `⌊resize · long / short⌋`) and `CenterCrop`, with the
 * weights of Pillow's antialiased `BILINEAR` or `BICUBIC`.
 *
 * @throws {RangeError} If the crop is larger than the resized image, or no
 * multiple fits into it.
 */
export function planResize(
  width: number,
  height: number,
  settings: ResizeSettings,
): ResizePlan {
  return planWeights(
    planExtents(width, height, settings),
    settings.resample,
  );
}

/**
 * Adds the weights to a plan.
 *
 * @param resample Pillow's filter, `"bilinear"` by default.
 */
export function planWeights(
  { columns, rows, geometry }: ResizePlan<AxisExtent>,
  resample: ResizeSettings["resample"] = "bilinear",
): ResizePlan {
  const filter = FILTERS[resample];
  return {
    columns: planAxis(columns, filter),
    rows: planAxis(rows, filter),
    geometry,
  };
}

/**
 * The part of {@linkcode planResize} that takes no time, however large the
 * image: sizes and geometry. Where images are cut into tiles it is the whole
 * image as it is cut, which is what maps show.
 *
 * @throws {RangeError} If the crop is larger than the resized image.
 */
export function planExtents(
  width: number,
  height: number,
  settings: ResizeSettings,
): ResizePlan<AxisExtent> {
  const { resize, crop, tiles, multiple = 1 } = settings;
  if (tiles !== undefined) {
    const whole = (input: number): AxisExtent => {
      const resized = Math.max(1, Math.round(input * tiles.scale));
      return { input, resized, offset: 0, length: resized };
    };
    return planOf(whole(width), whole(height));
  }
  const step = multiple === "patch" ? 1 : multiple;
  const short = Math.min(width, height);
  const side = (length: number): number =>
    settings.square || length === short
      ? resize
      : Math.floor(resize * length / short);
  if (crop !== null && crop > resize) {
    throw new RangeError(
      `Cannot crop ${crop} pixels of an image resized to ${resize}: expected at most as many`,
    );
  }
  const columns = extent(width, side(width), crop, step);
  return planOf(columns, extent(height, side(height), crop, step));
}

/** A plan of two axes, with the box that they show. */
export function planOf(
  columns: AxisExtent,
  rows: AxisExtent,
): ResizePlan<AxisExtent> {
  const [left, right] = edges(columns);
  const [top, bottom] = edges(rows);
  const { input: width } = columns;
  const geometry = { width, height: rows.input, left, top, right, bottom };
  return { columns, rows, geometry };
}

function edges(axis: AxisExtent): [number, number] {
  const scale = axis.input / axis.resized;
  const { offset, length } = axis;
  return [offset * scale, (offset + length) * scale];
}

function extent(
  input: number,
  resized: number,
  crop: number | null,
  step: number,
): AxisExtent {
  const length = crop ?? resized - resized % step;
  if (length < 1) {
    throw new RangeError(
      `Cannot cut a side of ${resized} pixels to a multiple of ${step}: resize to ${step} pixels at least`,
    );
  }
  if (length > LIMITS.side) {
    throw new RangeError(
      `Cannot resize a side of ${input} pixels to ${length}: at most ${LIMITS.side} are possible, use a crop or a square`,
    );
  }
  const offset = crop === null ? 0 : roundHalfEven((resized - length) / 2);
  return { input, resized, offset, length };
}

/** A kernel by the distance in source pixels, and how far it reaches. */
interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const FILTERS: Readonly<Record<"bilinear" | "bicubic", Filter>> = {
  bilinear: {
    support: 1,
    weight: (distance) => Math.max(0, 1 - Math.abs(distance)),
  },
  bicubic: { support: 2, weight: cubic },
};

/** Keys' kernel with a = −½. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
  return 0;
}

function planAxis(axis: AxisExtent, filter: Filter): AxisPlan {
  const { input, resized, offset, length } = axis;
  const windows = Array.from(
    { length },
    (_, i) => window(offset + i, input, resized, filter),
  );
  const from = windows[0]!.start;
  const last = windows.at(-1)!;
  const to = last.start + last.weights.length;
  const tapCount = Math.max(...windows.map(({ weights }) => weights.length));
  const taps = new Int32Array((1 + tapCount) * length);
  windows.forEach(({ start, weights }, i) => {
    taps[i] = start - from;
    weights.forEach((weight, k) => taps[(1 + k) * length + i] = weight);
  });
  return { ...axis, from, to, isCopy: input === resized, tapCount, taps };
}

interface Window {
  readonly start: number;
  readonly weights: readonly number[];
}

/** Which input pixels make output pixel `at`, and their fixed-point weights. */
function window(
  at: number,
  input: number,
  resized: number,
  filter: Filter,
): Window {
  if (input === resized) return { start: at, weights: [1 << PRECISION_BITS] };
  const scale = input / resized;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const center = (at + 0.5) * scale;
  const start = Math.max(0, Math.trunc(center - support + 0.5));
  const end = Math.min(input, Math.trunc(center + support + 0.5));
  const weights: number[] = [];
  let sum = 0;
  for (let i = start; i < end; i++) {
    const weight = filter.weight((i - center + 0.5) * (1 / stretch));
    weights.push(weight);
    sum += weight;
  }
  return { start, weights: weights.map((weight) => fixed(weight / sum)) };
}

function fixed(weight: number): number {
  const scaled = weight * (1 << PRECISION_BITS);
  return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/** Rounds as Python's `round`: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
