import activation from "./activation.wgsl" with { type: "text" };
import { activationParams, type FusedActivation } from "./activation.ts";
import main from "./elementwise.wgsl" with { type: "text" };
import { pixelGrid } from "./grid.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

const OPERATIONS: Readonly<Record<ElementwiseOperation, number>> = {
  none: 0,
  add: 1,
  subtract: 2,
  multiply: 3,
  divide: 4,
  affine: 5,
  subtract_from: 6,
  divide_into: 7,
  prelu: 8,
};

const BROADCASTS: Readonly<Record<ElementwiseBroadcast, number>> = {
  same: 0,
  channel: 1,
  image_channel: 2,
  strided: 3,
};

/** What is computed of `x`, `b` and, for `affine`, `c`. */
export type ElementwiseOperation =
  | "none"
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "affine"
  | "subtract_from"
  | "divide_into"
  | "prelu";

/** How `b` of {@linkcode elementwise} stretches over `x`. */
export type ElementwiseBroadcast =
  | "same"
  | "channel"
  | "image_channel"
  | "strided";

/** A `b` of {@linkcode elementwise} that has 1 wherever it stays the same along an axis. */
export interface ElementwiseOperand {
  /** Width of x's images. */
  readonly width: number;
  /** Extents of `b`: images, channels, rows, columns; each 1 or as x's. */
  readonly shape: readonly [number, number, number, number];
}

/** Sizes of an element-wise map over `[images, pixels, 4·⌈channels/4⌉]`. */
export interface ElementwiseSizes {
  /** Images. */
  readonly images: number;
  /** Pixels of an image. */
  readonly pixels: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
  /** `b - x` is `subtract_from`, `x · b + c` is `affine`, `x < 0 ? x · b : x` is `prelu`. */
  readonly operation: ElementwiseOperation;
  /** Shape of `b`; the same as `x` by default. */
  readonly broadcast?: ElementwiseBroadcast;
  /** What `b` is where it is strided. */
  readonly operand?: ElementwiseOperand;
  /** What is applied last. */
  readonly activation?: FusedActivation;
}

/** Element-wise arithmetic and activations (ONNX Add, Mul, Relu, BatchNormalization, …). */
export const elementwise: Kernel<ElementwiseSizes, "x" | "b" | "c" | "y"> =
  defineKernel({
    name: "elementwise",
    source: activation + main,
    plan(sizes) {
      const { images, pixels, channels, operation, broadcast, activation } =
        sizes;
      const { operand = { width: 1, shape: [1, 2, 1, 1] } } = sizes;
      const [bImages, bChannels, bRows, bColumns] = operand.shape;
      const b4 = Math.ceil(bChannels / 4);
      const channels4 = Math.ceil(channels / 4);
      const { code, low, high } = activationParams(activation);
      return {
        overrides: {
          OPERATION: OPERATIONS[operation],
          BROADCAST: BROADCASTS[broadcast ?? "same"],
          ONE_CHANNEL: bChannels === 1 ? 1 : 0,
          ACTIVATION: code,
        },
        params: {
          channels: channels4,
          pixels: images * pixels,
          pixels_per_image: pixels,
          act_low: low,
          act_high: high,
          real_channels: channels,
          width: operand.width,
          b_image: bImages > 1 ? bRows * bColumns * b4 : 0,
          b_row: bRows > 1 ? bColumns * b4 : 0,
          b_column: bColumns > 1 ? b4 : 0,
          b_channel: bChannels > 1 ? 1 : 0,
        },
        workgroups: pixelGrid(channels4, images * pixels),
      };
    },
  });
