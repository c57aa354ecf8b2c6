import { AssertionError } from "@std/assert";
import type { Gpu, Tensor } from "../../src/gpu/mod.ts";
import { toNchw } from "../../src/nn/layout.ts";
import type { HostTensor } from "../../src/nn/graph.ts";
import type { Kernel } from "../../src/wgsl/kernel.ts";
import { randomFloats } from "../testing.ts";
import { size } from "../reference/operands.ts";

/** Whether an adapter has the subgroups that a kernel was written for. */
export function runsOn(gpu: Gpu, kernel: Kernel<never>): boolean {
  return !kernel.enables?.includes("subgroups") || gpu.subgroupSize === 8;
}

/** What outputs hold before a kernel runs: whatever it leaves out shows. */
const UNTOUCHED = -77777;
/** Elements behind an output that have to stay untouched. */
const GUARD = 4096;

/** An output of so many elements, with a guard behind it. */
export function guardedOutput(gpu: Gpu, elements: number): Tensor {
  return gpu.upload(new Float32Array(elements + GUARD).fill(UNTOUCHED));
}

/**
 * Reads a {@linkcode guardedOutput} without its guard.
 *
 * @throws {AssertionError} If a kernel wrote behind its output.
 */
export async function readOutput(
  gpu: Gpu,
  y: Tensor,
): Promise<Float32Array<ArrayBuffer>> {
  const data = await gpu.readFloats(y);
  const end = data.length - GUARD;
  const hit = data.subarray(end).findIndex((v) => v !== UNTOUCHED);
  if (hit >= 0) {
    throw new AssertionError(`Element ${hit} behind the output was written`);
  }
  return data.slice(0, end);
}

/** Runs one dispatch; `y`, of so many elements, is the output. */
export async function runKernel<Sizes>(
  gpu: Gpu,
  kernel: Kernel<Sizes>,
  sizes: Sizes,
  inputs: Readonly<Record<string, Float32Array>>,
  elements: number,
): Promise<Float32Array<ArrayBuffer>> {
  using y = guardedOutput(gpu, elements);
  const tensors = Object.entries(inputs)
    .map(([name, data]) => [name, gpu.upload(data)] as const);
  try {
    using program = await gpu.program(`${kernel.name} test`)
      .dispatch(kernel, sizes, { ...Object.fromEntries(tensors), y })
      .compile();
    program.run();
    return await readOutput(gpu, y);
  } finally {
    for (const [, tensor] of tensors) tensor.dispose();
  }
}

/** A float tensor of random numbers in [−scale, scale). */
export function randomTensor(
  seed: number,
  shape: readonly number[],
  scale = 1,
): HostTensor & { readonly data: Float32Array<ArrayBuffer> } {
  const data = randomFloats(seed, size(shape)).map((v) => v * scale);
  return { dtype: "float32", shape, data };
}

/** Elements of `[N, H, W, 4·⌈C/4⌉]` for the shape `[N, C, H, W]`. */
export function paddedSize(
  [images, channels, ...rest]: readonly number[],
): number {
  return images! * size(rest) * Math.ceil(channels! / 4) * 4;
}

/**
 * NHWC back to the NCHW shape given.
 *
 * @throws {AssertionError} If a padding channel is not zero.
 */
export function withoutPadding(
  data: Float32Array,
  shape: readonly number[],
): Float32Array {
  const channels = shape[1]!;
  const stride = Math.ceil(channels / 4) * 4;
  const bad = data.findIndex((v, i) => i % stride >= channels && v !== 0);
  if (bad >= 0) {
    throw new AssertionError(
      `Padding channel ${bad % stride} of pixel ${
        Math.floor(bad / stride)
      } is ${data[bad]}, expected 0`,
    );
  }
  const [images, , height = 1, width = 1] = shape;
  return toNchw(data, [images!, channels, height, width]);
}
