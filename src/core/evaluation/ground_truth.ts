import type { MaskSource, Sample } from "../datasets/dataset.ts";
import type { Files } from "../datasets/files.ts";
import { type NpyArray, npyFrame, parseNpy } from "../images/npy.ts";
import type { SizeLimit } from "../images/decode.ts";
import { decodeMask } from "../images/mask.ts";
import {
  type AxisPlan,
  planResize,
  type ResizePlan,
  type ResizeSettings,
} from "../images/resize_plan.ts";
import {
  applyMaskRule,
  type BinaryMask,
  type MaskRule,
} from "../metrics/mask_rule.ts";
import { isLabelMap } from "../images/label_map.ts";

/** How ground truth is brought to the geometry of anomaly maps. */
interface GroundTruthOptions extends SizeLimit {
  /** Input geometry of the model. */
  readonly geometry: ResizeSettings;
  /** Which grey values are anomalous. */
  readonly rule: MaskRule;
}

/** Size of an image in pixels. */
export interface ImageSize {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/**
 * Reads ground-truth masks and resizes and crops them like their images, so
 * that they lie over the anomaly maps pixel by pixel.
 */
export class GroundTruth {
  readonly #files: Files;
  readonly #options: GroundTruthOptions;
  #labelMaps = 0;
  #frames: { readonly path: string; readonly array: NpyArray } | undefined;

  /**
   * @param files The file system.
   * @param options Input geometry and mask rule.
   */
  constructor(files: Files, options: GroundTruthOptions) {
    this.#files = files;
    this.#options = options;
  }

  /**
   * The mask of an image. One that holds numbers of classes, such as 0 and 1,
   * instead of 0 and 255 is anomalous wherever it is not 0.
   *
   * @param sample The image.
   * @param image Its size before the resize, for the error.
   * @returns Ones and zeros over the anomaly map; nothing where the dataset
   * has no mask, as for normal images.
   * @throws {RangeError} If the mask has another size than its image.
   */
  async mask(
    { path, mask: source }: Sample,
    image: ImageSize,
  ): Promise<BinaryMask | undefined> {
    if (source === undefined) return undefined;
    const mask = await this.#union(source, path);
    if (mask.width !== image.width || mask.height !== image.height) {
      throw new RangeError(
        `Cannot use mask "${source.path}": it has ${mask.width} × ${mask.height} pixels, its image "${path}" has ${image.width} × ${image.height}`,
      );
    }
    const { geometry, rule } = this.#options;
    // Bicubic weights below 0 would make edges of their own.
    const plan = planResize(mask.width, mask.height, {
      ...geometry,
      resample: "bilinear",
    });
    return applyMaskRule(resizeMask(mask, plan).gray, rule);
  }

  /** Number of masks so far that held numbers of classes instead of 0 and 255. */
  get labelMaps(): number {
    return this.#labelMaps;
  }

  /** The masks of an image in one: the largest level of each pixel. */
  async #union(source: MaskSource, image: string): Promise<GreyMask> {
    const mask = await this.#read(source);
    for (const path of source.others ?? []) {
      const { frame: _, ...rest } = source;
      const other = await this.#read({ ...rest, path });
      if (other.width !== mask.width || other.height !== mask.height) {
        throw new RangeError(
          `Cannot use the masks of "${image}": "${path}" has ${other.width} × ${other.height} pixels, "${source.path}" has ${mask.width} × ${mask.height}`,
        );
      }
      for (let i = 0; i < mask.gray.length; i++) {
        mask.gray[i] = Math.max(mask.gray[i]!, other.gray[i]!);
      }
    }
    return mask;
  }

  async #read(source: MaskSource): Promise<GreyMask> {
    const { path, frame, nonZero = false } = source;
    if (frame !== undefined) {
      if (this.#frames?.path !== path) {
        const array = parseNpy(await this.#files.read(path), path);
        this.#frames = { path, array };
      }
      return npyFrame(this.#frames.array, frame, path);
    }
    const { width, height, data } = await decodeMask(
      await this.#files.read(path),
      path,
      this.#options,
    );
    const gray = new Uint8Array(width * height);
    for (let i = 0; i < gray.length; i++) {
      const level = Math.max(data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!);
      gray[i] = nonZero && level > 0 ? 255 : level;
    }
    if (!nonZero && isLabelMap(gray, width)) {
      this.#labelMaps++;
      for (let i = 0; i < gray.length; i++) if (gray[i]! > 0) gray[i] = 255;
    }
    return { width, height, gray };
  }
}

/** A grey image: a mask before it is judged pixel by pixel. */
interface GreyMask {
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
function resizeMask(mask: GreyMask, plan: ResizePlan): GreyMask {
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
