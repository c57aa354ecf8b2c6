/**
 * How good a detector is on labelled images: fits, predictions and every
 * metric, category by category.
 *
 * @module
 */
export type { BaselineName } from "./baseline_methods.ts";
export * from "./category_metrics.ts";
export * from "./ensemble_evaluator.ts";
export * from "./evaluate_category.ts";
export * from "./evaluator.ts";
export * from "./experiment.ts";
export { sourcesOf } from "./features_of.ts";
export type { Variant } from "./fitted_bank.ts";
export * from "./ground_truth.ts";
export * from "./recalibration.ts";
export * from "./record.ts";
export * from "./runner.ts";
export * from "./score_samples.ts";
export * from "./summary.ts";
