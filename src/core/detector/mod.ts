/**
 * PatchCore as one class: fit, predict, save, load.
 *
 * @module
 */
export * from "./backbone.ts";
export * from "./fit.ts";
export * from "./image_source.ts";
export * from "./options.ts";
export * from "./patchcore.ts";
export * from "./prediction.ts";
export * from "./progress.ts";
