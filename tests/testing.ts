/**
 * What every test leans on: GPU tests that fail on any GPU error, comparison
 * of float tensors with a useful message, material that lives outside the
 * repository, and reproducible random numbers.
 *
 * @module
 */
import { AssertionError } from "@std/assert";
import type { Gpu } from "../src/gpu/mod.ts";

/** Resolves a path below `shared/`, the test material beside the checkout. */
export type SharedPath = (...parts: string[]) => string;

/** Settings of {@linkcode gpuTest}. */
export interface GpuTestOptions {
  /** Whether the test needs `shared/`; without it the test is skipped. */
  readonly shared?: boolean;
  /**
   * The subgroups that the test is about; elsewhere it reports itself as an
   * ignored step.
   */
  readonly subgroupSize?: number | undefined;
  /**
   * The feature that the test is about; on a device without it, it reports
   * itself as an ignored step.
   */
  readonly feature?: GPUFeatureName;
}

let pending: Promise<Gpu> | undefined;

/**
 * Registers a test that gets the file's one {@linkcode Gpu}.
 *
 * It fails when the machine has no WebGPU adapter, and when any GPU error
 * that nobody caught was raised while it ran, even if every assertion held.
 */
export function gpuTest(
  name: string,
  fn: (
    gpu: Gpu,
    t: Deno.TestContext,
    shared: SharedPath,
  ) => void | Promise<void>,
  options: GpuTestOptions = {},
): void {
  register(name, options.shared === true, async (t) => {
    const gpu = await openGpu();
    const run = (t: Deno.TestContext): Promise<void> =>
      failOnGpuErrors(gpu, () => fn(gpu, t, requireShared));
    const { subgroupSize, feature } = options;
    if (subgroupSize !== undefined) {
      await t.step({
        name: `subgroups of ${subgroupSize} lanes`,
        ignore: gpu.subgroupSize !== subgroupSize,
        fn: run,
      });
    } else if (feature !== undefined) {
      await t.step({
        name: `needs ${feature}`,
        ignore: !gpu.device.features.has(feature),
        fn: run,
      });
    } else await run(t);
  });
}

/**
 * Runs `fn` and waits for the GPU.
 *
 * @throws {AssertionError} If the GPU raised an error that nobody caught.
 */
export async function failOnGpuErrors(
  gpu: Gpu,
  fn: () => void | Promise<void>,
): Promise<void> {
  const errors: string[] = [];
  const listener = (event: Event): void => {
    event.preventDefault();
    errors.push((event as GPUUncapturedErrorEvent).error.message);
  };
  gpu.device.addEventListener("uncapturederror", listener);
  try {
    await fn();
    await gpu.device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 0));
  } catch (error) {
    throw original(error);
  } finally {
    gpu.device.removeEventListener("uncapturederror", listener);
  }
  if (errors.length === 0) return;
  forget(gpu);
  throw new AssertionError(
    `The GPU reported ${errors.length} error(s) during this test:\n${
      errors.join("\n")
    }`,
  );
}

/** What was thrown first, where disposing of `using` variables failed, too. */
function original(error: unknown): unknown {
  return error instanceof SuppressedError ? original(error.suppressed) : error;
}

/** Takes the errors out of the shared `gpu`, so that the next test is clean. */
function forget(gpu: Gpu): void {
  try {
    gpu.check();
  } catch (error) {
    if (!(error instanceof Error && error.name === "GpuError")) throw error;
  }
}

async function openGpu(): Promise<Gpu> {
  if (!await navigator.gpu?.requestAdapter()) {
    throw new AssertionError(
      "No WebGPU adapter: GPU tests never skip, run `sh scripts/setup.sh` to install a Vulkan driver",
    );
  }
  pending ??= import("../src/gpu/mod.ts").then(({ Gpu }) => Gpu.create());
  return await pending;
}

/**
 * Registers a test that needs `shared/`. Where it is absent the test is
 * ignored and its name says so.
 */
export function sharedTest(
  name: string,
  fn: (t: Deno.TestContext, shared: SharedPath) => void | Promise<void>,
): void {
  register(name, true, (t) => fn(t, requireShared));
}

function register(
  name: string,
  needsShared: boolean,
  fn: (t: Deno.TestContext) => void | Promise<void>,
): void {
  if (needsShared && sharedPath() === undefined) {
    const reason = "skipped: no ../shared beside the checkout";
    Deno.test.ignore(`${name} (${reason})`, fn);
  } else {
    Deno.test(name, fn);
  }
}

/**
 * Path of test material below `shared/`, or `undefined` where there is none.
 * `PATCHCORE_SHARED` names another folder than `../shared`.
 */
export function sharedPath(...parts: string[]): string | undefined {
  const named = Deno.env.get("PATCHCORE_SHARED");
  const root = named ??
    pathOf(new URL("../../shared", import.meta.url));
  if (!isFolder(root)) {
    if (named === undefined) return undefined;
    throw new Error(`PATCHCORE_SHARED is not a folder: "${named}"`);
  }
  return [root, ...parts].join("/");
}

/** The path of a file's address, on Windows without the slash before a drive. */
export function pathOf({ pathname }: Pick<URL, "pathname">): string {
  return decodeURIComponent(pathname).replace(/^\/([a-z]:)/i, "$1");
}

function requireShared(...parts: string[]): string {
  const path = sharedPath(...parts);
  if (path === undefined) throw new Error("No ../shared beside the checkout");
  return path;
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Tolerances of {@linkcode assertAllClose}. */
export interface Tolerance {
  /** Allowed difference as a share of the expected value, default 1e-5. */
  readonly rtol?: number;
  /** Allowed difference whatever the value, default 1e-6. */
  readonly atol?: number;
  /** Whether NaN equals NaN, default false. */
  readonly equalNaN?: boolean;
  /** What is compared, for the message. */
  readonly what?: string;
}

/**
 * Fails unless `|actual − expected| ≤ atol + rtol · |expected|` everywhere.
 * The message names the worst index and both values there.
 */
export function assertAllClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  options: Tolerance = {},
): void {
  const { rtol = 1e-5, atol = 1e-6, equalNaN = false } = options;
  const what = options.what ? `${options.what}: ` : "";
  if (actual.length !== expected.length) {
    throw new AssertionError(
      `${what}${actual.length} values, expected ${expected.length}`,
    );
  }
  let failures = 0;
  let worst = -1;
  let worstExcess = -Infinity;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i]!;
    const e = expected[i]!;
    if (a === e || equalNaN && Number.isNaN(a) && Number.isNaN(e)) continue;
    const difference = Math.abs(a - e);
    const allowed = atol + rtol * Math.abs(e);
    if (difference <= allowed && difference !== Infinity) continue;
    failures++;
    const excess = Number.isNaN(difference) ? Infinity : difference / allowed;
    if (worst < 0 || excess > worstExcess) [worst, worstExcess] = [i, excess];
  }
  if (failures === 0) return;
  throw new AssertionError(
    `${what}${failures} of ${actual.length} values differ; worst at index ${worst}: ${
      actual[worst]
    }, expected ${expected[worst]} (difference ${
      Math.abs(actual[worst]! - expected[worst]!).toExponential(3)
    }, rtol ${rtol}, atol ${atol})`,
  );
}

/** ‖actual − expected‖ / ‖expected‖, the relative error in the 2-norm. */
export function relativeError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  if (actual.length !== expected.length) {
    throw new AssertionError(
      `${actual.length} values, expected ${expected.length}`,
    );
  }
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < actual.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}

/** `n` reproducible floats, uniform in [−1, 1). */
export function randomFloats(
  seed: number,
  n: number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(n);
  let state = seed >>> 0;
  for (let i = 0; i < n; i++) {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    values[i] = ((z ^ (z >>> 16)) >>> 8) / 2 ** 23 - 1;
  }
  return values;
}
