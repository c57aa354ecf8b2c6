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

const WANTED_FEATURES: readonly GPUFeatureName[] = [
  "shader-f16",
  "subgroups",
  "timestamp-query",
];

/**
 * A device with the features and limits that kernels use, as far as the adapter
 * has them.
 *
 * Deno 2.9 leaves "subgroups" out of `adapter.features` and grants it all the
 * same, so a request with it is tried before one without.
 */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = requestedLimits(adapter);
  const requiredFeatures = WANTED_FEATURES.filter((feature) =>
    adapter.features.has(feature)
  );
  if (!requiredFeatures.includes("subgroups") && "Deno" in globalThis) {
    try {
      return await adapter.requestDevice({
        requiredLimits,
        requiredFeatures: [...requiredFeatures, "subgroups"],
      });
    } catch {
      // The adapter really has no subgroups; the request below goes without.
    }
  }
  return await adapter.requestDevice({ requiredLimits, requiredFeatures });
}

/**
 * The limits to request: all that the adapter offers for what kernels use.
 *
 * Buffer sizes are rounded down to a multiple of 4, because some drivers report
 * 2³¹ − 1 and WebGPU copies whole words.
 */
function requestedLimits(
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
