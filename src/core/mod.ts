/**
 * The method: images → features → memory bank → scores → metrics → report.
 * Nothing here needs Deno; it runs in a browser as well.
 *
 * @module
 */
export type { StoredEnsemble } from "./model/ensemble_file.ts";
export { ModelFileError } from "./model/stored_model.ts";
export { readModelFile, writeModelFile } from "./model/model_file.ts";
export type { Bundling, StoredBackbone } from "./features/backbone.ts";
export type {
  StoredCoverage,
  StoredModel,
  StoredSample,
  StoredThreshold,
} from "./model/stored_model.ts";
export {
  limitsOf,
  type StoredThresholds,
  type ThresholdChange,
  withMinArea,
  withThresholds,
} from "./model/thresholds.ts";
export type { Label, Limits } from "./score/verdict.ts";
export type { StoredProjection } from "./rows/projection.ts";
export * from "./detector/mod.ts";
export type { TuningStore } from "../nn/conv_tuning.ts";
export {
  decodeImage,
  type DecodeOptions,
  type SizeLimit,
} from "./images/decode.ts";
export { ImageError } from "./images/image_error.ts";
export type { Normalisation } from "./images/normalise.ts";
export type { Pixels } from "./images/pixels.ts";
export {
  drawRegion,
  type RegionDrawing,
  type RegionShape,
} from "./images/region.ts";
export { type DefectRegion, defectRegions } from "./score/defect_regions.ts";
export type { Corner } from "./images/outline.ts";
export type { JudgedAnomalyMap } from "./score/defect_regions.ts";
export type { FloatImage } from "./images/pixels.ts";
export type { CropGeometry } from "./images/resize_plan.ts";
export { PRESETS } from "./settings/presets.ts";
export * from "./settings/resolve_settings.ts";
export type * from "./settings/settings.ts";
