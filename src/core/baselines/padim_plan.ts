import { choice, Mt19937 } from "../settings/random.ts";
import type { MapSettings } from "../settings/settings.ts";
import {
  packedTriangle,
  paddedToPanels,
  PANEL_COLUMNS,
} from "../../wgsl/covariance.ts";
import { MAX_WORKGROUPS_PER_DIMENSION } from "../../wgsl/grid.ts";

/** Options of PaDiM. */
export interface PadimOptions {
  /** Grid of the features, `[height, width]`: the first layer's. */
  readonly grid: readonly [number, number];
  /** Dimensions of a feature, padding not counted. */
  readonly featureDim: number;
  /** Size of the anomaly maps, `[height, width]` in pixels. */
  readonly size: readonly [number, number];
  /**
   * Which dimensions are kept: how many at random, or a list. By default 550,
   * and 100 of features with at most 448 (WideResNet-50 and ResNet-18).
   */
  readonly dims?: number | Uint32Array;
  /** Seed of the random choice, 0 by default. */
  readonly seed?: number;
  /** What is added to the covariances' diagonals, 0.01 by default. */
  readonly ridge?: number;
  /** The most images worked on at once, 8 by default. */
  readonly maxImages?: number;
  /** The most bytes of GPU memory to take; no limit by default. */
  readonly maxBytes?: number;
  /** How the maps are made; bilinear and σ = 4 by default. */
  readonly map?: MapSettings;
}

/** What PaDiM needs, known before any work. */
export interface PadimPlan {
  /** Positions: grid height times width. */
  readonly positions: number;
  /** The dimensions kept, ascending. */
  readonly dims: Uint32Array<ArrayBuffer>;
  /** How many, padded to a multiple of 16. */
  readonly paddedDim: number;
  /** Positions of one tensor of covariances. */
  readonly positionsPerChunk: number;
  /** Images worked on at once. */
  readonly maxImages: number;
  /** Bytes of the covariances, which become their Cholesky factors in place. */
  readonly factorBytes: number;
  /** Bytes in all. */
  readonly bytes: number;
}

/**
 * Plans a PaDiM: which dimensions, how the positions divide, how many bytes.
 * A position's covariance takes half a matrix, in f32; the factorisation is in
 * place: 3136 positions of 550 dimensions take 2.0 GB.
 *
 * @param maxTensorBytes The most bytes the adapter binds at once.
 * @throws {RangeError} If an option is not allowed or the memory is too small.
 */
export function planPadim(
  options: PadimOptions,
  maxTensorBytes: number,
): PadimPlan {
  const { grid, size, featureDim, maxBytes = Infinity } = options;
  const dims = chosenDims(options);
  const positions = grid[0] * grid[1];
  const paddedDim = paddedToPanels(dims.length);
  const triangleBytes = packedTriangle(paddedDim) * 4;
  const positionBytes = positions * paddedDim * 4;
  const maxImages = Math.min(
    options.maxImages ?? 8,
    Math.floor(maxTensorBytes / positionBytes) - 1,
  );
  const positionsPerChunk = Math.min(
    positions,
    Math.floor(maxTensorBytes / triangleBytes),
    MAX_WORKGROUPS_PER_DIMENSION,
  );
  if (maxImages < 1 || positionsPerChunk < 1) {
    throw new RangeError(
      `Cannot fit PaDiM: ${positions} positions of ${dims.length} dimensions need more than the adapter binds at once (${maxTensorBytes} bytes); keep fewer dimensions`,
    );
  }
  const factorBytes = positions * triangleBytes;
  const maps = size[0] * size[1] + size[1] * grid[0] + positions;
  const bytes = factorBytes + positionBytes * (maxImages + 2) +
    maxImages * maps * 4;
  if (bytes > maxBytes) {
    const share = Math.sqrt(maxBytes / bytes);
    const fit = Math.floor(paddedDim * share / PANEL_COLUMNS) * PANEL_COLUMNS;
    throw new RangeError(
      `Cannot fit PaDiM: ${positions} positions of ${dims.length} dimensions need ${bytes} bytes, at most ${maxBytes} are allowed; about ${
        Math.min(fit, featureDim)
      } dimensions fit`,
    );
  }
  return {
    positions,
    dims,
    paddedDim,
    positionsPerChunk,
    maxImages,
    factorBytes,
    bytes,
  };
}

function chosenDims(
  { featureDim, dims = defaultDims(featureDim), seed = 0 }: PadimOptions,
): Uint32Array<ArrayBuffer> {
  const list = typeof dims === "number"
    ? choice(new Mt19937(seed), featureDim, dims)
    : Uint32Array.from(dims);
  if (list.length === 0 || list.some((dim) => dim >= featureDim)) {
    throw new RangeError(
      `Cannot fit PaDiM: dims must name at least one of ${featureDim} dimensions`,
    );
  }
  return list.sort();
}

function defaultDims(featureDim: number): number {
  return Math.min(featureDim <= 448 ? 100 : 550, featureDim);
}
