import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  nearestRows,
  searchInBatches,
} from "../../../src/core/search/nearest_rows.ts";
import { BankSearch } from "../../../src/core/search/search.ts";
import { nearestNeighbours } from "../../reference/search.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";

const DIM = 8;
const ROWS = 2500;
/** Rows of a chunk: a batch of 1024 and a part of one. */
const CHUNK = 1500;
const BANK = 37;

gpuTest("nearestRows() finds what a full search finds", async (gpu) => {
  const queries = randomFloats(1, ROWS * DIM);
  const values = randomFloats(2, BANK * DIM);
  using rows = uploadRows(narrow(gpu, CHUNK * DIM * 4), queries, DIM);
  using bank = uploadRows(gpu, values, DIM);
  const images = Array.from({ length: BANK }, (_, row) => row % 5);
  using search = await BankSearch.create(gpu, bank, { images });
  const owners = Uint32Array.from({ length: ROWS }, (_, row) => row % 7);
  for (const exclusion of [undefined, { queries: owners, bank: images }]) {
    const done: number[] = [];
    const found = await nearestRows(gpu, rows, search, {
      ...(exclusion && { images: owners }),
      onProgress: (rows) => done.push(rows),
    });
    const wanted = nearestNeighbours(queries, values, DIM, 1, exclusion);
    assertEquals([...found.rows], [...wanted.indices]);
    assertAllClose(found.squared, wanted.squaredDistances, { rtol: 1e-5 });
    assertEquals(done, [1024, CHUNK, ROWS]);
  }
});

gpuTest(
  "searchInBatches() searches several banks, and frees all when it is left",
  async (gpu) => {
    const queries = randomFloats(3, ROWS * DIM);
    using rows = uploadRows(gpu, queries, DIM);
    const values = [randomFloats(4, BANK * DIM), randomFloats(5, DIM)];
    using owned = new DisposableStack();
    const searches: BankSearch[] = [];
    for (const bank of values) {
      const uploaded = owned.use(uploadRows(gpu, bank, DIM));
      searches.push(owned.use(await BankSearch.create(gpu, uploaded)));
    }
    gpu.pool.trim();
    const before = gpu.pool.bytes;
    for await (const found of searchInBatches(gpu, rows, searches)) {
      found.forEach(({ rows }, i) => {
        const first = queries.subarray(0, rows.length * DIM);
        const wanted = nearestNeighbours(first, values[i]!, DIM, 1);
        assertEquals([...rows], [...wanted.indices]);
      });
      break;
    }
    gpu.pool.trim();
    assertEquals(gpu.pool.bytes, before);
    const stop = new AbortController();
    const stopped = nearestRows(gpu, rows, searches[0]!, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await assertRejects(() => stopped, Error, "enough");
    gpu.pool.trim();
    assertEquals(gpu.pool.bytes, before);
  },
);

gpuTest(
  "nearestRows() finds the nearest of 16 images in 8 angles at 448 pixels",
  async (gpu) => {
    const [bankRows, dim, rows] = [131_072, 384, 8];
    const values = randomFloats(6, bankRows * dim);
    const queries = randomFloats(7, rows * dim);
    // More than a binding of 128 MiB, which WebGPU guarantees.
    const small = narrow(gpu, 128 * 2 ** 20);
    using bank = uploadRows(small, values, dim);
    assert(bank.chunks.length > 1);
    using uploaded = uploadRows(gpu, queries, dim);
    const images = Array.from({ length: bankRows }, (_, row) => row >> 10);
    using search = await BankSearch.create(gpu, bank, { images });
    const found = await nearestRows(gpu, uploaded, search);
    const wanted = nearestNeighbours(queries, values, dim, 1);
    assertEquals([...found.rows], [...wanted.indices]);
    assertAllClose(found.squared, wanted.squaredDistances, { rtol: 1e-5 });
  },
);
