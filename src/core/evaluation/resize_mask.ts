import type { AxisPlan, ResizePlan } from "../images/resize_plan.ts";

/** A grey image: a mask before it is judged pixel by pixel. */
export interface GreyMask {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** `[H, W]`, 0 (normal) to 255 (anomalous), row by row. */
  readonly gray: Uint8Array;
}

/**
 * Resizes and crops a mask exactly as its image: Pillow's antialiased
 * `BILINEAR` with its rounding to bytes between the two passes, then
 * torchvision's centre crop. Edges of defects become grey, as in the published
 * evaluation.
 *
 * @param mask The mask in its original size.
 * @param plan The plan of an image of that size.
 */
export function resizeMask(mask: GreyMask, plan: ResizePlan): GreyMask {
  const { columns, rows } = plan;
  const width = columns.length;
  const height = rows.length;
  const between = new Uint8Array((rows.to - rows.from) * width);
  resample(columns, {
    lines: rows.to - rows.from,
    from: mask.gray.subarray(rows.from * mask.width),
    step: 1,
    stride: mask.width,
    to: between,
    toStep: 1,
    toStride: width,
    first: columns.from,
  });
  const gray = new Uint8Array(height * width);
  resample(rows, {
    lines: width,
    from: between,
    step: width,
    stride: 1,
    to: gray,
    toStep: width,
    toStride: 1,
    first: 0,
  });
  return { width, height, gray };
}

interface Pass {
  readonly lines: number;
  readonly from: Uint8Array;
  readonly step: number;
  readonly stride: number;
  readonly to: Uint8Array;
  readonly toStep: number;
  readonly toStride: number;
  readonly first: number;
}

const HALF = 1 << 21;
const PRECISION_BITS = 22;

function resample({ taps, tapCount, length }: AxisPlan, pass: Pass): void {
  const { lines, from, step, stride, to, toStep, toStride, first } = pass;
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let at = line * stride + (first + taps[i]!) * step;
      let sum = HALF;
      for (let k = 1; k <= tapCount; k++, at += step) {
        const weight = taps[k * length + i]!;
        if (weight !== 0) sum += from[at]! * weight;
      }
      const value = sum >> PRECISION_BITS;
      to[line * toStride + i * toStep] = Math.min(255, Math.max(0, value));
    }
  }
}
