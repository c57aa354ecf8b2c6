import { Gpu } from "../../src/gpu/mod.ts";

/**
 * Registers a test that gets a device of its own: for tests that destroy it or
 * provoke errors, which `gpuTest` would take for failures.
 */
export function ownGpuTest(
  name: string,
  fn: (gpu: Gpu) => void | Promise<void>,
): void {
  Deno.test(name, async () => {
    const gpu = await Gpu.create();
    try {
      await fn(gpu);
      await gpu.device.queue.onSubmittedWorkDone();
    } finally {
      gpu.dispose();
      await gpu.device.lost;
    }
  });
}
