/** One dispatch ready to be encoded. */
export interface BoundDispatch {
  /** Kernel name and role, as the profiler groups it. */
  readonly label: string;
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its buffers. */
  readonly bindGroup: GPUBindGroup;
  /** Workgroup counts. */
  readonly workgroups: readonly [number, number, number];
}

/**
 * Encodes dispatches as one compute pass.
 *
 * @param timestampWrites Where the times of its begin and end go.
 */
export function encodePass(
  encoder: GPUCommandEncoder,
  dispatches: readonly BoundDispatch[],
  timestampWrites?: GPUComputePassTimestampWrites,
): void {
  const pass = encoder.beginComputePass(
    timestampWrites === undefined ? {} : { timestampWrites },
  );
  for (const { pipeline, bindGroup, workgroups } of dispatches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
}
