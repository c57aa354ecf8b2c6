import type { Gpu, Program, Tensor } from "../../gpu/mod.ts";
import { anomalyMap } from "../../wgsl/anomaly_map.ts";
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
  readonly #owned: DisposableStack;

  /**
   * Uploads the weights and allocates the space between the axes.
   *
   * @throws {GpuError} If a batch is more than the adapter binds at once.
   */
  constructor(gpu: Gpu, shape: AnomalyMapShape, settings: MapSettings) {
    const { grid, size, maxImages } = shape;
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
    this.#owned = owned.move();
  }

  /**
   * Records the dispatches that make a batch's maps.
   *
   * @param scores Patch scores, `[N, grid height · grid width]`.
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
    checkSize("patch scores", scores, images, grid);
    checkSize("anomaly maps", maps, images, size);
    this.#dispatch(program, this.#axes.columns, images, grid[0], {
      x: scores,
      y: this.#between,
    });
    this.#dispatch(program, this.#axes.rows, images, size[1], {
      x: this.#between,
      y: maps,
    });
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
