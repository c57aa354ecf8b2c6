const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
] as const;

/** Features used when the adapter has them; none is required. */
export const WANTED_FEATURES: readonly GPUFeatureName[] = [
  "shader-f16",
  "timestamp-query",
];

/**
 * The limits to request: all that the adapter offers for what kernels use.
 *
 * Buffer sizes are rounded down to a multiple of 4, because some drivers report
 * 2³¹ − 1 and WebGPU copies whole words.
 */
export function requestedLimits(
  adapter: GPUAdapter,
): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) {
    const value = adapter.limits[name];
    if (value !== undefined) limits[name] = value;
  }
  for (const name of ["maxBufferSize", "maxStorageBufferBindingSize"]) {
    limits[name] -= limits[name] % 4;
  }
  return limits;
}
