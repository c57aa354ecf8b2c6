import {
  type Gpu,
  type Program,
  RowChunks,
  type Tensor,
} from "../../gpu/mod.ts";
import { imageMax } from "../../wgsl/image_max.ts";
import { packRows, PANEL_ROWS } from "../../wgsl/pack_rows.ts";
import { packedNorms } from "../../wgsl/packed_norms.ts";
import { sampleMean } from "../../wgsl/sample_mean.ts";
import {
  searchGroupCount,
  searchGroupsInBuffer,
} from "../../wgsl/search_groups.ts";
import { searchRefine } from "../../wgsl/search_refine.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import { recordShift } from "../search/full_search.ts";
import type { TapShape } from "../features/feature_layer.ts";
import { PatchFeatures } from "../features/patch_features.ts";
import { SPADE_FEATURES } from "./scored_images.ts";

interface Rows {
  readonly rows: RowChunks;
  /** The rows minus the mean feature; those searched in are in panels. */
  readonly shifted: Tensor;
  readonly norms: Tensor;
}

/** Bytes that {@linkcode PyramidSearch} allocates for an image of `taps`. */
export function pyramidSearchBytes(taps: readonly TapShape[]): number {
  const [{ height, width }] = taps as [TapShape];
  const patches = height * width;
  const dim = Math.ceil(taps.reduce((sum, tap) => sum + tap.channels, 0) / 4) *
    4;
  const panels = Math.ceil(patches / PANEL_ROWS);
  const scratch = taps.slice(1).reduce(
    (sum, tap) => sum + tap.height * tap.width * tap.channels,
    0,
  );
  return 4 * (2 * patches * dim +
    (patches + panels * PANEL_ROWS) * (dim + 1) +
    patches * searchGroupCount(patches, 1) + scratch);
}

/**
 * Nearest neighbours of one image's feature pixels among those of other
 * images, at any position: exact, image after image, so that memory does not
 * depend on how many images are searched.
 */
export class PyramidSearch implements Disposable {
  /** Height and width of the feature grid. */
  readonly grid: readonly [number, number];
  /** Distances of the image's pixels `[patches]` when all was searched. */
  readonly distances: Tensor;
  readonly #gpu: Gpu;
  readonly #features: PatchFeatures;
  readonly #kappa: number;
  readonly #query: Rows;
  readonly #other: Rows;
  readonly #mean: Tensor;
  readonly #least: Tensor;
  readonly #squared: Tensor;
  readonly #indices: Tensor;
  readonly #image: readonly Tensor[];

  /**
   * @param taps The layers that are concatenated, the first one gives the grid.
   * @param kappa Neighbours whose mean distance counts, 1 to 16.
   * @throws {RangeError} If one image's features are more than a binding.
   */
  constructor(gpu: Gpu, taps: readonly TapShape[], kappa: number) {
    this.#gpu = gpu;
    this.#kappa = kappa;
    this.#features = new PatchFeatures(gpu, taps, SPADE_FEATURES, 1);
    const { patches, paddedDim: dim, height, width } = this.#features;
    this.grid = [height, width];
    const side = (rows: number, label: string): Rows => ({
      rows: RowChunks.allocate(gpu, patches, dim, label, patches),
      shifted: gpu.tensor([rows, dim], "f32", label),
      norms: gpu.tensor([rows], "f32", label),
    });
    this.#query = side(patches, "SPADE features of the image");
    this.#other = side(
      Math.ceil(patches / PANEL_ROWS) * PANEL_ROWS,
      "SPADE features of a training image",
    );
    const groups = searchGroupCount(patches, 1);
    this.#mean = gpu.tensor([dim], "f32", "mean feature");
    this.#least = gpu.tensor([patches, groups], "f32", "least of groups");
    this.#squared = gpu.tensor([patches, kappa], "f32", "distances");
    this.#indices = gpu.tensor([patches, kappa], "u32", "neighbours");
    this.distances = gpu.tensor([patches], "f32", "pixel distances");
    this.#image = [0, 1, 2].map(() => gpu.tensor([1], "u32", "image maximum"));
  }

  /** Records the features of the image that is searched for. */
  recordQuery(program: Program, taps: readonly Tensor[]): void {
    const { rows } = this.#query;
    this.#features.record(program, taps, rows, { images: 1 });
    program.dispatch(sampleMean, { rows: rows.rows, dim: rows.dim }, {
      rows: rows.chunks[0]!,
      mean: this.#mean,
    });
    recordShift(program, { rows: rows.rows, dim: rows.dim }, {
      ...this.#query,
      rows: rows.chunks[0]!,
      shift: this.#mean,
    });
  }

  /**
   * Records the search in one more image.
   *
   * @param taps The image's taps, `[1, height, width, channels]` each.
   * @param order 0 for the first image, then ascending.
   */
  recordImage(program: Program, taps: readonly Tensor[], order: number): void {
    const { rows } = this.#other;
    this.#features.record(program, taps, rows, { images: 1 });
    this.#packOther(program);
    const sizes = {
      queries: rows.rows,
      dim: rows.dim,
      rows: rows.rows,
      panelsPerGroup: 1,
      exclude: false,
    };
    const { shifted, norms } = this.#other;
    const unused = { images: norms, query_images: norms };
    program.dispatch(this.#gpu.pick(searchGroupsInBuffer), sizes, {
      queries: this.#query.shifted,
      bank: shifted,
      norms,
      ...unused,
      least: this.#least,
    });
    program.dispatch(searchRefine, {
      ...sizes,
      first: 0,
      base: order * rows.rows,
      groups: searchGroupCount(rows.rows, 1),
      k: this.#kappa,
      start: order === 0,
      slack: (rows.dim + 16) * 2 ** -23,
      lanes: this.#gpu.pick(WORKGROUP_LANES),
    }, {
      queries: this.#query.rows.chunks[0]!,
      query_norms: this.#query.norms,
      bank: rows.chunks[0]!,
      ...unused,
      least: this.#least,
      distances: this.#squared,
      indices: this.#indices,
    });
  }

  /** Records the end of the search: the pixels' distances. */
  recordDistances(program: Program, squared: boolean): void {
    const { rows } = this.#query.rows;
    const [scores, worst, nearest] = this.#image as [Tensor, Tensor, Tensor];
    program.dispatch(imageMax, {
      images: 1,
      patches: rows,
      neighbours: this.#kappa,
      used: this.#kappa,
      squared,
    }, {
      distances: this.#squared,
      indices: this.#indices,
      patch_scores: this.distances,
      scores,
      worst,
      nearest,
    });
  }

  #packOther(program: Program): void {
    const { rows, shifted: packed, norms } = this.#other;
    program.dispatch(
      packRows,
      { rows: rows.rows, dim: rows.dim, shift: true },
      { rows: rows.chunks[0]!, shift: this.#mean, packed },
    );
    program.dispatch(
      packedNorms,
      { rows: rows.rows, dim: rows.dim },
      { packed, norms },
    );
  }

  /** Frees everything. */
  [Symbol.dispose](): void {
    this.#features[Symbol.dispose]();
    for (const { rows, shifted, norms } of [this.#query, this.#other]) {
      for (const part of [rows, shifted, norms]) part.dispose();
    }
    for (
      const tensor of [
        this.#mean,
        this.#least,
        this.#squared,
        this.#indices,
        this.distances,
        ...this.#image,
      ]
    ) tensor.dispose();
  }
}
