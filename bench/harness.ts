/** Benches of kernels: what they share. */
import { Gpu, type Program, type Tensor } from "../src/gpu/mod.ts";
import type { Kernel } from "../src/wgsl/kernel.ts";
import { randomFloats } from "../tests/testing.ts";

/** The adapter that is measured. */
export const gpu: Gpu = await Gpu.create();

/** What a bench runs. */
export interface Work {
  /** Compiled dispatches. */
  readonly program: Program;
  /** What the last of them writes. */
  readonly output: Tensor;
}

/** Name and place of a bench. */
export interface BenchOptions {
  /** The kernel. */
  readonly name: string;
  /** The shape: benches of a group are compared. */
  readonly group: string;
  /** Whether the others of the group are compared with this one. */
  readonly baseline?: boolean;
  /** Runs that are measured, 10 by default. */
  readonly n?: number;
  /** Whether the adapter cannot run it. */
  readonly ignore?: boolean;
}

let current: {
  readonly key: string;
  readonly scope: DisposableStack;
  readonly work: Work;
} | undefined;

/**
 * Registers a bench of a program. It counts the time from the submit to the
 * first bytes of the result: Deno's own way to wait takes 11 ms at least.
 */
export function gpuBench(
  options: BenchOptions,
  prepare: (scope: DisposableStack) => Promise<Work>,
): void {
  const { name, group, baseline = false, n = 10, ignore = false } = options;
  const key = `${group} ${name}`;
  Deno.bench({ name, group, baseline, n, warmup: 2, ignore }, async (b) => {
    if (current?.key !== key) {
      current?.scope.dispose();
      const scope = new DisposableStack();
      current = { key, scope, work: await prepare(scope) };
    }
    const { program, output } = current.work;
    b.start();
    program.run();
    await gpu.readBuffer(output.buffer, 4);
    b.end();
  });
}

/** Registers a bench of one dispatch over inputs of so many random numbers. */
export function kernelBench<Sizes>(
  options: Omit<BenchOptions, "name">,
  kernel: Kernel<Sizes>,
  sizes: Sizes,
  inputs: Readonly<Record<string, number>>,
  outputElements: number,
): void {
  gpuBench({ ...options, name: kernel.name }, async (scope) => {
    const tensors = Object.fromEntries(
      Object.entries(inputs)
        .map(([name, elements]) => [name, randomTensor(scope, elements)]),
    );
    const output = scope.use(gpu.tensor([outputElements]));
    const program = scope.use(gpu.program(kernel.name))
      .dispatch(kernel, sizes, { ...tensors, y: output });
    await program.compile();
    return { program, output };
  });
}

/** A tensor of random numbers. */
export function randomTensor(scope: DisposableStack, elements: number): Tensor {
  return scope.use(gpu.upload(randomFloats(1, elements)));
}
