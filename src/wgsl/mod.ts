/**
 * What the GPU runs: every kernel as plain data. Nothing here touches a device.
 *
 * @module
 */
export * from "./activation.ts";
export * from "./concat.ts";
export * from "./conv2d.ts";
export * from "./conv2d_grouped.ts";
export * from "./elementwise.ts";
export * from "./flatten.ts";
export * from "./global_average_pool.ts";
export * from "./grid.ts";
export * from "./kernel.ts";
export * from "./pad2d.ts";
export * from "./pool2d.ts";
export * from "./softmax.ts";
export * from "./winograd.ts";
