import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BankSearch, foundByOnly } from "../../../src/core/search/search.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows, withoutSubgroups } from "../coreset/some_rows.ts";
import { type Exclusion, nearestNeighbours } from "../../reference/search.ts";

async function search(
  gpu: Gpu,
  queries: Float32Array<ArrayBuffer>,
  bank: Float32Array,
  dim: number,
  k: number,
  exclusion?: Exclusion,
): Promise<{ squaredDistances: Float32Array; indices: number[] }> {
  using rows = uploadRows(gpu, bank, dim);
  using searcher = await BankSearch.create(
    gpu,
    rows,
    exclusion && { images: exclusion.bank },
  );
  using tensor = gpu.upload(queries, [queries.length / dim, dim]);
  using program = gpu.program("search");
  using queryImages = gpu.upload(
    Uint32Array.from(exclusion?.queries ?? [0]),
  );
  using result = searcher.record(program, tensor, {
    rows: queries.length / dim,
    k,
    ...(exclusion && { queryImages }),
  });
  (await program.compile()).run();
  const [squaredDistances, indices] = await gpu.readAll([
    result.squaredDistances,
    result.indices,
  ]);
  return {
    squaredDistances: squaredDistances as Float32Array,
    indices: [...indices as Uint32Array].map((i) => i | 0),
  };
}

async function check(
  gpu: Gpu,
  queries: Float32Array<ArrayBuffer>,
  bank: Float32Array,
  dim: number,
  k: number,
  exclusion?: Exclusion,
): Promise<void> {
  const actual = await search(gpu, queries, bank, dim, k, exclusion);
  const expected = nearestNeighbours(queries, bank, dim, k, exclusion);
  assertEquals(actual.indices, [...expected.indices]);
  const finite = expected.squaredDistances.map((d) => Math.min(d, 3e38));
  assertAllClose(actual.squaredDistances, finite, { rtol: 1e-5 });
}

for (
  const [queries, rows, dim, k] of [
    [1, 1, 4, 1],
    [1, 3, 4, 5],
    [3, 63, 8, 1],
    [15, 64, 12, 3],
    [16, 65, 20, 16],
    [17, 300, 128, 1],
    [65, 517, 36, 9],
    [130, 1000, 64, 4],
  ]
) {
  gpuTest(
    `BankSearch finds ${k} of ${rows} rows × ${dim} for ${queries} queries`,
    async (gpu) => {
      await check(
        gpu,
        randomFloats(1, queries * dim),
        randomFloats(2, rows * dim),
        dim,
        k,
      );
    },
  );
}

gpuTest("BankSearch leaves out rows of the query's image", async (gpu) => {
  const [dim, images] = [16, 7];
  const bank = Uint32Array.from({ length: 203 }, (_, i) => i % images);
  const queries = Uint32Array.from({ length: 50 }, (_, i) => i % (images + 2));
  const data = randomFloats(3, bank.length * dim);
  const exclusion = { queries, bank };
  await check(gpu, data.slice(0, 50 * dim), data, dim, 1, exclusion);
  await check(gpu, data.slice(0, 50 * dim), data, dim, 5, exclusion);
});

gpuTest(
  "BankSearch finds rows for one image by its queries alone",
  async (gpu) => {
    const dim = 16;
    const bank = Uint32Array.from(
      { length: 203 },
      (_, i) => i % 3 === 0 ? foundByOnly(i % 8) : i % 7,
    );
    const queries = Uint32Array.from({ length: 50 }, (_, i) => i % 9);
    const data = randomFloats(3, bank.length * dim);
    const exclusion = { queries, bank };
    for (const device of [gpu, withoutSubgroups(gpu)]) {
      await check(device, data.slice(0, 50 * dim), data, dim, 1, exclusion);
      await check(device, data.slice(0, 50 * dim), data, dim, 5, exclusion);
    }
  },
);

gpuTest(
  "BankSearch finds no row when the query's image owns all",
  async (gpu) => {
    const exclusion = { queries: [4, 5], bank: [4, 4, 4] };
    await check(gpu, randomFloats(4, 8), randomFloats(5, 12), 4, 2, exclusion);
  },
);

gpuTest("BankSearch gives ties to the lowest index", async (gpu) => {
  const dim = 8;
  const bank = new Float32Array(700 * dim);
  for (let i = 0; i < 700; i++) bank[i * dim] = i % 7;
  const queries = new Float32Array(
    [0, 3.5, 6].flatMap((x) => [x, 0, 0, 0, 0, 0, 0, 0]),
  );
  await check(gpu, queries, bank, dim, 1);
  await check(gpu, queries, bank, dim, 6);
});

gpuTest(
  "BankSearch measures near duplicates far from the origin",
  async (gpu) => {
    const [rows, dim] = [500, 64];
    const bank = randomFloats(6, rows * dim).map((x) => 30 + x / 100);
    const queries = bank.slice(0, 40 * dim).map((x, i) => x + (i % 3) / 1e4);
    await check(gpu, queries, bank, dim, 1);
  },
);

gpuTest("BankSearch crosses chunk and piece borders", async (gpu) => {
  const [rows, dim] = [1100, 16];
  const bank = randomFloats(7, rows * dim);
  const queries = randomFloats(8, 37 * dim);
  for (const bytes of [64 * dim * 4, 333 * dim * 4]) {
    await check(narrow(gpu, bytes), queries, bank, dim, 1);
    await check(narrow(gpu, bytes), queries, bank, dim, 7);
  }
});

gpuTest(
  "BankSearch groups rows of many panels in a large bank",
  async (gpu) => {
    const [rows, dim] = [70_000, 4];
    const bank = randomFloats(9, rows * dim);
    await check(gpu, randomFloats(10, 5 * dim), bank, dim, 3);
  },
);

gpuTest("BankSearch says what does not fit", async (gpu) => {
  using bank = uploadRows(gpu, randomFloats(1, 40), 4);
  using queries = gpu.upload(randomFloats(2, 8), [2, 4]);
  using searcher = await BankSearch.create(gpu, bank);
  using program = gpu.program("refused");
  const record = (options: { rows: number; k?: number }) => () =>
    searcher.record(program, queries, options);
  assertThrows(record({ rows: 2, k: 17 }), RangeError, "from 1 to 16");
  assertThrows(record({ rows: 3 }), RangeError, "[2,4]");
  assertThrows(
    () => searcher.record(program, queries, { rows: 2, queryImages: queries }),
    RangeError,
    "the bank has none",
  );
  await assertRejects(
    () => BankSearch.create(gpu, bank, { images: [1] }),
    RangeError,
    "images has 1",
  );
});
