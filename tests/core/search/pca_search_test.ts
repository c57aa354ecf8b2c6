import { assertEquals, assertRejects } from "@std/assert";
import { BankSearch, foundByOnly } from "../../../src/core/search/search.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { type Exclusion, nearestNeighbours } from "../../reference/search.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows, withoutSubgroups } from "../coreset/some_rows.ts";
import { DIM, spread } from "./spread_rows.ts";

async function check(
  gpu: Gpu,
  queries: Float32Array<ArrayBuffer>,
  bank: Float32Array,
  k: number,
  exclusion?: Exclusion,
): Promise<void> {
  using rows = uploadRows(gpu, bank, DIM);
  using search = await BankSearch.create(gpu, rows, {
    bounds: "pca",
    ...(exclusion && { images: exclusion.bank }),
  });
  assertEquals(search.bounds, "pca");
  const count = queries.length / DIM;
  using tensor = gpu.upload(queries, [count, DIM]);
  using queryImages = gpu.upload(Uint32Array.from(exclusion?.queries ?? [0]));
  using program = gpu.program("search");
  using result = search.record(program, tensor, {
    rows: count,
    k,
    ...(exclusion && { queryImages }),
  });
  (await program.compile()).run();
  const [distances, indices] = await gpu.readAll([
    result.squaredDistances,
    result.indices,
  ]);
  const expected = nearestNeighbours(queries, bank, DIM, k, exclusion);
  assertEquals([...indices!].map((i) => i | 0), [...expected.indices]);
  const finite = expected.squaredDistances.map((d) => Math.min(d, 3e38));
  assertAllClose(distances as Float32Array, finite, { rtol: 1e-5 });
}

for (
  const [queries, rows, k] of [
    [1, 1, 1],
    [3, 2, 5],
    [17, 65, 1],
    [33, 700, 16],
    [70, 1500, 1],
    [20, 1500, 4],
  ] as const
) {
  gpuTest(
    `BankSearch along axes finds ${k} of ${rows} rows for ${queries} queries`,
    (gpu) => check(gpu, spread(3, queries), spread(5, rows), k),
  );
}

gpuTest("BankSearch along axes needs no subgroups", async (gpu) => {
  const plain = withoutSubgroups(gpu);
  await check(plain, spread(3, 21), spread(5, 700), 1);
  await check(plain, spread(3, 21), spread(5, 700), 3);
});

gpuTest(
  "BankSearch along axes is exact where they rule out none",
  (gpu) =>
    check(gpu, randomFloats(7, 20 * DIM), randomFloats(8, 1200 * DIM), 3),
);

gpuTest("BankSearch along axes crosses chunks and pieces", async (gpu) => {
  const small = narrow(gpu, 333 * DIM * 4);
  await check(small, spread(3, 18), spread(5, 1100), 1);
  await check(small, spread(3, 18), spread(5, 1100), 7);
});

gpuTest("BankSearch along axes leaves out the query's image", async (gpu) => {
  const bank = spread(5, 600);
  const exclusion = {
    queries: Uint32Array.from({ length: 30 }, (_, i) => i % 9),
    bank: Uint32Array.from({ length: 600 }, (_, i) => i % 7),
  };
  await check(gpu, bank.slice(0, 30 * DIM), bank, 1, exclusion);
  await check(gpu, bank.slice(0, 30 * DIM), bank, 5, exclusion);
  const one = { queries: [4], bank: Array.from({ length: 600 }, () => 4) };
  await check(gpu, bank.slice(0, DIM), bank, 2, one);
});

gpuTest(
  "BankSearch along axes finds rows that are for one image alone",
  async (gpu) => {
    const bank = spread(5, 600);
    const exclusion = {
      queries: Uint32Array.from({ length: 30 }, (_, i) => i % 9),
      bank: Uint32Array.from(
        { length: 600 },
        (_, i) => i % 3 === 0 ? foundByOnly(i % 8) : i % 7,
      ),
    };
    for (const device of [gpu, withoutSubgroups(gpu)]) {
      await check(device, bank.slice(0, 30 * DIM), bank, 1, exclusion);
      await check(device, bank.slice(0, 30 * DIM), bank, 5, exclusion);
    }
  },
);

gpuTest("BankSearch along axes gives ties to the lowest index", async (gpu) => {
  const some = spread(5, 40);
  const bank = new Float32Array(1000 * DIM);
  for (let row = 0; row < 1000; row++) {
    const from = row % 40 * DIM;
    bank.set(some.subarray(from, from + DIM), row * DIM);
  }
  await check(gpu, bank.slice(0, 20 * DIM), bank, 1);
  await check(gpu, new Float32Array(DIM), new Float32Array(900 * DIM), 9);
});

gpuTest("BankSearch chooses axes where they save work", async (gpu) => {
  const dim = 512;
  const boundsOf = async (data: Float32Array) => {
    using rows = uploadRows(gpu, data, dim);
    using search = await BankSearch.create(gpu, rows);
    return search.bounds;
  };
  const noise = randomFloats(1, 8192 * dim);
  assertEquals(await boundsOf(noise), "full");
  const flat = noise.map((x, i) => i % dim < 8 ? x : x / 100);
  assertEquals(await boundsOf(flat), "pca");
  assertEquals(await boundsOf(flat.slice(dim)), "full");
});

gpuTest("BankSearch refuses more axes than dimensions", async (gpu) => {
  using bank = uploadRows(gpu, randomFloats(1, 40), 4);
  await assertRejects(
    () => BankSearch.create(gpu, bank, { bounds: "pca" }),
    RangeError,
    "has 4 dimensions",
  );
});
