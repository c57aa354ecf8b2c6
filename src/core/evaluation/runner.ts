import type { WorkOptions } from "../features/progress.ts";
import type { MaskRule } from "../metrics/mask_rule.ts";
import type { Settings } from "../settings/settings.ts";
import type { CategoryResult } from "./category_metrics.ts";
import type { ScoringWork } from "./score_samples.ts";

/** Options of the work on a category. */
export interface CategoryWork extends WorkOptions, ScoringWork {
  /** Images of a batch. */
  readonly batch: number;
  /** What the names of training images of a group have in common. */
  readonly groupBy?: RegExp;
  /**
   * Whether several runs follow, so that what they have in common is worth
   * keeping on the GPU.
   */
  readonly several?: boolean;
}

/** Options of {@linkcode Runner.run}. */
export interface RunOptions {
  /** Which pixels of the masks are anomalous. */
  readonly rule: MaskRule;
  /** Training images to fit, by index; all by default. */
  readonly train?: Uint32Array;
  /** Whether to measure covering radii (paper, Eq. 5); takes time. */
  readonly radius?: boolean;
}

/** Covering radii in the space of the features (paper, Eq. 5). */
export interface Radii {
  /** Of the memory bank. */
  readonly bank: number;
  /** Of as many patches drawn at random. */
  readonly random: number;
}

/** What a run found. */
export interface Outcome {
  /** All metrics. */
  readonly result: CategoryResult;
  /** Training images fitted. */
  readonly trainImages: number;
  /** Rows of the memory bank, where there is one. */
  readonly bankRows?: number;
  /** Covering radii, where they were measured. */
  readonly radii?: Radii;
  /** Recall@1 of an approximate search over the test patches. */
  readonly recall?: number;
  /** Seconds of each step; the covering radii and the recall are not in it. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** Fits a method to a category and evaluates it, any number of times. */
export interface Runner extends Disposable {
  /** Training images that can be fitted. */
  readonly trainImages: number;
  /** Fits and evaluates once; the seed is the settings'. */
  run(settings: Settings, options: RunOptions): Promise<Outcome>;
}

/** Seconds since a time of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** Seconds of steps and their sum. */
export function withTotal(
  seconds: Readonly<Record<string, number>>,
): Record<string, number> {
  const total = Object.values(seconds).reduce((sum, step) => sum + step);
  return { ...seconds, total };
}
