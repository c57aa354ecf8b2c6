import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import { anomalyMap } from "../../wgsl/anomaly_map.ts";
import { gatherColumns } from "../../wgsl/gather_columns.ts";
import type { MapSettings } from "../settings/settings.ts";
import { mapWeights } from "./map_weights.ts";

/** Sizes of {@linkcode AnomalyMaps}. */
interface AnomalyMapShape {
  /** Patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** Size of the maps, `[height, width]` in pixels. */
  readonly size: readonly [number, number];
  /** The most images of a batch. */
  readonly maxImages: number;
  /** Where not all places of the grid have a score. */
  readonly region?: {
    /** Scores of an image. */
    readonly patches: number;
    /** For every place of the grid which of an image's scores it takes. */
    readonly slots: Uint32Array<ArrayBuffer>;
  } | undefined;
}

/** The scores of a grid, where an image has fewer. */
interface Spread {
  readonly slots: Tensor;
  readonly scores: Tensor;
}

interface Axis {
  readonly points: number;
  readonly outputs: number;
  readonly blocks: Tensor;
  readonly weights: Tensor;
}

/**
 * Turns patch scores into anomaly maps: upsampled to pixels, then smoothed
 * with a Gaussian (paper §3.3), both in one step per axis.
 */
export class AnomalyMaps implements Disposable {
  /** Sizes of the maps. */
  readonly shape: AnomalyMapShape;
  readonly #axes: { readonly rows: Axis; readonly columns: Axis };
  readonly #between: Tensor;
  readonly #spread: Spread | undefined;
  readonly #owned: DisposableStack;

  /**
   * Uploads the weights and allocates the space between the axes.
   *
   * @throws {GpuError} If a batch is more than the adapter binds at once.
   */
  constructor(gpu: Gpu, shape: AnomalyMapShape, settings: MapSettings) {
    const { grid, size, maxImages, region } = shape;
    this.shape = shape;
    using owned = new DisposableStack();
    const axis = (points: number, outputs: number): Axis => {
      const { blocks, weights } = mapWeights(points, outputs, settings);
      const label = "anomaly map weights";
      return {
        points,
        outputs,
        blocks: owned.use(gpu.upload(blocks, undefined, label)),
        weights: owned.use(gpu.upload(weights, undefined, label)),
      };
    };
    this.#axes = {
      rows: axis(grid[0], size[0]),
      columns: axis(grid[1], size[1]),
    };
    this.#between = owned.use(
      gpu.tensor(
        [maxImages, size[1], grid[0]],
        "f32",
        "anomaly maps, columns done",
      ),
    );
    this.#spread = region && {
      slots: owned.use(gpu.upload(region.slots, undefined, "places of scores")),
      scores: owned.use(
        gpu.tensor([maxImages, ...grid], "f32", "patch scores of the grid"),
      ),
    };
    this.#owned = owned.move();
  }

  /**
   * Records the dispatches that make a batch's maps.
   *
   * @param scores Patch scores, `[N, grid height · grid width]`, or those of the
   * region alone.
   * @param maps Where the maps go, `[N, height, width]`.
   * @param images Images that count, from the first; all of `maps` by default.
   * @throws {RangeError} If a tensor is too small or there are too many images.
   */
  record(
    program: Program,
    scores: Tensor,
    maps: Tensor,
    images: number = maps.shape[0] ?? 0,
  ): void {
    const { grid, size, maxImages } = this.shape;
    if (images > maxImages) {
      throw new RangeError(
        `Cannot make anomaly maps of ${images} images: at most ${maxImages} were planned`,
      );
    }
    const { region } = this.shape;
    const given = region ? [1, region.patches] as const : grid;
    checkSize("patch scores", scores, images, given);
    checkSize("anomaly maps", maps, images, size);
    const x = this.#recordSpread(program, scores, images);
    this.#dispatch(program, this.#axes.columns, images, grid[0], {
      x,
      y: this.#between,
    });
    this.#dispatch(program, this.#axes.rows, images, size[1], {
      x: this.#between,
      y: maps,
    });
  }

  /** The scores of all places of the grid. */
  #recordSpread(program: Program, scores: Tensor, images: number): Tensor {
    if (this.#spread === undefined) return scores;
    const { region, grid } = this.shape;
    const places = grid[0] * grid[1];
    program.dispatch(gatherColumns, {
      positions: 1,
      stride: region!.patches,
      count: places,
      dim: places,
      slots: images,
      firstImage: 0,
      firstSlot: 0,
      images,
    }, { x: scores, columns: this.#spread.slots, y: this.#spread.scores });
    return this.#spread.scores;
  }

  #dispatch(
    program: Program,
    { points, outputs, blocks, weights }: Axis,
    images: number,
    lines: number,
    tensors: { x: Tensor; y: Tensor },
  ): void {
    program.dispatch(
      anomalyMap,
      { images, lines, points, outputs },
      { ...tensors, blocks, weights },
    );
  }

  /** Frees the weights and the space between the axes. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

function checkSize(
  what: string,
  tensor: Tensor,
  images: number,
  [height, width]: readonly [number, number],
): void {
  if (tensor.size >= images * height * width) return;
  throw new RangeError(
    `Cannot make anomaly maps: ${what} have shape [${tensor.shape}], expected ${images} of ${height} × ${width}`,
  );
}
