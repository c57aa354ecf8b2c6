import type { Gpu, Tensor, TensorData } from "../../gpu/mod.ts";
import type { FeatureSettings, LayerBands } from "./bands.ts";
import { bandTable } from "./band_table.ts";
import { type SourcePoint, sourcePoints } from "./interpolation.ts";

/** What a backbone's tap looks like. */
export interface TapShape {
  /** The layer's name, for messages. */
  readonly name: string;
  /** Height in feature pixels. */
  readonly height: number;
  /** Width in feature pixels. */
  readonly width: number;
  /** Channels, without padding. */
  readonly channels: number;
}

/** One tap with its tables on the GPU. */
export interface FeatureLayer {
  /** The tap. */
  readonly tap: TapShape;
  /** Its own patch grid, `[height, width]`. */
  readonly grid: readonly [number, number];
  /** What it adds to a feature. */
  readonly part: LayerBands;
  /** `part.bands`, as the kernel `patch_pool` reads them. */
  readonly bands: Tensor;
  /** `part.weights`. */
  readonly weights: Tensor;
  /** What brings it to the features' grid, unless its own is the same. */
  readonly merge?: {
    /** Its columns on its own grid, of a whole batch. */
    readonly pooled: Tensor;
    /** Source lines of the grid's lines, as `patch_merge` reads them. */
    readonly lines: Tensor;
    /** Source columns of runs of the grid's columns. */
    readonly blocks: Tensor;
    /** Their weights. */
    readonly blend: Tensor;
  };
}

/**
 * The patch grid of a tap: as many neighbourhoods of odd size, zero-padded to
 * have their centre inside, as a stride leaves (`torch.nn.Unfold`).
 *
 * @returns `[height, width]` in patches.
 */
export function patchGrid(
  { height, width }: Pick<TapShape, "height" | "width">,
  stride: number,
): [number, number] {
  return [
    Math.floor((height - 1) / stride) + 1,
    Math.floor((width - 1) / stride) + 1,
  ];
}

/**
 * Uploads the tables of one tap and allocates the space it needs.
 *
 * @param owned Gets all that is allocated.
 * @param tap The tap.
 * @param part What it adds to a feature.
 * @param target The patch grid of the features, `[height, width]`.
 * @param settings How patches are aggregated and merged.
 */
export function featureLayer(
  gpu: Gpu,
  owned: DisposableStack,
  tap: TapShape,
  part: LayerBands,
  target: readonly [number, number],
  { stride, merge }: FeatureSettings,
  maxImages: number,
): FeatureLayer {
  const grid = patchGrid(tap, stride);
  const label = `patch features of "${tap.name}"`;
  const upload = (data: TensorData): Tensor =>
    owned.use(gpu.upload(data, undefined, label));
  const layer = {
    tap,
    grid,
    part,
    bands: upload(part.bands),
    weights: upload(
      part.weights.length > 0 ? part.weights : new Float32Array(1),
    ),
  };
  if (grid[0] === target[0] && grid[1] === target[1]) return layer;
  const patches = maxImages * grid[0] * grid[1];
  const lines = sourcePoints(grid[0], target[0], merge);
  const steps = sourcePoints(grid[1], target[1], merge);
  const table = bandTable(grid[1], target[1], (output, add) => {
    const { lower, upper, weight } = steps[output]!;
    add(lower, 1 - weight);
    add(upper, weight);
  });
  return {
    ...layer,
    merge: {
      pooled: owned.use(gpu.tensor([patches, part.columns], "f32", label)),
      lines: upload(sourceTable(lines)),
      blocks: upload(table.blocks),
      blend: upload(table.weights),
    },
  };
}

function sourceTable(
  points: readonly SourcePoint[],
): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(points.length * 4);
  const weights = new Float32Array(table.buffer);
  points.forEach(({ lower, upper, weight }, i) => {
    table.set([lower, upper], i * 4);
    weights[i * 4 + 2] = weight;
  });
  return table;
}
