import { assert, assertEquals } from "@std/assert";
import {
  type Lifetime,
  type MemoryPlan,
  planMemory,
} from "../../src/nn/memory_plan.ts";
import { randomFloats } from "../testing.ts";

function life(
  name: string,
  byteLength: number,
  first: number,
  last: number,
): Lifetime {
  return { name, byteLength, first, last };
}

/** Fails unless every value has its buffer to itself while it lives. */
function checkPlan(lifetimes: readonly Lifetime[], plan: MemoryPlan): void {
  const { buffers, bufferOf } = plan;
  assertEquals(bufferOf.size, lifetimes.length);
  for (const a of lifetimes) {
    const buffer = bufferOf.get(a.name)!;
    assert(buffers[buffer]! >= a.byteLength, `"${a.name}" does not fit`);
    for (const b of lifetimes) {
      const together = a !== b && a.first <= b.last && b.first <= a.last;
      assert(
        !together || bufferOf.get(b.name) !== buffer,
        `"${a.name}" and "${b.name}" live at once in buffer ${buffer}`,
      );
    }
  }
  const used = new Set(bufferOf.values());
  assertEquals(used.size, buffers.length, "A buffer holds nothing");
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** The most bytes that are alive at one step: no plan needs less. */
function leastBytes(lifetimes: readonly Lifetime[]): number {
  const alive = (step: number): number =>
    sum(
      lifetimes.filter(({ first, last }) => first <= step && step <= last)
        .map(({ byteLength }) => byteLength),
    );
  return Math.max(0, ...lifetimes.map(({ first }) => alive(first)));
}

Deno.test("planMemory() needs nothing for nothing", () => {
  assertEquals(planMemory([]), { buffers: [], bufferOf: new Map() });
});

Deno.test("planMemory() alternates two buffers along a chain", () => {
  const chain = [0, 1, 2, 3, 4].map((i) => life(`t${i}`, 64, i, i + 1));
  const plan = planMemory(chain);
  checkPlan(chain, plan);
  assertEquals(plan.buffers, [64, 64]);
});

Deno.test("planMemory() keeps a residual until its last reader", () => {
  const block = [
    life("input", 64, 0, 3),
    life("a", 64, 1, 2),
    life("b", 64, 2, 3),
    life("sum", 64, 3, 4),
  ];
  const plan = planMemory(block);
  checkPlan(block, plan);
  assertEquals(plan.buffers, [64, 64, 64]);
});

Deno.test("planMemory() never gives a tap's buffer away", () => {
  const lifetimes = [
    life("tap", 64, 0, Infinity),
    life("a", 64, 1, 2),
    life("b", 64, 3, 4),
  ];
  const plan = planMemory(lifetimes);
  checkPlan(lifetimes, plan);
  assertEquals(plan.buffers, [64, 64]);
});

Deno.test("planMemory() does not hand a buffer on in the step that reads it", () => {
  const lifetimes = [life("x", 64, 0, 1), life("y", 64, 1, 2)];
  assertEquals(planMemory(lifetimes).buffers, [64, 64]);
});

Deno.test("planMemory() takes the smallest buffer that fits", () => {
  const lifetimes = [
    life("large", 1000, 0, 0),
    life("small", 10, 0, 0),
    life("next", 8, 1, 1),
  ];
  const plan = planMemory(lifetimes);
  assertEquals(plan.bufferOf.get("next"), plan.bufferOf.get("small"));
});

Deno.test("planMemory() grows the largest free buffer when none fits", () => {
  const lifetimes = [
    life("a", 10, 0, 0),
    life("b", 20, 0, 0),
    life("c", 25, 1, 1),
  ];
  const plan = planMemory(lifetimes);
  checkPlan(lifetimes, plan);
  assertEquals(plan.buffers, [10, 25]);
});

Deno.test("planMemory() takes values in any order", () => {
  const lifetimes = [life("late", 8, 3, 4), life("early", 8, 0, 1)];
  const plan = planMemory(lifetimes);
  checkPlan(lifetimes, plan);
  assertEquals(plan.buffers, [8]);
});

Deno.test("planMemory() holds for random lifetimes", () => {
  let saved = 0;
  for (let seed = 0; seed < 200; seed++) {
    const count = 1 + seed % 60;
    const random = randomFloats(seed, count * 3).map((v) => (v + 1) / 2);
    const lifetimes = Array.from({ length: count }, (_, i) => {
      const [size = 0, start = 0, length = 0] = random.subarray(i * 3);
      const first = Math.floor(start * count);
      const last = length > 0.95
        ? Infinity
        : first + Math.floor(length ** 3 * count);
      return life(`t${i}`, 4 + 4 * Math.floor(size * 100), first, last);
    });
    const plan = planMemory(lifetimes);
    checkPlan(lifetimes, plan);
    const naive = sum(lifetimes.map(({ byteLength }) => byteLength));
    const peak = sum(plan.buffers);
    assert(peak <= naive, `seed ${seed}: ${peak} bytes, naive ${naive}`);
    assert(peak >= leastBytes(lifetimes), `seed ${seed}: ${peak} bytes`);
    saved += 1 - peak / naive;
  }
  assert(saved / 200 > 0.3, `Saved ${saved / 200} on average`);
});
