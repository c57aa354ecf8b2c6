import activation from "./activation.wgsl" with { type: "text" };
import { activationParams, type FusedActivation } from "./activation.ts";
import main from "./elementwise.wgsl" with { type: "text" };
import { pixelGrid } from "./grid.ts";
import type { Kernel } from "./kernel.ts";

const OPERATIONS: Readonly<Record<ElementwiseOperation, number>> = {
  none: 0,
  add: 1,
  subtract: 2,
  multiply: 3,
  divide: 4,
  affine: 5,
  subtract_from: 6,
  divide_into: 7,
};

const BROADCASTS: Readonly<Record<ElementwiseBroadcast, number>> = {
  same: 0,
  channel: 1,
  image_channel: 2,
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
  | "divide_into";

/** How `b` of {@linkcode elementwise} stretches over `x`. */
export type ElementwiseBroadcast = "same" | "channel" | "image_channel";

/** Sizes of an element-wise map over `[images, pixels, 4·⌈channels/4⌉]`. */
export interface ElementwiseSizes {
  /** Images. */
  readonly images: number;
  /** Pixels of an image. */
  readonly pixels: number;
  /** Channels, without padding to 4. */
  readonly channels: number;
  /** `b - x` is `subtract_from`, `x · b + c` is `affine`. */
  readonly operation: ElementwiseOperation;
  /** Shape of `b`; the same as `x` by default. */
  readonly broadcast?: ElementwiseBroadcast;
  /** What is applied last. */
  readonly activation?: FusedActivation;
}

/** Element-wise arithmetic and activations (ONNX Add, Mul, Relu, BatchNormalization, …). */
export const elementwise: Kernel<ElementwiseSizes, "x" | "b" | "c" | "y"> = {
  name: "elementwise",
  source: activation + main,
  bindings: { x: "read", b: "read", c: "read", y: "read_write" },
  params: {
    channels: "u32",
    pixels: "u32",
    pixels_per_image: "u32",
    act_low: "f32",
    act_high: "f32",
    real_channels: "u32",
  },
  overrides: { OPERATION: 0, BROADCAST: 0, ACTIVATION: 0 },
  plan({ images, pixels, channels, operation, broadcast, activation }) {
    const channels4 = Math.ceil(channels / 4);
    const { code, low, high } = activationParams(activation);
    return {
      overrides: {
        OPERATION: OPERATIONS[operation],
        BROADCAST: BROADCASTS[broadcast ?? "same"],
        ACTIVATION: code,
      },
      params: {
        channels: channels4,
        pixels: images * pixels,
        pixels_per_image: pixels,
        act_low: low,
        act_high: high,
        real_channels: channels,
      },
      workgroups: pixelGrid(channels4, images * pixels),
    };
  },
};
