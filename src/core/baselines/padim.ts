import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import {
  choleskyDiagonal,
  choleskySolve,
  choleskyUpdate,
} from "../../wgsl/cholesky.ts";
import {
  covariance,
  packedTriangle,
  paddedToPanels,
  PANEL_COLUMNS,
  TRIANGLE_LANES,
} from "../../wgsl/covariance.ts";
import { gatherColumns } from "../../wgsl/gather_columns.ts";
import {
  mahalanobis,
  mahalanobisWorkgroupBytes,
} from "../../wgsl/mahalanobis.ts";
import { runningMean } from "../../wgsl/running_mean.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import { AnomalyMaps } from "../score/anomaly_map.ts";
import {
  BASELINE_MAP,
  mapMaxima,
  type Progress,
  type ScoredImages,
} from "./scored_images.ts";
import { choice, Mt19937 } from "../settings/random.ts";
import type { MapSettings } from "../settings/settings.ts";
import { MAX_WORKGROUPS_PER_DIMENSION } from "../../wgsl/grid.ts";

/** Options of PaDiM. */
interface PadimOptions {
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
interface PadimPlan {
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

interface Chunk {
  /** First position. */
  readonly first: number;
  /** Positions. */
  readonly count: number;
  /** Sums of centred products, then Cholesky factors, in packed triangles. */
  readonly factors: Tensor;
}

/**
 * PaDiM (Defard et al. 2021): a Gaussian per position of the feature grid, the
 * Mahalanobis distance to it as the patch score, the largest value of the map
 * as the image score.
 *
 * Features are those of {@linkcode PADIM_FEATURES}: layers 1 to 3 on the first
 * one's grid. Means and covariances are updated batch by batch with centred
 * sums and factored in place, so that features need not be kept.
 */
export class Padim implements Disposable {
  /** Dimensions, chunks and bytes. */
  readonly plan: PadimPlan;
  readonly #gpu: Gpu;
  readonly #options: PadimOptions;
  readonly #columns: Tensor;
  readonly #rows: Tensor;
  readonly #means: Tensor;
  readonly #distances: Tensor;
  readonly #mapTensor: Tensor;
  readonly #maps: AnomalyMaps;
  readonly #chunks: readonly Chunk[];
  #images = 0;
  #fitted = false;

  /**
   * Allocates all memory that fitting and scoring need: `plan.bytes`.
   *
   * @throws {RangeError} If an option is not allowed or memory is too small.
   */
  constructor(gpu: Gpu, options: PadimOptions) {
    const plan = planPadim(options, gpu.maxTensorBytes);
    const { positions, paddedDim, positionsPerChunk, maxImages } = plan;
    this.#gpu = gpu;
    this.#options = options;
    this.plan = plan;
    this.#checkWorkgroupMemory();
    const slots = maxImages + 1;
    this.#columns = gpu.upload(plan.dims, undefined, "PaDiM dimensions");
    this.#rows = gpu.tensor([positions, slots, paddedDim], "f32", "PaDiM rows");
    this.#means = gpu.tensor([positions, paddedDim], "f32", "PaDiM means");
    this.#distances = gpu.tensor([maxImages, positions], "f32", "distances");
    const [height, width] = options.size;
    this.#mapTensor = gpu.tensor([maxImages, height, width], "f32", "maps");
    const { grid, size, map = BASELINE_MAP } = options;
    this.#maps = new AnomalyMaps(gpu, { grid, size, maxImages }, map);
    const chunks: Chunk[] = [];
    const packed = packedTriangle(paddedDim);
    for (let first = 0; first < positions; first += positionsPerChunk) {
      const count = Math.min(positionsPerChunk, positions - first);
      const factors = gpu.tensor([count, packed], "f32", "PaDiM covariances");
      chunks.push({ first, count, factors });
    }
    this.#chunks = chunks;
  }

  /** Training images added so far. */
  get images(): number {
    return this.#images;
  }

  /**
   * Adds training images.
   *
   * @param features Rows `[images · positions]`: image, row, column.
   * @param images How many images, all in `features` by default.
   * @throws {RangeError} If the rows do not fit.
   * @throws {TypeError} If {@linkcode Padim.finish} was called.
   */
  async add(
    features: RowChunks,
    images: number = features.rows / this.plan.positions,
  ): Promise<void> {
    if (this.#fitted) {
      throw new TypeError("Cannot add images to PaDiM: the fit is finished");
    }
    this.#check(features, images);
    const { positions, paddedDim: dim, maxImages } = this.plan;
    const slots = maxImages + 1;
    for (let from = 0; from < images; from += maxImages) {
      const count = Math.min(maxImages, images - from);
      using program = this.#gpu.program("PaDiM statistics");
      this.#gather(program, features, from, count);
      program.dispatch(
        runningMean,
        { positions, dim, slots, count, before: this.#images },
        { rows: this.#rows, means: this.#means },
      );
      for (const { first, count: chunkPositions, factors } of this.#chunks) {
        program.dispatch(covariance, {
          dim,
          count: count + 1,
          slots,
          first,
          positions: chunkPositions,
          start: this.#images === 0,
          lanes: this.#tileLanes,
        }, { rows: this.#rows, sums: factors });
      }
      (await program.compile()).run();
      this.#images += count;
    }
  }

  /**
   * Ends the fit: factors every position's covariance, with the unbiased
   * divisor and the ridge. A single image counts as covariance zero.
   *
   * @param onProgress Called after each chunk of positions.
   * @throws {TypeError} If there is no image, or it was called before.
   */
  async finish(onProgress?: Progress): Promise<void> {
    if (this.#fitted || this.#images === 0) {
      throw new TypeError(
        `Cannot finish PaDiM: ${
          this.#fitted ? "it is finished" : "there is no training image"
        }`,
      );
    }
    const { paddedDim: dim } = this.plan;
    const { ridge = 0.01 } = this.#options;
    const scale = 1 / Math.max(1, this.#images - 1);
    const lanes = this.#tileLanes;
    let done = 0;
    for (const { factors, count: positions } of this.#chunks) {
      using program = this.#gpu.program("PaDiM factors");
      for (let panel = 0; panel < dim / PANEL_COLUMNS; panel++) {
        const sizes = { dim, panel, positions, lanes };
        program.dispatch(choleskyUpdate, { ...sizes, scale, ridge }, {
          factors,
        });
        program.dispatch(choleskyDiagonal, sizes, { factors });
        program.dispatch(choleskySolve, sizes, { factors });
      }
      (await program.compile()).run();
      await this.#gpu.finish();
      onProgress?.(done += positions, this.plan.positions);
    }
    this.#fitted = true;
  }

  /**
   * Scores images.
   *
   * @param features Rows `[images · positions]`: image, row, column.
   * @param images How many images, all in `features` by default.
   * @throws {RangeError} If the rows do not fit, or features are so large that
   * float32 loses the ridge and covariances have no factors.
   * @throws {TypeError} If the fit is not finished.
   */
  async score(
    features: RowChunks,
    images: number = features.rows / this.plan.positions,
  ): Promise<ScoredImages> {
    if (!this.#fitted) {
      throw new TypeError("Cannot score with PaDiM: the fit is not finished");
    }
    this.#check(features, images);
    const { positions, paddedDim: dim, maxImages } = this.plan;
    const [height, width] = this.#options.size;
    const distances = new Float32Array(images * positions);
    const maps = new Float32Array(images * height * width);
    for (let from = 0; from < images; from += maxImages) {
      const count = Math.min(maxImages, images - from);
      using program = this.#gpu.program("PaDiM scores");
      this.#gather(program, features, from, count);
      for (const { first, count: chunkPositions, factors } of this.#chunks) {
        program.dispatch(mahalanobis, {
          dim,
          images: count,
          slots: maxImages + 1,
          positions,
          first,
          count: chunkPositions,
          lanes: this.#rowLanes,
        }, {
          rows: this.#rows,
          means: this.#means,
          factors,
          distances: this.#distances,
        });
      }
      this.#maps.record(program, this.#distances, this.#mapTensor, count);
      (await program.compile()).run();
      const [d, m] = await this.#gpu.readAll([
        this.#distances.view([count, positions]),
        this.#mapTensor.view([count, height, width]),
      ]);
      distances.set(d!, from * positions);
      maps.set(m!, from * height * width);
    }
    if (distances.some(Number.isNaN)) {
      const { ridge = 0.01 } = this.#options;
      throw new RangeError(
        `Cannot score with PaDiM: a covariance plus ${ridge} on its diagonal could not be factored in float32; features are too large for that ridge, as those of random weights are, or not finite`,
      );
    }
    return { scores: mapMaxima(maps, images), maps, distances };
  }

  #gather(
    program: Program,
    features: RowChunks,
    from: number,
    images: number,
  ): void {
    const { positions, paddedDim: dim, dims, maxImages } = this.plan;
    const perChunk = Math.floor(features.rowsPerChunk / positions);
    for (let image = from; image < from + images;) {
      const chunk = Math.floor(image / perChunk);
      const end = Math.min(from + images, (chunk + 1) * perChunk);
      program.dispatch(gatherColumns, {
        positions,
        stride: features.dim,
        count: dims.length,
        dim,
        slots: maxImages + 1,
        firstImage: image - chunk * perChunk,
        firstSlot: image - from,
        images: end - image,
      }, { x: features.chunks[chunk]!, columns: this.#columns, y: this.#rows });
      image = end;
    }
  }

  get #tileLanes(): number {
    return this.#gpu.pick(TRIANGLE_LANES);
  }

  get #rowLanes(): number {
    return this.#gpu.pick(WORKGROUP_LANES);
  }

  #check(features: RowChunks, images: number): void {
    const { featureDim } = this.#options;
    const { positions } = this.plan;
    const whole = features.chunks.length === 1 ||
      features.rowsPerChunk % positions === 0;
    if (!Number.isInteger(images) || images * positions > features.rows) {
      throw new RangeError(
        `Cannot use ${features.rows} features for ${images} images of ${positions} positions`,
      );
    }
    if (whole && features.dim >= featureDim) return;
    throw new RangeError(
      `Cannot use features in chunks of ${features.rowsPerChunk} rows of ${features.dim}: expected whole images of ${positions} rows of at least ${featureDim}`,
    );
  }

  #checkWorkgroupMemory(): void {
    const { paddedDim } = this.plan;
    const bytes = mahalanobisWorkgroupBytes(paddedDim, this.#rowLanes);
    const limit = this.#gpu.device.limits.maxComputeWorkgroupStorageSize;
    if (bytes <= limit) return;
    throw new RangeError(
      `Cannot fit PaDiM with ${paddedDim} dimensions: they need ${bytes} bytes of workgroup memory, the adapter has ${limit}; keep fewer dimensions`,
    );
  }

  /** Frees everything. */
  [Symbol.dispose](): void {
    this.#columns.dispose();
    this.#rows.dispose();
    this.#means.dispose();
    this.#distances.dispose();
    this.#mapTensor.dispose();
    this.#maps[Symbol.dispose]();
    for (const { factors } of this.#chunks) factors.dispose();
  }
}
