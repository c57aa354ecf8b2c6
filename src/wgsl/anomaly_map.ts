import source from "./anomaly_map.wgsl" with { type: "text" };
import { defineKernel, type Kernel } from "./kernel.ts";

/** Outputs that share their source points. */
const BLOCK = 8;

/** Sizes of one axis of the upsampling and smoothing. */
export interface AnomalyMapSizes {
  /** Images. */
  readonly images: number;
  /** Size of the other axis. */
  readonly lines: number;
  /** Size of the axis before. */
  readonly points: number;
  /** Size of the axis after. */
  readonly outputs: number;
}

/** Upsampling and Gaussian smoothing (paper §3.3) along one axis, transposing. */
export const anomalyMap: Kernel<
  AnomalyMapSizes,
  "x" | "blocks" | "weights" | "y"
> = defineKernel({
  name: "anomaly_map",
  source,
  plan({ images, lines, points, outputs }) {
    return {
      params: { lines, points, outputs },
      workgroups: [
        Math.ceil(lines / 64),
        Math.ceil(outputs / BLOCK),
        images,
      ],
    };
  },
});
