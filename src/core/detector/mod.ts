/**
 * PatchCore as one class: fit, predict, save, load.
 *
 * @module
 */
export type { BackboneFile, BackboneOptions } from "./backbone.ts";
export { Backbone } from "./backbone.ts";
export * from "./detector_set.ts";
export * from "./ensemble.ts";
export type { EnsembleFitReport } from "./ensemble_report.ts";
export type { FitPlan, HeldRows } from "./fit_plan.ts";
export type { FitReport } from "./fit_report.ts";
export type { ImageSource, ImageSources, NamedImage } from "./image_source.ts";
export * from "./merge_models.ts";
export {
  type BackboneResolver,
  setBackboneResolver,
} from "./named_backbone.ts";
export type {
  AppendOptions,
  DetectorOptions,
  FitOptions,
  LoadOptions,
  PatchCoreOptions,
  SaveOptions,
} from "./options.ts";
export * from "./patchcore.ts";
export * from "./planned_memory.ts";
export * from "./prediction.ts";
export * from "./progress.ts";
