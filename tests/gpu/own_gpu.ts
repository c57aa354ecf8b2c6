import { Gpu } from "../../src/gpu/mod.ts";

/**
 * Registers a test that gets a device of its own: for tests that destroy it or
 * provoke errors, which `gpuTest` would take for failures.
 */
export function ownGpuTest(
  name: string,
  fn: (gpu: Gpu) => void | Promise<void>,
): void {
  Deno.test(name, () => withOwnGpu(fn));
}

/** Runs `fn` with a device of its own, which is gone afterwards. */
export async function withOwnGpu<T>(
  fn: (gpu: Gpu) => T | Promise<T>,
): Promise<T> {
  const gpu = await Gpu.create();
  try {
    const result = await fn(gpu);
    await gpu.device.queue.onSubmittedWorkDone();
    return result;
  } finally {
    gpu.dispose();
    await gpu.device.lost;
  }
}
