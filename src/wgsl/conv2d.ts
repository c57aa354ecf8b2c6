import type { Names } from "./expand.ts";
import activation from "./activation.wgsl" with { type: "text" };
import { type Epilogue, epilogueParams } from "./epilogue.ts";
import epilogue from "./epilogue.wgsl" with { type: "text" };
import { defineKernel, type Dispatch, type Kernel } from "./kernel.ts";
import direct from "./conv2d/tile_direct.wgsl" with { type: "text" };
import interfacePart from "./conv2d/interface.wgsl" with { type: "text" };
import shared from "./conv2d/tile_shared.wgsl" with { type: "text" };
import shared128 from "./conv2d/tile_shared_128.wgsl" with { type: "text" };
import shared64 from "./conv2d/tile_shared_64.wgsl" with { type: "text" };
import subgroup8 from "./conv2d/tile_subgroup8.wgsl" with { type: "text" };
import weightsAt from "./conv2d/weights_at.wgsl" with { type: "text" };
import weightsF16 from "./conv2d/weights_f16.wgsl" with { type: "text" };
import weightsImageF16 from "./conv2d/weights_image_f16.wgsl" with {
  type: "text",
};
import weightsImageF32 from "./conv2d/weights_image_f32.wgsl" with {
  type: "text",
};
import weightsF32 from "./conv2d/weights_f32.wgsl" with { type: "text" };

/** Sizes of one convolution, or of `batches` matrix products of one shape. */
export interface Conv2dSizes extends Epilogue {
  /** Images. */
  readonly images: number;
  /** Input size `[height, width]` in pixels. */
  readonly input: readonly [number, number];
  /** Input channels divided by 4, rounded up. */
  readonly inputChannels4: number;
  /**
   * From one pixel to the next, in units of 4 channels; `inputChannels4` by
   * default. Less, and a pixel's channels go on in those to its right.
   */
  readonly pitch4?: number;
  /** Output size `[height, width]` in pixels. */
  readonly output: readonly [number, number];
  /** Output channels divided by 4, rounded up. */
  readonly outputChannels4: number;
  /** Kernel size `[height, width]`; 1 × 1 by default. */
  readonly kernel?: readonly [number, number];
  /** Strides `[y, x]`; 1 by default. */
  readonly strides?: readonly [number, number];
  /** Zero padding `[top, left]`; the far sides follow from the output size. */
  readonly pads?: readonly [number, number];
  /** Dilations `[y, x]`; 1 by default. */
  readonly dilations?: readonly [number, number];
  /** Independent products of this shape; 1 by default. */
  readonly batches?: number;
  /**
   * Partial sums of each product, 1 by default: `y` then gets so many, each
   * over a part of the inputs, for `sum_parts` to add up. Tiles through
   * workgroup memory only.
   */
  readonly splits?: number;
}

/** Parameters of a window, as convolution kernels name them. */
export function windowParams(
  sizes: Pick<Conv2dSizes, "kernel" | "strides" | "pads" | "dilations">,
): Record<
  | "kernel_height"
  | "kernel_width"
  | "stride_y"
  | "stride_x"
  | "pad_top"
  | "pad_left"
  | "dilation_y"
  | "dilation_x",
  number
> {
  const [kernelHeight, kernelWidth] = sizes.kernel ?? [1, 1];
  const [strideY, strideX] = sizes.strides ?? [1, 1];
  const [padTop, padLeft] = sizes.pads ?? [0, 0];
  const [dilationY, dilationX] = sizes.dilations ?? [1, 1];
  return {
    kernel_height: kernelHeight,
    kernel_width: kernelWidth,
    stride_y: strideY,
    stride_x: strideX,
    pad_top: padTop,
    pad_left: padLeft,
    dilation_y: dilationY,
    dilation_x: dilationX,
  };
}

function planFor(
  tileRows: number,
  tileColumns4: number,
  canSplit = false,
): (sizes: Conv2dSizes) => Dispatch {
  return (sizes) => {
    const { images, input, output, inputChannels4, outputChannels4 } = sizes;
    const { splits = 1, batches = 1 } = sizes;
    if (splits !== 1 && !canSplit) {
      throw new RangeError(
        `Cannot split a convolution into ${splits} partial sums: its tile does not go through workgroup memory`,
      );
    }
    const { overrides, params } = epilogueParams(sizes);
    const window = windowParams(sizes);
    const rows = images * output[0] * output[1];
    const taps = window.kernel_height * window.kernel_width;
    return {
      overrides,
      params: {
        rows,
        columns: outputChannels4,
        channels: inputChannels4,
        pitch: sizes.pitch4 ?? inputChannels4,
        height: input[0],
        width: input[1],
        out_height: output[0],
        out_width: output[1],
        ...window,
        x_batch: images * input[0] * input[1] * inputChannels4,
        w_batch: taps * inputChannels4 * 4 * outputChannels4,
        y_batch: rows * outputChannels4,
        splits,
        ...params,
      },
      workgroups: [
        Math.ceil(rows / tileRows),
        Math.ceil(outputChannels4 / tileColumns4),
        batches * splits,
      ],
    };
  };
}

/** Texts that declare the binding `w` and `load_w`, by precision. */
const IN_BUFFERS: Readonly<Record<WeightPrecision, string>> = {
  f32: weightsF32,
  f16: weightsF16,
};

/** The same for weights in images. */
const IN_IMAGES: typeof IN_BUFFERS = {
  f32: weightsImageF32,
  f16: weightsImageF16,
};

/** How the tiles in registers load weights: from the running index `k` on. */
const LOADS = { weights_at: weightsAt, at: "k" } as const;

interface FamilyOptions {
  /** Where weights are; in buffers by default. */
  readonly weights?: typeof IN_BUFFERS;
  /** What names in the tile stand for. */
  readonly names?: Names;
}

function family(
  name: string,
  tile: string,
  plan: Kernel<Conv2dSizes>["plan"],
  { weights = IN_BUFFERS, names }: FamilyOptions = {},
): Conv2dFamily {
  const kernel = (
    kernelName: string,
    load: string,
  ): Conv2dFamily[WeightPrecision] =>
    defineKernel({
      name: kernelName,
      source: activation + epilogue + load + interfacePart + tile,
      names,
      plan,
    });
  return {
    f32: kernel(name, weights.f32),
    f16: kernel(`${name}_f16`, weights.f16),
  };
}

/** How weights are stored; sums are always float32. */
export type WeightPrecision = "f32" | "f16";

/** A convolution kernel for each precision of the weights. */
export type Conv2dFamily = Readonly<
  Record<
    WeightPrecision,
    Kernel<Conv2dSizes, "x" | "w" | "bias" | "residual" | "y">
  >
>;

/** Implicit-GEMM convolution (ONNX Conv, groups = 1) in registers: runs everywhere. */
export const conv2dDirect: Conv2dFamily = family(
  "conv2d_direct",
  direct,
  planFor(8, 16),
  { names: LOADS },
);

/** The same for subgroups of exactly 8 lanes (llvmpipe). */
export const conv2dSubgroup8: Conv2dFamily = family(
  "conv2d_subgroup8",
  subgroup8,
  planFor(16, 16),
  { weights: IN_IMAGES, names: { ...LOADS, rows: 16 } },
);

/** The same with twice the rows a tile: faster where there are many. */
export const conv2dSubgroup8Tall: Conv2dFamily = family(
  "conv2d_subgroup8_tall",
  subgroup8,
  planFor(32, 16),
  { weights: IN_IMAGES, names: { ...LOADS, rows: 32 } },
);

/** The same in tiles of 64 × 64 through workgroup memory, for GPUs. */
export const conv2dShared: Conv2dFamily = family(
  "conv2d_shared",
  shared64 + shared,
  planFor(64, 16, true),
);

/** The same in tiles of 128 × 128: faster where there are many rows. */
export const conv2dSharedLarge: Conv2dFamily = family(
  "conv2d_shared_large",
  shared128 + shared,
  planFor(128, 32, true),
);
