/**
 * Patch features as the published implementation makes them, step by step and
 * in float64: unfold, interpolate every plane, average twice.
 *
 * @module
 */

/** A tap in NHWC without channel padding, of one image. */
export interface Tap {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** Channels. */
  readonly channels: number;
  /** `height × width × channels` values. */
  readonly data: ArrayLike<number>;
}

/** How patches are aggregated and merged, as in the settings. */
export interface Options {
  /** Side of the neighbourhood, odd. */
  readonly patchSize: number;
  /** Distance between patches. */
  readonly stride: number;
  /** Dimensions of each layer. */
  readonly layerDim: number | "channels";
  /** Dimensions of a feature. */
  readonly dim: number | "concat";
  /** Interpolation to the first layer's grid. */
  readonly merge: "bilinear" | "nearest";
}

interface Grid {
  readonly height: number;
  readonly width: number;
  /** One vector a patch. */
  readonly patches: readonly Float64Array[];
}

/** The features of one image's patches, row-major `[patches, dim]`. */
export function patchFeatures(
  taps: readonly Tap[],
  options: Options,
): { height: number; width: number; dim: number; features: Float64Array } {
  const grids = taps.map((tap) => unfold(tap, options));
  const { height, width } = grids[0]!;
  const pooled = grids.map((grid, layer) => {
    const size = options.layerDim === "channels"
      ? taps[layer]!.channels
      : options.layerDim;
    return interpolate(grid, height, width, options.merge).patches
      .map((patch) => adaptiveAverage(patch, size));
  });
  const rows = pooled[0]!.map((_, patch) => {
    const joined = Float64Array.from(
      pooled.flatMap((layer) => [...layer[patch]!]),
    );
    return options.dim === "concat"
      ? joined
      : adaptiveAverage(joined, options.dim);
  });
  const dim = rows[0]!.length;
  const features = new Float64Array(rows.length * dim);
  rows.forEach((row, i) => features.set(row, i * dim));
  return { height, width, dim, features };
}

/** `torch.nn.Unfold` with zero padding; each patch flattened channel-major. */
function unfold(tap: Tap, { patchSize, stride }: Options): Grid {
  const pad = (patchSize - 1) / 2;
  const size = (extent: number) =>
    Math.floor((extent + 2 * pad - patchSize) / stride) + 1;
  const height = size(tap.height);
  const width = size(tap.width);
  const patches: Float64Array[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = new Float64Array(tap.channels * patchSize ** 2);
      for (let i = 0; i < patch.length; i++) {
        const channel = Math.floor(i / patchSize ** 2);
        const row = y * stride - pad +
          Math.floor(i / patchSize) % patchSize;
        const column = x * stride - pad + i % patchSize;
        if (row < 0 || row >= tap.height) continue;
        if (column < 0 || column >= tap.width) continue;
        patch[i] = tap
          .data[(row * tap.width + column) * tap.channels + channel]!;
      }
      patches.push(patch);
    }
  }
  return { height, width, patches };
}

/** `torch.nn.functional.interpolate`, align_corners = false. */
function interpolate(
  grid: Grid,
  height: number,
  width: number,
  mode: "bilinear" | "nearest",
): Grid {
  if (grid.height === height && grid.width === width) return grid;
  const rows = positions(grid.height, height, mode);
  const columns = positions(grid.width, width, mode);
  const at = (y: number, x: number) => grid.patches[y * grid.width + x]!;
  const patches = rows.flatMap((row) =>
    columns.map((column) =>
      at(0, 0).map((_, i) =>
        (1 - row.t) * (1 - column.t) * at(row.lower, column.lower)[i]! +
        (1 - row.t) * column.t * at(row.lower, column.upper)[i]! +
        row.t * (1 - column.t) * at(row.upper, column.lower)[i]! +
        row.t * column.t * at(row.upper, column.upper)[i]!
      )
    )
  );
  return { height, width, patches };
}

/** Where target points lie between source points. */
export function positions(
  from: number,
  to: number,
  mode: "bilinear" | "nearest",
): { lower: number; upper: number; t: number }[] {
  return Array.from({ length: to }, (_, i) => {
    const position = mode === "nearest"
      ? Math.floor(i * from / to)
      : Math.max(0, (i + 0.5) * from / to - 0.5);
    const lower = Math.floor(position);
    return {
      lower,
      upper: Math.min(lower + 1, from - 1),
      t: position - lower,
    };
  });
}

/** `torch.nn.functional.adaptive_avg_pool1d`. */
function adaptiveAverage(values: Float64Array, size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => {
    const start = Math.floor(i * values.length / size);
    const end = Math.ceil((i + 1) * values.length / size);
    let sum = 0;
    for (let j = start; j < end; j++) sum += values[j]!;
    return sum / (end - start);
  });
}
