import { assert, assertEquals } from "@std/assert";
import { unitRows } from "../../src/wgsl/mod.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

gpuTest(
  "unit_rows gives rows the length 1, from a first one on",
  async (gpu) => {
    for (const [rows, dim, from] of [[1, 4, 0], [65, 12, 3], [7, 384, 1]]) {
      const data = randomFloats(dim!, (from! + rows! + 1) * dim!);
      const { rows: result } = await runBindings(
        gpu,
        unitRows,
        { rows: rows!, dim: dim!, from: from! },
        { rows: data },
      );
      const expected = Array.from(data, (x, i) => {
        const row = Math.floor(i / dim!);
        if (row < from! || row >= from! + rows!) return x;
        const own = data.subarray(row * dim!, (row + 1) * dim!);
        return x / Math.hypot(...own);
      });
      assertAllClose(result!, expected);
    }
  },
);

gpuTest(
  "unit_rows leaves zeros, and tells of what is not finite",
  async (gpu) => {
    const data = Float32Array.of(0, 0, 0, 0, 3e38, 3e38, 0, 1, NaN, 1, 1, 1);
    const { rows } = await runBindings(
      gpu,
      unitRows,
      { rows: 3, dim: 4 },
      { rows: data },
    );
    assertEquals([...rows!.subarray(0, 4)], [0, 0, 0, 0]);
    assert(rows!.subarray(4).every(Number.isNaN), `${rows}`);
  },
);
