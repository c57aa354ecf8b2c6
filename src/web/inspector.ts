import type { DefectRegion, Label, NamedImage } from "../core/mod.ts";
import type { CloseUp, SmallCopy } from "../core/report/small_copy.ts";

/** What the page shows of a region. */
export type ShownRegion = Pick<
  DefectRegion,
  "x" | "y" | "width" | "height" | "area" | "peak"
>;

/** What the page shows of an inspected image. */
export interface Inspection extends Omit<SmallCopy, "patch"> {
  /** Name of the image. */
  readonly name: string;
  /** Raw image score. */
  readonly score: number;
  /** The model's threshold of scores; `null` without one. */
  readonly threshold: number | null;
  /** Score from which on it is uncertain; `null` without such a band. */
  readonly uncertainFrom: number | null;
  /** The model's threshold of maps; `null` without one. */
  readonly mapThreshold: number | null;
  /** The verdict of the model's own thresholds; `null` without one. */
  readonly label: Label | null;
  /** Columns and rows of the image as it was given. */
  readonly size: { readonly width: number; readonly height: number };
  /** Regions above the maps' threshold, in pixels of the image as it was given. */
  readonly regions: readonly ShownRegion[];
  /** Their least area, where they have a say in the verdict. */
  readonly minArea: number | null;
  /** The worst patch, where the image is at hand. */
  readonly patch: CloseUp;
  /** The training patch that it was compared with. */
  readonly nearest: {
    /** Name of the training image. */
    readonly name: string;
    /** Its column in that image, in pixels. */
    readonly x: number;
    /** Its row. */
    readonly y: number;
    /** The patch, where the training image is at hand. */
    readonly closeUp?: CloseUp;
  };
  /** Milliseconds that it took. */
  readonly ms: number;
}

/** Something that inspects images: this device's GPU, or a server. */
export interface Inspector {
  /** Who inspects, for the page's heading. */
  readonly about: string;
  /**
   * Inspects images one after the other.
   *
   * @param onError Called with an image that could not be used.
   */
  inspect(
    images: readonly NamedImage[],
    onError: (error: unknown) => void,
  ): AsyncIterable<Inspection>;
}

/** Most pixels of the sides of what is shown. */
export const SHOWN_SIDE = 640;
