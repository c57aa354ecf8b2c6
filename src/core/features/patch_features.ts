import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { patchMerge } from "../../wgsl/patch_merge.ts";
import { patchPool, type PatchTarget } from "../../wgsl/patch_pool.ts";
import { featureDim, type FeatureSettings, layerBands } from "./bands.ts";
import {
  type FeatureLayer,
  featureLayer,
  patchGrid,
  type TapShape,
} from "./feature_layer.ts";
import { RegionRows } from "./region_rows.ts";

/** Where {@linkcode PatchFeatures.record} writes. */
export interface PatchRows {
  /** The row of the first image's first patch, 0 by default. */
  readonly firstRow?: number;
  /** Images of the batch that count, from the first; all by default. */
  readonly images?: number;
}

/**
 * Turns taps of a backbone into locally aware patch features (paper §3.1), as
 * the published implementation does: each layer's zero-padded neighbourhoods
 * are averaged, deeper layers resampled to the first layer's patch grid, all
 * layers averaged to one vector. Every step is linear, so the averages come
 * first, folded into one, and the resampling last.
 */
export class PatchFeatures implements Disposable {
  /** Height of the patch grid. */
  readonly height: number;
  /** Width of the patch grid. */
  readonly width: number;
  /** Dimension of a patch feature. */
  readonly dim: number;
  /** Elements of a row: the dimension padded to a multiple of 4 with zeros. */
  readonly paddedDim: number;
  /** The most images of a batch. */
  readonly maxImages: number;
  /**
   * Places of the grid that become rows, row · width + column ascending;
   * `undefined`: all.
   */
  readonly places: Uint32Array<ArrayBuffer> | undefined;
  readonly #region: RegionRows | undefined;
  readonly #settings: FeatureSettings;
  readonly #layers: readonly FeatureLayer[];
  readonly #owned: DisposableStack;

  /**
   * Uploads the tables and allocates the space for pooled layers.
   *
   * @param taps The taps, the first one gives the patch grid.
   * @param settings How patches are aggregated and merged.
   * @param places Places of the grid that become rows; all by default.
   * @throws {RangeError} If there is no tap, or one is empty.
   * @throws {GpuError} If a layer of a batch is more than the adapter binds.
   */
  constructor(
    gpu: Gpu,
    taps: readonly TapShape[],
    settings: FeatureSettings,
    maxImages: number,
    places?: Uint32Array<ArrayBuffer>,
  ) {
    checkTaps(taps);
    const channels = taps.map((tap) => tap.channels);
    const { patchSize, stride } = settings;
    const grid = patchGrid(taps[0]!, stride);
    [this.height, this.width] = grid;
    this.dim = featureDim(channels, settings);
    this.paddedDim = Math.ceil(this.dim / 4) * 4;
    this.maxImages = maxImages;
    this.places = places;
    this.#settings = { ...settings, patchSize };
    const parts = layerBands(channels, settings);
    using owned = new DisposableStack();
    this.#layers = taps.map((tap, i) =>
      featureLayer(gpu, owned, tap, parts[i]!, grid, settings, maxImages)
    );
    this.#region = places && owned.use(
      new RegionRows(gpu, {
        places,
        patches: grid[0] * grid[1],
        dim: this.paddedDim,
        maxImages,
      }),
    );
    this.#owned = owned.move();
  }

  /** Patches of one image that take part: the rows it takes. */
  get patches(): number {
    return this.places?.length ?? this.height * this.width;
  }

  /**
   * Records the dispatches that turn a batch's taps into rows: image, row,
   * column of the patch grid. Rows of a batch may lie in several chunks.
   *
   * @param taps The taps `[N, height, width, channels padded to 4]` in order.
   * @param rows Where the features go, `paddedDim` elements a row.
   * @param where From which row on, and how many images.
   * @throws {RangeError} If a shape is not what the constructor was told, or
   * the rows do not fit.
   */
  record(
    program: Program,
    taps: readonly Tensor[],
    rows: RowChunks,
    where: PatchRows = {},
  ): void {
    const { firstRow = 0, images = taps[0]?.shape[0] ?? 0 } = where;
    this.#check(taps, rows, firstRow, images);
    if (this.#region === undefined) {
      return this.#recordAll(program, taps, rows, { firstRow, images });
    }
    const { all } = this.#region;
    this.#recordAll(program, taps, all, { firstRow: 0, images });
    this.#region.record(program, rows, firstRow, images);
  }

  /** Records all patches of the grid. */
  #recordAll(
    program: Program,
    taps: readonly Tensor[],
    rows: RowChunks,
    { firstRow, images }: Required<PatchRows>,
  ): void {
    const patches = this.height * this.width;
    this.#layers.forEach((layer, i) => {
      if (layer.merge !== undefined) {
        this.#recordPooled(program, layer, taps[i]!, images);
      }
      rows.chunks.forEach((chunk, index) => {
        const start = index * rows.rowsPerChunk;
        const [height] = chunk.shape;
        const from = Math.floor((start - firstRow) / patches);
        const to = Math.ceil((start + height! - firstRow) / patches);
        const firstImage = Math.max(0, from);
        const count = Math.min(images, to) - firstImage;
        if (count <= 0) return;
        this.#recordRows(program, layer, taps[i]!, chunk, {
          firstImage,
          images: count,
          firstRow: firstRow - start,
        });
      });
    });
  }

  #recordPooled(
    program: Program,
    layer: FeatureLayer,
    tap: Tensor,
    images: number,
  ): void {
    const { grid, part, bands, weights } = layer;
    program.dispatch(
      patchPool,
      {
        ...this.#poolSizes(layer, tap),
        firstImage: 0,
        images,
        columns: part.columns,
        firstColumn: 0,
        stride: part.columns,
        firstRow: 0,
        rows: images * grid[0] * grid[1],
        addBelow: 0,
      },
      { x: tap, bands, weights, y: layer.merge!.pooled },
      layer.tap.name,
    );
  }

  #recordRows(
    program: Program,
    layer: FeatureLayer,
    tap: Tensor,
    chunk: Tensor,
    range: { firstImage: number; images: number; firstRow: number },
  ): void {
    const { part, bands, weights, merge, grid } = layer;
    const target: PatchTarget = {
      columns: part.columns,
      firstColumn: part.firstColumn,
      stride: this.paddedDim,
      firstRow: range.firstRow,
      rows: chunk.shape[0]!,
      addBelow: part.addBelow,
    };
    if (merge === undefined) {
      program.dispatch(
        patchPool,
        { ...this.#poolSizes(layer, tap), ...range, ...target },
        { x: tap, bands, weights, y: chunk },
        layer.tap.name,
      );
      return;
    }
    const { pooled, lines, blocks, blend } = merge;
    program.dispatch(
      patchMerge,
      {
        ...range,
        ...target,
        input: grid,
        grid: [this.height, this.width],
      },
      { x: pooled, lines, blocks, weights: blend, y: chunk },
      layer.tap.name,
    );
  }

  #poolSizes(layer: FeatureLayer, tap: Tensor): {
    input: [number, number];
    channels: number;
    patchSize: number;
    step: number;
    grid: readonly [number, number];
  } {
    const { patchSize, stride } = this.#settings;
    return {
      input: [layer.tap.height, layer.tap.width],
      channels: tap.shape[3]!,
      patchSize,
      step: stride,
      grid: layer.grid,
    };
  }

  #check(
    taps: readonly Tensor[],
    rows: RowChunks,
    firstRow: number,
    images: number,
  ): void {
    this.#layers.forEach(({ tap }, i) => {
      const shape = taps[i]?.shape ?? [];
      const channels = Math.ceil(tap.channels / 4) * 4;
      const expected = [tap.height, tap.width, channels];
      if (
        shape.length !== 4 || expected.some((size, d) => size !== shape[d + 1])
      ) {
        throw new RangeError(
          `Cannot make patch features: tap "${tap.name}" has shape [${shape}], expected [N, ${
            expected.join(", ")
          }]`,
        );
      }
      if (images > Math.min(shape[0]!, this.maxImages)) {
        throw new RangeError(
          `Cannot make patch features of ${images} images: tap "${tap.name}" holds ${
            shape[0]
          }, and at most ${this.maxImages} were planned`,
        );
      }
    });
    if (rows.dim !== this.paddedDim) {
      throw new RangeError(
        `Cannot write patch features: rows have ${rows.dim} elements, expected ${this.paddedDim}`,
      );
    }
    const end = firstRow + images * this.patches;
    if (firstRow < 0 || end > rows.rows) {
      throw new RangeError(
        `Cannot write patch features to rows ${firstRow} to ${
          end - 1
        }: there are ${rows.rows} rows`,
      );
    }
  }

  /** Frees the tables and the space for pooled layers. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

function checkTaps(taps: readonly TapShape[]): void {
  if (taps.length === 0) {
    throw new RangeError("Cannot make patch features: there is no tap");
  }
  for (const { name, height, width, channels } of taps) {
    if (height > 0 && width > 0 && channels > 0) continue;
    throw new RangeError(
      `Cannot make patch features: tap "${name}" is empty, ${channels} channels of ${height} × ${width}`,
    );
  }
}
