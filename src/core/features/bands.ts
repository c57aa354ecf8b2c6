import type { Settings } from "../settings/settings.ts";

/** The settings that decide what a patch feature is made of. */
export type FeatureSettings = Pick<
  Settings,
  "patchSize" | "stride" | "layerDim" | "dim" | "merge"
>;

/** What one layer adds to a patch feature. */
export interface LayerBands {
  /** The first column of the feature that the layer takes part in. */
  readonly firstColumn: number;
  /** How many columns it takes part in. */
  readonly columns: number;
  /** Columns below this one hold an earlier layer's part already. */
  readonly addBelow: number;
  /**
   * Four numbers a column: first channel, first row of its neighbourhood,
   * number of rows, index of the first weight.
   */
  readonly bands: Uint32Array<ArrayBuffer>;
  /** `patchSize` weights for every row of every column. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/**
 * The dimension of a patch feature.
 *
 * @param channels Channels of each layer.
 * @param settings How layers are aggregated and merged.
 */
export function featureDim(
  channels: readonly number[],
  { layerDim, dim }: FeatureSettings,
): number {
  return dim === "concat" ? sum(layerDims(channels, layerDim)) : dim;
}

/**
 * Folds the two averages of the published implementation into one weighted
 * sum per column of the feature: `adaptive_avg_pool1d` of each layer's
 * neighbourhood, flattened channel-major to `c · p · p` elements, and
 * `adaptive_avg_pool1d` of the concatenated layers. Both average contiguous
 * elements, so a column's elements of one layer are contiguous too.
 *
 * The last layer also gets columns without elements, zeros, that pad the
 * feature to a multiple of 4.
 *
 * @param channels Channels of each layer.
 * @param settings How layers are aggregated and merged.
 */
export function layerBands(
  channels: readonly number[],
  settings: FeatureSettings,
): LayerBands[] {
  const dims = layerDims(channels, settings.layerDim);
  const total = sum(dims);
  const dim = featureDim(channels, settings);
  const paddedDim = Math.ceil(dim / 4) * 4;
  let offset = 0;
  let written = 0;
  return dims.map((layerDim, layer) => {
    const last = layer === dims.length - 1;
    const firstColumn = Math.floor(offset * dim / total);
    const endColumn = last
      ? paddedDim
      : Math.ceil((offset + layerDim) * dim / total);
    const addBelow = written;
    const band = bandsOf(
      { offset, layerDim, total, dim, firstColumn, endColumn },
      channels[layer]!,
      settings.patchSize,
    );
    offset += layerDim;
    written = endColumn;
    return { firstColumn, columns: endColumn - firstColumn, addBelow, ...band };
  });
}

interface LayerPart {
  readonly offset: number;
  readonly layerDim: number;
  readonly total: number;
  readonly dim: number;
  readonly firstColumn: number;
  readonly endColumn: number;
}

function bandsOf(
  part: LayerPart,
  channels: number,
  patchSize: number,
): Pick<LayerBands, "bands" | "weights"> {
  const { offset, layerDim, total, dim, firstColumn, endColumn } = part;
  const elements = channels * patchSize ** 2;
  const bands = new Uint32Array((endColumn - firstColumn) * 4);
  const weights: number[] = [];
  for (let column = firstColumn; column < Math.min(endColumn, dim); column++) {
    const outer = poolRange(column, total, dim);
    const start = Math.max(outer.start, offset) - offset;
    const end = Math.min(outer.end, offset + layerDim) - offset;
    const first = poolRange(start, elements, layerDim).start;
    const afterLast = poolRange(end - 1, elements, layerDim).end;
    const firstRow = Math.floor(first / patchSize);
    const rows = Math.ceil(afterLast / patchSize) - firstRow;
    const columnWeights = new Float64Array(rows * patchSize);
    for (let i = start; i < end; i++) {
      const inner = poolRange(i, elements, layerDim);
      const share = 1 / ((inner.end - inner.start) * (outer.end - outer.start));
      for (let element = inner.start; element < inner.end; element++) {
        columnWeights[element - firstRow * patchSize]! += share;
      }
    }
    const channel = Math.floor(firstRow / patchSize);
    bands.set(
      [channel, firstRow - channel * patchSize, rows, weights.length],
      (column - firstColumn) * 4,
    );
    for (const weight of columnWeights) weights.push(weight);
  }
  return { bands, weights: new Float32Array(weights) };
}

/** What `adaptive_avg_pool1d` averages for output `index`. */
function poolRange(
  index: number,
  inputs: number,
  outputs: number,
): { start: number; end: number } {
  return {
    start: Math.floor(index * inputs / outputs),
    end: Math.ceil((index + 1) * inputs / outputs),
  };
}

function layerDims(
  channels: readonly number[],
  layerDim: number | "channels",
): number[] {
  return channels.map((count) => layerDim === "channels" ? count : layerDim);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
