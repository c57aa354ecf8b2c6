import {
  type Gpu,
  type Program,
  RowChunks,
  type Tensor,
} from "../../gpu/mod.ts";
import { foregroundMask } from "../../wgsl/foreground_mask.ts";
import type { ForegroundSettings } from "../settings/settings.ts";
import type { PatchFeatures } from "./patch_features.ts";
import { PrincipalComponents } from "./principal_components.ts";

/**
 * Tells which patches of an image are of the part, by the first principal
 * component of the image's own features (Damm et al. 2025, §3.3).
 */
export class Foreground implements Disposable {
  readonly #features: PatchFeatures;
  readonly #settings: ForegroundSettings;
  readonly #rows: RowChunks;
  readonly #principal: PrincipalComponents;
  readonly #components: Tensor;
  readonly #owned: DisposableStack;

  /**
   * Allocates space for the features of a batch and for working memory.
   *
   * @throws {GpuError} If that is more than the adapter binds.
   */
  constructor(gpu: Gpu, features: PatchFeatures, settings: ForegroundSettings) {
    const { patches, paddedDim: dim, maxImages } = features;
    using owned = new DisposableStack();
    this.#features = features;
    this.#settings = settings;
    const count = maxImages * patches;
    this.#rows = owned.use(
      RowChunks.allocate(gpu, count, dim, "features of the foreground", count),
    );
    this.#principal = owned.use(
      new PrincipalComponents(gpu, { images: maxImages, patches, dim }),
    );
    this.#components = owned.use(
      gpu.tensor([maxImages, patches], "f32", "principal components"),
    );
    this.#owned = owned.move();
  }

  /**
   * Records the dispatches that make a batch's masks of its taps.
   *
   * @param mask Where they go, `[≥ images · patches]` (u32): 1 for the part.
   * @param images Images that count, from the first.
   */
  record(
    program: Program,
    taps: readonly Tensor[],
    mask: Tensor,
    images: number,
  ): void {
    const { height, width } = this.#features;
    const { threshold, morphology } = this.#settings;
    this.#features.record(program, taps, this.#rows, { images });
    const [x] = this.#rows.chunks as [Tensor];
    this.#principal.record(program, x, this.#components, images);
    program.dispatch(foregroundMask, {
      images,
      grid: [height, width],
      threshold,
      line: morphology === "line",
    }, { components: this.#components, mask });
  }

  /** Frees the working memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** A mask of an image's patches: 1 for those of the part. */
export type PatchMask = Uint8Array<ArrayBuffer>;

/** Shares between which a part's patches are all of an image's. */
const PART = { least: 0.05, most: 0.8 };

/** The most of the outermost patches that a part covers. */
const MOST_BORDER = 0.35;

/** The least of the middle that it covers. */
const LEAST_MIDDLE = 0.6;

/** The share of the training images that have to look so. */
const MOST_IMAGES = 0.8;

/**
 * Whether masks are used: whether those of the training images look like masks
 * of parts, which lie in the middle of the image and leave ground around. Where
 * a texture fills the image, or the first component tells something else, they
 * do not.
 *
 * @param masks Of training images.
 * @param grid Patch grid, `[height, width]`.
 */
export function usesForeground(
  { mask }: ForegroundSettings,
  masks: readonly PatchMask[],
  grid: readonly [number, number],
): boolean {
  if (mask !== "auto") return mask === "on";
  const fitting = masks.filter((mask) => looksLikePart(mask, grid)).length;
  return masks.length > 0 && fitting >= MOST_IMAGES * masks.length;
}

function looksLikePart(
  mask: PatchMask,
  [height, width]: readonly [number, number],
): boolean {
  const count = { all: 0, border: 0, middle: 0 };
  const set = { all: 0, border: 0, middle: 0 };
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const isBorder = row === 0 || column === 0 || row === height - 1 ||
        column === width - 1;
      const isMiddle = within(row, height) && within(column, width);
      const value = mask[row * width + column]!;
      count.all++;
      set.all += value;
      if (isBorder) {
        count.border++;
        set.border += value;
      }
      if (isMiddle) {
        count.middle++;
        set.middle += value;
      }
    }
  }
  const share = set.all / count.all;
  return share >= PART.least && share <= PART.most &&
    set.border <= MOST_BORDER * count.border &&
    set.middle >= LEAST_MIDDLE * count.middle;
}

/** Whether a place is in the middle half of an axis. */
function within(place: number, size: number): boolean {
  return place >= Math.floor(size / 4) && place < Math.ceil(3 * size / 4);
}
