import type { Gpu, RowChunks } from "../../../gpu/mod.ts";
import { project } from "../../rows/projection.ts";
import type { FitDemand, FitPlan, MemoryPlan } from "./plan.ts";

/** Patches of an image that are searched in the whole bank for its score. */
const SEARCHED = 16;

/** Multiplications whose time is measured, where the features suffice. */
const MEASURED = 4e8;

/** Columns of the product at most. */
const MOST_COLUMNS = 256;

/** What {@linkcode expectation} works with. */
export interface ExpectedWork {
  /** How memory is divided. */
  readonly memory: MemoryPlan;
  /** What that was planned for. */
  readonly fit: FitDemand;
  /** Dimensions of a feature, without padding. */
  readonly dim: number;
  /** Images that are scored for the threshold when features do not fit. */
  readonly thresholdImages: number;
  /** Seconds that an image took until its features were there. */
  readonly imageSeconds: number;
  /** Features of a batch. */
  readonly features: RowChunks;
}

/** Says what a fit is going to do; the time follows from its first batch. */
export async function expectation(
  gpu: Gpu,
  work: ExpectedWork,
): Promise<FitPlan> {
  const { memory, fit, dim, thresholdImages } = work;
  const { holds, layout, bankRows, bytes } = memory;
  const { sizes, images, budget } = fit;
  const again = Math.min(images ?? Infinity, thresholdImages);
  const plan = {
    bankRows,
    patchesPerImage: sizes.patches,
    dim,
    memoryBytes: bytes,
    memoryBudget: budget,
    holds,
    streamed: holds === "buckets",
    thresholdImages: holds === "features" ? images : again,
  };
  if (images === undefined || bankRows === undefined) {
    const unknown = { images, patches: undefined, buckets: undefined };
    return { ...plan, ...unknown, seconds: undefined };
  }
  const patches = images * sizes.patches;
  const buckets = layout === undefined ? 1 : 1 + Math.max(
    0,
    Math.ceil(
      (patches + (fit.known?.rows ?? 0) - layout.capacity) /
        (layout.capacity - layout.kept),
    ),
  );
  const extracted = {
    features: images,
    projections: images + Math.min(images, bankRows) + again,
    buckets: images + again,
  }[holds];
  const products = choiceProducts(work, patches, bankRows, buckets) +
    scoreProducts(work, plan.thresholdImages!, bankRows);
  const seconds = Math.max(0, extracted - fit.batch) * work.imageSeconds +
    products / await productsPerSecond(gpu, work.features);
  return { ...plan, images, patches, buckets, seconds };
}

/** Multiplications of the greedy choices. */
function choiceProducts(
  { memory: { layout }, fit: { sizes }, dim }: ExpectedWork,
  patches: number,
  bankRows: number,
  buckets: number,
): number {
  if (!sizes.greedy) return 0;
  const length = sizes.projected ?? dim;
  return layout === undefined
    ? patches * bankRows * length
    : layout.capacity * ((buckets - 1) * layout.kept + bankRows) * length;
}

/** Multiplications of the searches for the threshold. */
function scoreProducts(
  { memory: { layout }, fit: { sizes }, dim }: ExpectedWork,
  images: number,
  bankRows: number,
): number {
  const length = sizes.projected ?? dim;
  const bounds = layout === undefined ? 0 : 2 * sizes.patches * length;
  return images * bankRows * (bounds + SEARCHED * dim);
}

/**
 * How fast the adapter multiplies matrices: what a product of twice the size
 * takes longer, so that fixed costs do not count.
 */
async function productsPerSecond(
  gpu: Gpu,
  features: RowChunks,
): Promise<number> {
  const { dim: inputs, rows } = features;
  const some = Math.ceil(MEASURED / (rows * inputs));
  // No more memory than the features themselves take.
  const columns = Math.max(4, Math.min(some, MOST_COLUMNS, inputs >> 1));
  const run = async (outputs: number): Promise<number> => {
    const matrix = new Float32Array(outputs * inputs);
    const start = performance.now();
    using _ = await project(gpu, features, { outputs, inputs, matrix });
    return (performance.now() - start) / 1000;
  };
  await run(columns);
  const best = async (outputs: number): Promise<number> =>
    Math.min(await run(outputs), await run(outputs));
  const [once, twice] = [await best(columns), await best(2 * columns)];
  gpu.pool.trim();
  const seconds = twice > once ? twice - once : twice;
  return rows * inputs * columns / seconds;
}
