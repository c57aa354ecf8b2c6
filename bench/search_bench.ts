/**
 * Searching a memory bank for the patches of one image (28 × 28 of 1536), of noise
 * along all dimensions, and of rows that differ along few along these.
 */
import { BankSearch } from "../src/core/search/search.ts";
import { RowChunks } from "../src/gpu/mod.ts";
import { randomFloats } from "../tests/testing.ts";
import { gpu, gpuBench, randomTensor } from "./harness.ts";

const QUERIES = 784;
const DIM = 1536;

for (const rows of [1024, 4096]) {
  for (const k of [1, 9]) {
    gpuBench({
      name: `search k = ${k}`,
      group: `${QUERIES} patches in a bank of ${rows} × ${DIM}`,
      n: 3,
    }, async (scope) => {
      const bank = scope.use(RowChunks.allocate(gpu, rows, DIM, "bank"));
      for (const chunk of bank.chunks) {
        gpu.write(chunk, randomFloats(3, chunk.size));
      }
      const search = scope.use(await BankSearch.create(gpu, bank));
      const queries = randomTensor(scope, QUERIES * DIM).view([QUERIES, DIM]);
      const program = scope.use(gpu.program("search"));
      const { squaredDistances } = scope.use(
        search.record(program, queries, { rows: QUERIES, k }),
      );
      await program.compile();
      return { program, output: squaredDistances };
    });
  }
}

for (const bounds of ["full", "pca"] as const) {
  gpuBench({
    name: `search along ${bounds === "full" ? "all" : "principal"} axes`,
    group: `${QUERIES} patches in a bank of 8192 × ${DIM} along 64 axes`,
    baseline: bounds === "full",
    n: 3,
  }, async (scope) => {
    const bank = scope.use(RowChunks.allocate(gpu, 8192, DIM, "bank"));
    const flat = (seed: number, size: number) =>
      randomFloats(seed, size).map((x, i) => i % DIM < 64 ? x : x / 20);
    for (const chunk of bank.chunks) gpu.write(chunk, flat(3, chunk.size));
    const search = scope.use(await BankSearch.create(gpu, bank, { bounds }));
    const data = flat(4, QUERIES * DIM);
    const queries = scope.use(gpu.upload(data, [QUERIES, DIM]));
    const program = scope.use(gpu.program("search"));
    const { squaredDistances } = scope.use(
      search.record(program, queries, { rows: QUERIES }),
    );
    await program.compile();
    return { program, output: squaredDistances };
  });
}
