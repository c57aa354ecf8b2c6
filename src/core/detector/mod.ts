/**
 * PatchCore as one class: fit, predict, save, load.
 *
 * @module
 */
export type { BackboneFile, BackboneOptions } from "../features/backbone.ts";
export { Backbone } from "../features/backbone.ts";
export * from "./detector_set.ts";
export * from "./ensemble/ensemble.ts";
export type { EnsembleFitReport } from "./ensemble/joint_prediction.ts";
export type { FitPlan, HeldRows } from "./fit/plan.ts";
export type { FitReport } from "./fit/report.ts";
export type {
  ImageSource,
  ImageSources,
  NamedImage,
} from "../features/image_source.ts";
export * from "./fit/merge_models.ts";
export {
  type BackboneResolver,
  setBackboneResolver,
} from "../features/named_backbone.ts";
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
export * from "./predict/prediction.ts";
export * from "../features/progress.ts";
