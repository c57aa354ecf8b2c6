/**
 * An adapter that offers nothing beyond what WebGPU guarantees.
 *
 * @module
 */

/** The default limits of the WebGPU specification (§ 3.6.2, Limits). */
export const DEFAULT_LIMITS: Readonly<Record<string, number>> = {
  maxTextureDimension1D: 8192,
  maxTextureDimension2D: 8192,
  maxTextureDimension3D: 2048,
  maxTextureArrayLayers: 256,
  maxBindGroups: 4,
  maxBindGroupsPlusVertexBuffers: 24,
  maxBindingsPerBindGroup: 1000,
  maxDynamicUniformBuffersPerPipelineLayout: 8,
  maxDynamicStorageBuffersPerPipelineLayout: 4,
  maxSampledTexturesPerShaderStage: 16,
  maxSamplersPerShaderStage: 16,
  maxStorageBuffersPerShaderStage: 8,
  maxStorageTexturesPerShaderStage: 4,
  maxUniformBuffersPerShaderStage: 12,
  maxUniformBufferBindingSize: 65536,
  maxStorageBufferBindingSize: 134217728,
  minUniformBufferOffsetAlignment: 256,
  minStorageBufferOffsetAlignment: 256,
  maxVertexBuffers: 8,
  maxBufferSize: 268435456,
  maxVertexAttributes: 16,
  maxVertexBufferArrayStride: 2048,
  maxInterStageShaderVariables: 16,
  maxColorAttachments: 8,
  maxColorAttachmentBytesPerSample: 32,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
};

/**
 * The adapter with the default limits and no optional feature; a request for
 * more is refused, as such an adapter refuses it.
 */
export function humbleAdapter(adapter: GPUAdapter): GPUAdapter {
  const limits = DEFAULT_LIMITS as unknown as GPUSupportedLimits;
  const features: ReadonlySet<string> = new Set<string>();
  const requestDevice = async (
    descriptor: GPUDeviceDescriptor = {},
  ): Promise<GPUDevice> => {
    const asked = [...descriptor.requiredFeatures ?? []];
    if (asked.length > 0) throw new TypeError(`No feature ${asked[0]}`);
    for (
      const [name, value] of Object.entries(descriptor.requiredLimits ?? {})
    ) {
      const most = DEFAULT_LIMITS[name];
      const aligned = name.startsWith("min");
      if (
        value !== undefined && most !== undefined &&
        (aligned ? value < most : value > most)
      ) {
        throw new DOMException(`${name} is ${most}`, "OperationError");
      }
    }
    return await adapter.requestDevice(descriptor);
  };
  return new Proxy(adapter, {
    get(target, name) {
      if (name === "limits") return limits;
      if (name === "features") return features;
      if (name === "requestDevice") return requestDevice;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
