import { pairDistances } from "../../../src/core/rows/pair_distances.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { squaredDistance } from "../../reference/search.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

const NONE = 0xffffffff;

gpuTest(
  "pairDistances() measures across chunks and marks missing rows",
  async (gpu) => {
    const dim = 8;
    const a = randomFloats(1, 50 * dim);
    const b = randomFloats(2, 33 * dim);
    const pairs = Uint32Array.from(
      { length: 50 },
      (_, i) => i % 7 ? i * 5 % 33 : NONE,
    );
    const expected = Array.from(
      pairs,
      (pair, i) => pair === NONE ? 3e38 : squaredDistance(a, i, b, pair, dim),
    );
    for (const device of [gpu, narrow(gpu, 10 * dim * 4)]) {
      using rows = uploadRows(device, a, dim);
      using bank = uploadRows(device, b, dim);
      assertAllClose(await pairDistances(device, rows, bank, pairs), expected);
    }
  },
);
