import type { Gpu, RowChunks } from "../../../gpu/mod.ts";
import { project } from "../../rows/projection.ts";
import type { FitPlan } from "./plan.ts";
import type { PlannedWork } from "./run.ts";

/** Patches of a tile that are searched in the whole bank for its score. */
const SEARCHED = 16;

/** Multiplications whose time is measured, where the features suffice. */
const MEASURED = 4e8;

/** Columns of the product at most. */
const MOST_COLUMNS = 256;

/**
 * Tells what a fit is going to do, with the time that its first batch lets
 * expect.
 *
 * @param work The fit.
 * @param start When it started, in milliseconds.
 */
export async function announce(
  work: PlannedWork,
  features: RowChunks,
  start: number,
): Promise<void> {
  const { stream, options: { onPlan }, demand } = work;
  if (onPlan === undefined) return;
  await stream.wait();
  const elapsed = secondsSince(start);
  const { decode, trunk, patches } = stream.seconds;
  const tiles = features.rows / demand.patches;
  const seconds = {
    image: decode / stream.used,
    tile: (trunk + patches || elapsed) / tiles,
  };
  onPlan(await expectation(work, features, seconds));
}

async function expectation(
  work: PlannedWork,
  features: RowChunks,
  seconds: { readonly image: number; readonly tile: number },
): Promise<FitPlan> {
  const { gpu, demand, memory, stream, options, views, tiles } = work;
  const { holds, bankRows, capacity, kept } = memory;
  const { images, inputs, batch } = demand;
  const again = Math.min(images ?? Infinity, options.thresholdImages);
  const plan = {
    bankRows,
    patchesPerImage: inputs * demand.patches,
    tilesPerImage: tiles,
    batch,
    dim: stream.extractor.features.dim,
    memoryBytes: memory.bytes,
    memoryBudget: demand.budget,
    holds,
    streamed: holds === "buckets",
    thresholdImages: holds === "features" ? images : again,
  };
  if (images === undefined || bankRows === undefined) {
    const unknown = { images, patches: undefined, buckets: undefined };
    return { ...plan, ...unknown, seconds: undefined };
  }
  const patches = images * plan.patchesPerImage;
  const all = patches + (demand.known?.rows ?? 0);
  const buckets = kept === undefined
    ? 1
    : 1 + Math.max(0, Math.ceil((all - capacity) / (capacity - kept)));
  const twice = {
    features: [0, 0],
    projections: [
      Math.min(images * views, bankRows) + again,
      Math.min(images * inputs, bankRows) + again * tiles,
    ],
    buckets: [again, again * tiles],
  }[holds] as [number, number];
  const decoded = images * views + twice[0] - stream.used;
  const extracted = images * inputs + twice[1] - features.rows / demand.patches;
  const products = choiceProducts(work, patches, bankRows, buckets) +
    scoreProducts(work, plan.thresholdImages! * tiles, bankRows);
  const expected = Math.max(0, decoded) * seconds.image +
    Math.max(0, extracted) * seconds.tile +
    products / await productsPerSecond(gpu, features);
  return { ...plan, images, patches, buckets, seconds: expected };
}

/** Multiplications of the greedy choices. */
function choiceProducts(
  { memory: { capacity, kept }, demand, settings }: PlannedWork,
  patches: number,
  bankRows: number,
  buckets: number,
): number {
  if (settings.coreset.method !== "greedy") return 0;
  const length = demand.projected ?? demand.dim;
  return kept === undefined
    ? patches * bankRows * length
    : capacity * ((buckets - 1) * kept + bankRows) * length;
}

/** Multiplications of the searches for the threshold. */
function scoreProducts(
  { memory: { kept }, demand }: PlannedWork,
  tiles: number,
  bankRows: number,
): number {
  const { dim, projected = dim } = demand;
  const bounds = kept === undefined ? 0 : 2 * demand.patches * projected;
  return tiles * bankRows * (bounds + SEARCHED * dim);
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

/** Seconds since a moment of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
