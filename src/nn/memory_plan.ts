/** When a value is written first and read last, by step index. */
export interface Lifetime {
  /** Name of the value. */
  readonly name: string;
  /** Bytes it needs. */
  readonly byteLength: number;
  /** Step that writes it first. */
  readonly first: number;
  /** Last step that reads it; Infinity keeps it to the end. */
  readonly last: number;
}

/** Which buffer every value lives in. */
export interface MemoryPlan {
  /** Bytes of each buffer. */
  readonly buffers: readonly number[];
  /** Buffer index by value name. */
  readonly bufferOf: ReadonlyMap<string, number>;
}

/**
 * Assigns values to as few bytes of buffers as a greedy walk finds: each takes
 * the smallest free buffer that holds it, else the largest free one grows.
 *
 * A value's buffer is free again after its last reader, never during it, since
 * WebGPU refuses one buffer as input and output of a dispatch.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { planMemory } from "@patchcore/webgpu/nn";
 *
 * // c may have a's memory: nobody reads a any more.
 * const plan = planMemory([
 *   { name: "a", byteLength: 64, first: 0, last: 1 },
 *   { name: "b", byteLength: 64, first: 1, last: 2 },
 *   { name: "c", byteLength: 64, first: 2, last: 3 },
 * ]);
 * assertEquals(plan.buffers, [64, 64]);
 * assertEquals(plan.bufferOf.get("c"), plan.bufferOf.get("a"));
 * ```
 */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const buffers: number[] = [];
  const busyUntil: number[] = [];
  const bufferOf = new Map<string, number>();
  const ordered = lifetimes.toSorted((a, b) => a.first - b.first);
  for (const { name, byteLength, first, last } of ordered) {
    const free = buffers.keys().filter((i) => busyUntil[i] < first).toArray()
      .sort((a, b) => buffers[a] - buffers[b]);
    const fitting = free.find((i) => buffers[i] >= byteLength);
    const chosen = fitting ?? free.at(-1) ?? buffers.length;
    buffers[chosen] = Math.max(buffers[chosen] ?? 0, byteLength);
    busyUntil[chosen] = last;
    bufferOf.set(name, chosen);
  }
  return { buffers, bufferOf };
}
