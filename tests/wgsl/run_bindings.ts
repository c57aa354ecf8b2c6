import type { Gpu, TensorData } from "../../src/gpu/mod.ts";
import type { Kernel } from "../../src/wgsl/kernel.ts";

/**
 * Runs one dispatch of a kernel with several outputs or integer bindings.
 *
 * @param bindings What every binding holds before.
 * @returns What every binding holds afterwards.
 */
export async function runBindings<Sizes, Names extends string>(
  gpu: Gpu,
  kernel: Kernel<Sizes>,
  sizes: Sizes,
  bindings: Readonly<Record<Names, TensorData>>,
): Promise<Record<Names, TensorData>> {
  const names = Object.keys(bindings) as Names[];
  const tensors = names.map((name) => gpu.upload(bindings[name]));
  try {
    using program = await gpu.program(`${kernel.name} test`).dispatch(
      kernel,
      sizes,
      Object.fromEntries(names.map((name, i) => [name, tensors[i]!])),
    ).compile();
    program.run();
    const results = await gpu.readAll(tensors);
    return Object.fromEntries(
      names.map((name, i) => [name, results[i]!]),
    ) as Record<Names, TensorData>;
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}
