import { type Gpu, RowChunks } from "../../../src/gpu/mod.ts";
import type { Variants } from "../../../src/wgsl/variants.ts";

/** Row chunks from host data. */
export function uploadRows(
  gpu: Gpu,
  data: Float32Array,
  dim: number,
): RowChunks {
  const rows = RowChunks.allocate(gpu, data.length / dim, dim, "rows");
  rows.chunks.forEach((chunk, i) => {
    const start = i * rows.rowsPerChunk * dim;
    gpu.write(chunk, data.slice(start, start + chunk.size));
  });
  return rows;
}

/** A device as `gpu` that binds no more than `bytes` at once. */
export function narrow(gpu: Gpu, bytes: number): Gpu {
  return withValues(gpu, { maxTensorBytes: bytes });
}

/** A device as `gpu` that runs the kernels for any adapter. */
export function withoutSubgroups(gpu: Gpu): Gpu {
  const pick = <Form>({ portable }: Variants<Form>): Form => portable;
  return withValues(gpu, { pick });
}

function withValues(
  gpu: Gpu,
  values: Readonly<Record<string | symbol, unknown>>,
): Gpu {
  return new Proxy(gpu, {
    get(target, key) {
      if (key in values) return values[key];
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
