import { assertEquals } from "@std/assert";
import { sortCodes } from "../../src/core/baselines/kmeans.ts";
import {
  kmeansAssign,
  kmeansUpdate,
  paddedCodewords,
} from "../../src/wgsl/kmeans.ts";
import { residualRows } from "../../src/wgsl/residual_rows.ts";
import { nearest } from "../reference/ivfpq.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";

for (
  const [rows, dim, subs, codewords, first] of [
    [1, 4, 1, 1, 0],
    [3, 8, 2, 16, 2],
    [33, 12, 4, 17, 0],
    [257, 20, 5, 9, 1],
    [130, 6, 1, 40, 0],
  ] as const
) {
  gpuTest(
    `kmeans_assign and kmeans_update of ${rows} × ${dim}, ${subs} × ${codewords} codewords`,
    async (gpu) => {
      const dims = dim / subs;
      const padded = paddedCodewords(codewords);
      const data = randomFloats(1, (first + rows) * dim);
      const books = randomFloats(2, subs * dims * padded);
      const word = (sub: number, code: number): number[] =>
        Array.from(
          { length: dims },
          (_, d) => books[(sub * dims + d) * padded + code]!,
        );
      const part = (row: number, sub: number): number[] => [
        ...data.subarray(row * dim + sub * dims, row * dim + (sub + 1) * dims),
      ];
      const expected = Array.from({ length: rows * subs }, (_, i) => {
        const sub = i % subs;
        const among = Array.from({ length: codewords }, (_, c) => word(sub, c));
        return nearest(part(first + Math.floor(i / subs), sub), among);
      });
      using x = gpu.upload(data);
      using codebooks = gpu.upload(books);
      using codes = gpu.tensor([rows, subs], "u32");
      for (const lanes of [8, 64]) {
        using program = gpu.program("assign");
        program.dispatch(
          kmeansAssign,
          { rows, first, dim, subs, codewords, lanes },
          { rows: x, codebooks, codes },
        );
        (await program.compile()).run();
        assertEquals([...await gpu.read(codes)], expected);
      }
      const sorted = sortCodes(expected, subs, codewords);
      using order = gpu.upload(sorted.order.map((row) => row + first));
      using offsets = gpu.upload(sorted.offsets);
      using program = gpu.program("update");
      program.dispatch(
        kmeansUpdate,
        { rows, dim, subs, codewords, lanes: 8 },
        { rows: x, order, offsets, codebooks },
      );
      (await program.compile()).run();
      const means = Float64Array.from(books);
      for (let sub = 0; sub < subs; sub++) {
        for (let code = 0; code < codewords; code++) {
          const own = Array.from({ length: rows }, (_, row) => row)
            .filter((row) => expected[row * subs + sub] === code);
          if (own.length === 0) continue;
          for (let d = 0; d < dims; d++) {
            means[(sub * dims + d) * padded + code] = own.reduce(
              (sum, row) => sum + part(first + row, sub)[d]!,
              0,
            ) / own.length;
          }
        }
      }
      assertAllClose(await gpu.readFloats(codebooks), means);
    },
  );
}

gpuTest("kmeans_assign gives ties to the lowest codeword", async (gpu) => {
  using rows = gpu.upload(new Float32Array(20).fill(1), [5, 4]);
  using codebooks = gpu.upload(new Float32Array(4 * 32));
  using codes = gpu.tensor([5], "u32");
  using program = gpu.program("ties");
  program.dispatch(
    kmeansAssign,
    { rows: 5, dim: 4, subs: 1, codewords: 20, lanes: 8 },
    { rows, codebooks, codes },
  );
  (await program.compile()).run();
  assertEquals([...await gpu.read(codes)], [0, 0, 0, 0, 0]);
});

gpuTest("residual_rows takes each row's centroid off", async (gpu) => {
  const [rows, first, dim, padded] = [70, 3, 68, 16];
  const data = randomFloats(1, (first + rows) * dim);
  const centres = randomFloats(2, dim * padded);
  const own = Uint32Array.from({ length: rows }, (_, i) => i * 5 % padded);
  using x = gpu.upload(data);
  using centroids = gpu.upload(centres);
  using lists = gpu.upload(own);
  using y = gpu.tensor([rows, dim]);
  using program = gpu.program("residuals");
  program.dispatch(
    residualRows,
    { rows, first, dim, padded },
    { x, centroids, lists, y },
  );
  (await program.compile()).run();
  const expected = Array.from({ length: rows * dim }, (_, i) => {
    const d = i % dim;
    return data[first * dim + i]! -
      centres[d * padded + own[Math.floor(i / dim)]!]!;
  });
  assertAllClose(await gpu.readFloats(y), expected);
});
