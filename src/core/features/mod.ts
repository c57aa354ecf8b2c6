/**
 * From taps of a backbone to patch features.
 *
 * @module
 */
export * from "./band_table.ts";
export * from "./bands.ts";
export * from "./feature_layer.ts";
export * from "./interpolation.ts";
export * from "./patch_features.ts";
