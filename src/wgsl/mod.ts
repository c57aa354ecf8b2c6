/**
 * What the GPU runs: every kernel as plain data. Nothing here touches a device.
 *
 * @module
 */
export * from "./activation.ts";
export * from "./anomaly_map.ts";
export * from "./cholesky.ts";
export * from "./concat.ts";
export * from "./conv2d.ts";
export * from "./conv2d_grouped.ts";
export * from "./conv2d_sum.ts";
export * from "./copy_rows.ts";
export * from "./coreset_refresh.ts";
export * from "./coreset_rule_out.ts";
export * from "./coreset_select.ts";
export * from "./coreset_start.ts";
export * from "./coreset_step.ts";
export * from "./covariance.ts";
export * from "./elementwise.ts";
export * from "./expand.ts";
export * from "./flatten.ts";
export * from "./gather_channels.ts";
export * from "./gather_columns.ts";
export * from "./global_average_pool.ts";
export * from "./grid.ts";
export * from "./image_max.ts";
export * from "./ivf_scan.ts";
export * from "./kernel.ts";
export * from "./kmeans.ts";
export * from "./mahalanobis.ts";
export * from "./pack_rows.ts";
export * from "./packed_norms.ts";
export * from "./pad2d.ts";
export * from "./pair_distance.ts";
export * from "./patch_merge.ts";
export * from "./patch_pool.ts";
export * from "./pool2d.ts";
export * from "./product.ts";
export * from "./project_rows.ts";
export * from "./proxies.ts";
export * from "./residual_rows.ts";
export * from "./resize_horizontal.ts";
export * from "./resize_vertical.ts";
export * from "./reweight.ts";
export * from "./row_distances.ts";
export * from "./row_norms.ts";
export * from "./running_mean.ts";
export * from "./sample_mean.ts";
export * from "./search_finish.ts";
export * from "./search_groups.ts";
export * from "./search_leading.ts";
export * from "./search_refine.ts";
export * from "./slice.ts";
export * from "./softmax.ts";
export * from "./variants.ts";
export * from "./winograd.ts";
