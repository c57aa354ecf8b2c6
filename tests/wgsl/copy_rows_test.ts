import { assertEquals } from "@std/assert";
import { copyRows } from "../../src/wgsl/copy_rows.ts";
import { gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

const UNTOUCHED = -7;

for (
  const { rows, dim, first, count } of [
    { rows: 1, dim: 4, first: 0, count: 1 },
    { rows: 9, dim: 12, first: 0, count: 7 },
    { rows: 40, dim: 300, first: 5, count: 11 },
    { rows: 70_000, dim: 4, first: 2, count: 9 },
  ]
) {
  gpuTest(
    `copy_rows copies the rows of its chunk: ${rows} of ${dim}`,
    async (gpu) => {
      const x = randomFloats(1, count * dim);
      const indices = Uint32Array.from(
        { length: rows },
        (_, i) => i % 13 === 5 ? 0xffffffff : (i * 7) % (first + count + 3),
      );
      const result = await runBindings(
        gpu,
        copyRows,
        { rows, dim, first, count },
        { x, indices, y: new Float32Array(rows * dim).fill(UNTOUCHED) },
      );
      const expected = new Float32Array(rows * dim).fill(UNTOUCHED);
      indices.forEach((index, row) => {
        const at = index - first;
        if (at < 0 || at >= count) return;
        expected.set(x.subarray(at * dim, (at + 1) * dim), row * dim);
      });
      assertEquals(result.y, expected);
    },
  );
}

gpuTest("copy_rows begins in the middle of its list and of y", async (gpu) => {
  const dim = 8;
  const [rows, from, to] = [5, 3, 2];
  const x = randomFloats(2, 6 * dim);
  const indices = Uint32Array.of(9, 9, 9, 4, 1, 9, 5, 2, 3);
  const result = await runBindings(
    gpu,
    copyRows,
    { rows, dim, first: 1, count: 6, from, to },
    { x, indices, y: new Float32Array(8 * dim).fill(UNTOUCHED) },
  );
  const expected = new Float32Array(8 * dim).fill(UNTOUCHED);
  for (const [row, at] of [3, 0, -1, 4, 1].entries()) {
    if (at < 0) continue;
    expected.set(x.subarray(at * dim, (at + 1) * dim), (to + row) * dim);
  }
  assertEquals(result.y, expected);
});

Deno.test("copy_rows does nothing for an empty list", () => {
  const { workgroups } = copyRows.plan({ rows: 0, dim: 4, first: 0, count: 3 });
  assertEquals(workgroups.includes(0), true);
});
