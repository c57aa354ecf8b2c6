/** A GPU failure told in one message: what was run, where, and what it said. */
export class GpuError extends Error {
  /** Class name, for logs. */
  override name = "GpuError";
}

/** The device went away; nothing that was on it can be used any more. */
export class GpuLostError extends GpuError {
  /** Class name, for logs. */
  override name = "GpuLostError";
}
