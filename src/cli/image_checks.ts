import {
  type CropGeometry,
  planExtents,
  type ResizeSettings,
} from "../core/images/resize_plan.ts";
import { bitsOf, type SampleExtent } from "../core/images/samples.ts";
import { distinctColors } from "../core/images/distinct_colors.ts";
import type { SampleRange } from "../core/settings/settings.ts";
import { FileError } from "./disk.ts";
import type { FilePixels } from "./read_pixels.ts";
import type { Terminal } from "./terminal.ts";

/** Unused bits of a sample that are told: of 16, at most 14 hold something. */
const TOLD_BITS = 2;

/** Share of a range that samples may lie beyond it without a word. */
const SILENT_EXCESS = 0.25;

interface ImageChecksOptions {
  /** Whether images that look like masks are refused. */
  readonly refuseMasks: boolean;
  /** Share of an image that may be hidden without a word. */
  readonly silentShare: number;
  /** What to do about a crop that hides too much. */
  readonly advice: string;
  /** What to do before a range, such as `0..4095`, so that it is used. */
  readonly rangeAdvice: string;
}

/** What the network saw of images. */
export interface SeenImages {
  /** The smallest share of an image, from 0 to 1. */
  readonly least: number;
  /** The largest. */
  readonly most: number;
  /** The box in each, where all are of one size. */
  readonly box?: CropGeometry;
}

/**
 * Looks at the images of a run for what would otherwise go wrong without a
 * word: a crop that hides much, files that use few of their bits or go beyond
 * the range, further pages, blank images, masks among images of good parts. Each
 * is told once, with an example; the end tells how many there were.
 */
export class ImageChecks {
  /** How images become the network's input; nothing is cropped without it. */
  geometry: ResizeSettings | undefined;
  /** Which samples become black and white. */
  range: SampleRange | undefined;
  readonly #terminal: Terminal;
  readonly #options: ImageChecksOptions;
  readonly #seen = new Map<string, number>();
  #dark = 0;
  #clipped = 0;
  #paged = 0;
  #box: CropGeometry | undefined;
  #cut = 0;
  #blank = 0;
  #refusal: FileError | undefined;

  /** Tells what it finds on a terminal. */
  constructor(terminal: Terminal, options: ImageChecksOptions) {
    this.#terminal = terminal;
    this.#options = options;
  }

  /** What the network saw of the images; nothing while there are none. */
  get seen(): SeenImages | undefined {
    if (this.#seen.size === 0) return undefined;
    let [least, most] = [1, 0];
    for (const share of this.#seen.values()) {
      if (share < least) least = share;
      if (share > most) most = share;
    }
    return { least, most, ...this.#box && { box: this.#box } };
  }

  /**
   * Looks at an image.
   *
   * @throws {FileError} If it looks like a mask and masks are refused.
   */
  readonly look = (
    path: string,
    { pixels, extent, pages }: FilePixels,
  ): void => {
    if (this.#seen.has(path)) return;
    const colors = distinctColors(pixels);
    if (this.#options.refuseMasks && colors === 2) {
      this.#refusal = new FileError(
        `Refused to fit "${path}": it has two levels alone, as masks have; leave it out, or add --all if it is an image of a good part`,
      );
      throw this.#refusal;
    }
    if (colors === 1 && this.#blank++ === 0) {
      this.#terminal.warn(`"${path}" is of one colour: it shows nothing`);
    }
    const { width, height } = pixels;
    const box = this.geometry === undefined
      ? { width, height, left: 0, top: 0, right: width, bottom: height }
      : planExtents(width, height, this.geometry).geometry;
    const share = (box.right - box.left) * (box.bottom - box.top) /
      (width * height);
    if (this.#seen.size === 0) this.#box = box;
    if (this.#box?.width !== width || this.#box.height !== height) {
      this.#box = undefined;
    }
    this.#seen.set(path, share);
    if (1 - share > this.#options.silentShare && this.#cut++ === 0) {
      this.#terminal.warn(
        `The crop hides ${
          percent(1 - share)
        } of "${path}" (${width} × ${height}): nothing there is looked at; ${this.#options.advice}`,
      );
    }
    if (pages !== undefined && this.#paged++ === 0) {
      this.#terminal.message(
        `"${path}" has ${pages} pages: the first is taken`,
      );
    }
    if (extent !== undefined) this.#lookAtSamples(path, extent);
  };

  #lookAtSamples(path: string, extent: SampleExtent): void {
    const { bits, kind, least, most } = extent;
    const { rangeAdvice } = this.#options;
    if (this.range === undefined) {
      const used = Math.max(8, bitsOf(most));
      if (kind !== "unsigned" || bits - used < TOLD_BITS) return;
      if (this.#dark++ > 0) return;
      this.#terminal.warn(
        `"${path}" has ${bits} bits a sample and uses the lower ${used}: only the highest 8 are taken, so that it is ${
          bits - used < 4 ? "dark" : "nearly black"
        }; ${rangeAdvice} --range auto, or --range 0..${2 ** used - 1}`,
      );
      return;
    }
    const { low, high } = this.range;
    const slack = (high - low) * SILENT_EXCESS;
    if (least >= low - slack && most <= high + slack) return;
    if (this.#clipped++ > 0) return;
    this.#terminal.warn(
      `"${path}" has samples from ${least} to ${most}, the range is ${low}..${high}: those beyond are all black or all white; ${rangeAdvice} a --range that holds them`,
    );
  }

  /** Throws what made a run impossible, if anything did. */
  throwIfRefused(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** Tells how many images there were of each kind. */
  finish(): void {
    const { size } = this.#seen;
    if (this.#cut > 1) {
      this.#terminal.warn(
        `The crop hides more than ${
          percent(this.#options.silentShare)
        } of ${this.#cut} of ${size} images, up to ${
          percent(1 - this.seen!.least)
        }`,
      );
    }
    if (this.#blank > 1) {
      this.#terminal.warn(`${this.#blank} of ${size} images are of one colour`);
    }
    if (this.#dark > 1) {
      this.#terminal.warn(
        `${this.#dark} of ${size} images do not use the upper bits of their samples`,
      );
    }
    if (this.#clipped > 1) {
      this.#terminal.warn(
        `${this.#clipped} of ${size} images have samples far beyond the range`,
      );
    }
    if (this.#paged > 1) {
      this.#terminal.message(
        `${this.#paged} of ${size} images have several pages: the first is taken`,
      );
    }
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0.99 ? 1 : 0)} %`;
}
