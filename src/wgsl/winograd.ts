import activation from "./activation.wgsl" with { type: "text" };
import { activationParams, type FusedActivation } from "./activation.ts";
import { pixelGrid } from "./grid.ts";
import input from "./winograd_input.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";
import output from "./winograd_output.wgsl" with { type: "text" };

/** Sizes of the input transform of Winograd F(4×4, 3×3). */
export interface WinogradInputSizes {
  /** Images. */
  readonly images: number;
  /** Input channels divided by 4, rounded up. */
  readonly channels4: number;
  /** Input size `[height, width]` in pixels. */
  readonly input: readonly [number, number];
  /** Output size `[height, width]` in pixels. */
  readonly output: readonly [number, number];
  /** Zero padding `[top, left]`. */
  readonly pads: readonly [number, number];
}

/** Sizes of the output transform of Winograd F(4×4, 3×3). */
export interface WinogradOutputSizes {
  /** Images. */
  readonly images: number;
  /** Output channels divided by 4, rounded up. */
  readonly channels4: number;
  /** Output size `[height, width]` in pixels. */
  readonly output: readonly [number, number];
  /** Whether `residual` is added. */
  readonly residual?: boolean;
  /** What is applied last. */
  readonly activation?: FusedActivation;
}

/** Tiles of 4 × 4 outputs `[vertical, horizontal]` of one image. */
export function winogradTiles(
  [height, width]: readonly [number, number],
): readonly [number, number] {
  return [Math.ceil(height / 4), Math.ceil(width / 4)];
}

/** `V = Bᵀ d B`: NHWC → `[36, tiles, 4 · channels4]`. */
export const winogradInput: Kernel<WinogradInputSizes, "x" | "y"> =
  defineKernel({
    name: "winograd_input",
    source: input,
    plan({ images, channels4, input, output, pads }) {
      const [tilesY, tilesX] = winogradTiles(output);
      const tiles = images * tilesY * tilesX;
      return {
        params: {
          channels: channels4,
          tiles,
          tiles_y: tilesY,
          tiles_x: tilesX,
          height: input[0],
          width: input[1],
          pad_top: pads[0],
          pad_left: pads[1],
        },
        workgroups: pixelGrid(channels4, tiles),
      };
    },
  });

/** `Y = activate(Aᵀ M A + bias + residual)`: `[36, tiles, 4 · channels4]` → NHWC. */
export const winogradOutput: Kernel<
  WinogradOutputSizes,
  "x" | "bias" | "residual" | "y"
> = defineKernel({
  name: "winograd_output",
  source: activation + output,
  plan({ images, channels4, output, residual, activation }) {
    const [tilesY, tilesX] = winogradTiles(output);
    const tiles = images * tilesY * tilesX;
    const { code, low, high } = activationParams(activation);
    return {
      overrides: { RESIDUAL: residual ? 1 : 0, ACTIVATION: code },
      params: {
        channels: channels4,
        tiles,
        tiles_y: tilesY,
        tiles_x: tilesX,
        out_height: output[0],
        out_width: output[1],
        act_low: low,
        act_high: high,
      },
      workgroups: pixelGrid(channels4, tiles),
    };
  },
});
