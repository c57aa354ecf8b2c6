import type { Gpu } from "../../gpu/mod.ts";
import type { Category } from "../datasets/dataset.ts";
import type { MaskRule } from "../metrics/mask_rule.ts";
import { choice, Mt19937 } from "../settings/random.ts";
import type { Settings } from "../settings/settings.ts";
import { type EvaluationRecord, outcomeRecord } from "./record.ts";
import type { CategoryWork, Runner } from "./runner.ts";
import { seedsRecord } from "./summary.ts";

/** Options of {@linkcode evaluateCategory}. */
export interface EvaluateOptions extends Omit<CategoryWork, "several"> {
  /** Which pixels of the masks are anomalous. */
  readonly rule: MaskRule;
  /** Numbers of training images to fit (paper, Fig. 6); all by default. */
  readonly shots?: readonly number[];
  /**
   * Which images are taken: drawn at random, or one after the other, with seed
   * s those from s times their number on (AnomalyDINO); `"random"` by default.
   */
  readonly draw?: "random" | "in-order";
  /** Fits that are averaged, their seeds one after the other; 1 by default. */
  readonly seeds?: number;
  /** Whether to measure covering radii (paper, Eq. 5). */
  readonly radius?: boolean;
}

/** What is fitted and evaluated. */
export interface EvaluateMethod {
  /** The device. */
  readonly gpu: Gpu;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** Prepares the method for a category. */
  start(category: Category, work: CategoryWork): Promise<Runner>;
}

/**
 * Fits and evaluates one category: one record, or one for each number of
 * shots. A seed decides both which images are taken and the coreset.
 *
 * @throws {RangeError} If there are fewer training images than shots.
 */
export async function evaluateCategory(
  method: EvaluateMethod,
  category: Category,
  options: EvaluateOptions,
): Promise<EvaluationRecord[]> {
  const { settings, gpu } = method;
  gpu.pool.resetPeak();
  const { shots, seeds = 1, rule, radius = false, ...rest } = options;
  const { draw = "random", ...work } = rest;
  const counts = shots ?? [undefined];
  const blocks = draw === "in-order" ? settings.seed + seeds : 1;
  const most = Math.max(0, ...shots ?? []) * blocks;
  if (most > category.train.length) {
    throw new RangeError(
      `Cannot fit ${most} images of "${category.name}": it has ${category.train.length} to train with`,
    );
  }
  using runner = await method.start(category, {
    ...work,
    several: counts.length * seeds > 1,
  });
  const records: EvaluationRecord[] = [];
  for (const count of counts) {
    const runs: EvaluationRecord[] = [];
    for (let seed = settings.seed; seed < settings.seed + seeds; seed++) {
      const train = count === undefined
        ? undefined
        : draw === "random"
        ? drawShots(seed, runner.trainImages, count)
        : Uint32Array.from({ length: count }, (_, i) => seed * count + i);
      const outcome = await runner.run({ ...settings, seed }, {
        rule,
        radius,
        ...(train && { train }),
      });
      runs.push(outcomeRecord(category.name, outcome));
    }
    records.push({
      ...(seeds > 1 ? seedsRecord(runs) : runs[0]!),
      ...(count !== undefined && { shots: count }),
    });
  }
  return records.map((record) => ({
    ...record,
    peak_gpu_bytes: gpu.peakBytes,
  }));
}

/**
 * Draws training images without replacement.
 *
 * @param seed Seed of the draw.
 * @param shots How many to draw.
 * @returns Their indices, ascending.
 * @throws {RangeError} If there are fewer.
 */
function drawShots(
  seed: number,
  images: number,
  shots: number,
): Uint32Array<ArrayBuffer> {
  return choice(new Mt19937(seed), images, shots).sort();
}
