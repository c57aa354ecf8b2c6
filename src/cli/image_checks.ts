import {
  type CropGeometry,
  planExtents,
  type ResizeSettings,
} from "../core/images/resize_plan.ts";
import { distinctColors } from "../core/images/distinct_colors.ts";
import { FileError } from "./disk.ts";
import type { FilePixels } from "./read_pixels.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Share of an image that may be hidden without a word: the paper's crop, 224 of
 * 256 pixels, hides 23.4 % of a square.
 */
const SILENT_SHARE = 0.25;

/** Unused bits of 16 that are told: at most 14 bits hold something. */
const TOLD_BITS = 2;

interface ImageChecksOptions {
  /** Whether images that look like masks are refused. */
  readonly refuseMasks: boolean;
  /** What to do about a crop that hides too much. */
  readonly advice: string;
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
 * word: a crop that hides much, dark 16-bit files, blank images, masks among
 * images of good parts. Each is told once, with an example; the end tells how many there were.
 */
export class ImageChecks {
  /** How images become the network's input; nothing is cropped without it. */
  geometry: ResizeSettings | undefined;
  readonly #terminal: Terminal;
  readonly #options: ImageChecksOptions;
  readonly #seen = new Map<string, number>();
  readonly #dark = new Set<string>();
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
  readonly look = (path: string, { pixels, unused }: FilePixels): void => {
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
    if (1 - share > SILENT_SHARE && this.#cut++ === 0) {
      this.#terminal.warn(
        `The crop hides ${
          percent(1 - share)
        } of "${path}" (${width} × ${height}): nothing there is looked at; ${this.#options.advice}`,
      );
    }
    if (unused < TOLD_BITS) return;
    if (this.#dark.size === 0) {
      this.#terminal.warn(
        `"${path}" has 16 bits a sample, but uses at most the lower ${
          16 - unused
        }: only the highest 8 are taken, so that it is ${
          unused < 4 ? "dark" : "nearly black"
        }; scale its levels to 16 bits, or write 8`,
      );
    }
    this.#dark.add(path);
  };

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
          percent(SILENT_SHARE)
        } of ${this.#cut} of ${size} images, up to ${
          percent(1 - this.seen!.least)
        }`,
      );
    }
    if (this.#blank > 1) {
      this.#terminal.warn(`${this.#blank} of ${size} images are of one colour`);
    }
    if (this.#dark.size > 1) {
      this.#terminal.warn(
        `${this.#dark.size} of ${size} images have 16 bits a sample and do not use the upper ones`,
      );
    }
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0.99 ? 1 : 0)} %`;
}
