import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { IvfPqIndex, recallAtOne } from "../../../src/core/baselines/ivfpq.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { paddedCodewords } from "../../../src/wgsl/kmeans.ts";
import { searchIvfPq, squared, trainIvfPq } from "../../reference/ivfpq.ts";
import { nearestNeighbours } from "../../reference/search.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

function matrix(data: Float32Array, dim: number): number[][] {
  return Array.from(
    { length: data.length / dim },
    (_, i) => [...data.subarray(i * dim, (i + 1) * dim)],
  );
}

/** Rows around centres, as patch features are. */
function clustered(
  seed: number,
  rows: number,
  dim: number,
  centres: number,
): Float32Array<ArrayBuffer> {
  const means = randomFloats(99, centres * dim);
  const noise = randomFloats(seed, rows * dim);
  return noise.map((x, i) => {
    const centre = Math.floor(i / dim) * 7 % centres;
    return means[centre * dim + i % dim]! + 0.3 * x;
  });
}

async function search(
  gpu: Gpu,
  index: IvfPqIndex,
  data: Float32Array<ArrayBuffer>,
  dim: number,
  probes: number,
) {
  const rows = data.length / dim;
  using queries = gpu.upload(data, [rows, dim]);
  using program = gpu.program("search");
  using result = index.record(program, queries, { rows, probes });
  (await program.compile()).run();
  const [distances, indices] = await gpu.readAll([
    result.squaredDistances,
    result.indices,
  ]);
  return { distances: [...distances!], indices: [...indices!] };
}

for (
  const { rows, dim, lists, subQuantisers, trainRows, probes, bytes } of [
    { rows: 1, dim: 4, lists: 1, subQuantisers: 4, trainRows: 9, probes: 1 },
    { rows: 90, dim: 8, lists: 2, subQuantisers: 4, trainRows: 90, probes: 2 },
    {
      rows: 200,
      dim: 12,
      lists: 9,
      subQuantisers: 8,
      trainRows: 120,
      probes: 1,
    },
    {
      rows: 400,
      dim: 20,
      lists: 10,
      subQuantisers: 64,
      trainRows: 300,
      probes: 3,
      bytes: 24_000,
    },
    {
      rows: 300,
      dim: 24,
      lists: 7,
      subQuantisers: 8,
      trainRows: 280,
      probes: 99,
    },
  ]
) {
  gpuTest(
    `IvfPqIndex finds what the float64 reference finds in ${rows} × ${dim}, ${probes} probes`,
    async (gpu) => {
      const device = bytes === undefined ? gpu : narrow(gpu, bytes);
      const data = clustered(1, rows, dim, 6);
      const queries = clustered(2, 37, dim, 6);
      using bank = uploadRows(device, data, dim);
      const calls: [number, number][] = [];
      using index = await IvfPqIndex.build(device, bank, {
        lists,
        subQuantisers,
        trainRows,
        iterations: 3,
        seed: 5,
        onProgress: (done, total) => calls.push([done, total]),
      });
      assertEquals(calls.at(-1)![0], calls.at(-1)![1]);
      const { plan } = index;
      const reference = trainIvfPq(matrix(data, dim), {
        ...plan,
        iterations: 3,
        seed: 5,
      });
      const centroids = await gpu.readFloats(index.parts.centroids);
      const stride = paddedCodewords(plan.lists);
      assertAllClose(
        reference.centroids.flatMap((row, list) =>
          row.map((_, d) => centroids[d * stride + list]!)
        ),
        reference.centroids.flat(),
        { rtol: 1e-4, atol: 1e-5, what: "centroids" },
      );
      const codebooks = await gpu.readFloats(index.parts.codebooks);
      const codeStride = paddedCodewords(plan.codewords);
      const dims = dim / plan.subs;
      assertAllClose(
        reference.codebooks.flatMap((book, sub) =>
          book.flatMap((word, code) =>
            word.map((_, d) => codebooks[(sub * dims + d) * codeStride + code]!)
          )
        ),
        reference.codebooks.flat(2),
        { rtol: 1e-4, atol: 1e-5, what: "codebooks" },
      );
      const actual = await search(device, index, queries, dim, probes);
      const bankRows = matrix(data, dim);
      matrix(queries, dim).forEach((query, q) => {
        const row = searchIvfPq(reference, query, probes);
        const own = squared(query, bankRows[actual.indices[q]!]!);
        assertAllClose([actual.distances[q]!], [own], { rtol: 1e-4 });
        if (row === actual.indices[q]) return;
        assertAllClose(
          [squared(query, reference.decoded[actual.indices[q]!]!)],
          [squared(query, reference.decoded[row]!)],
          { rtol: 1e-4, what: `query ${q}: ${actual.indices[q]}, not ${row}` },
        );
      });
      assertEquals(await search(device, index, queries, dim, probes), actual);
    },
  );
}

gpuTest("IvfPqIndex finds more with more probes", async (gpu) => {
  const [rows, dim] = [3000, 32];
  const data = clustered(1, rows, dim, 40);
  const queries = clustered(2, 300, dim, 40);
  using bank = uploadRows(gpu, data, dim);
  using index = await IvfPqIndex.build(gpu, bank, { subQuantisers: 32 });
  assertEquals(index.plan.lists, 76);
  const exact = nearestNeighbours(queries, data, dim, 1);
  const recalls: number[] = [];
  for (const probes of [1, 8, 76]) {
    const found = await search(gpu, index, queries, dim, probes);
    recalls.push(recallAtOne(found.distances, exact.squaredDistances));
  }
  assert(
    recalls[0]! <= recalls[1]! && recalls[1]! <= recalls[2]!,
    `${recalls}`,
  );
  assert(recalls[2]! > 0.5, `${recalls}`);
});

gpuTest("IvfPqIndex survives a bank of equal rows", async (gpu) => {
  using bank = uploadRows(gpu, new Float32Array(100 * 8).fill(2), 8);
  using index = await IvfPqIndex.build(gpu, bank);
  const found = await search(gpu, index, new Float32Array(16).fill(3), 8, 1);
  assertEquals(found.indices.every((i) => i < 100), true);
  assertAllClose(found.distances, [8, 8]);
});

gpuTest("IvfPqIndex says what does not fit", async (gpu) => {
  using bank = uploadRows(gpu, clustered(1, 80, 8, 2), 8);
  using index = await IvfPqIndex.build(gpu, bank, { iterations: 1 });
  using queries = gpu.upload(new Float32Array(16), [2, 8]);
  using program = gpu.program("refused");
  const record = (options: { rows: number; probes?: number }) => () =>
    index.record(program, queries, options);
  assertThrows(record({ rows: 2, probes: 0 }), RangeError, "probes");
  assertThrows(record({ rows: 3 }), RangeError, "[2,8]");
  await assertRejects(
    () => IvfPqIndex.build(gpu, bank, { subQuantisers: 3 }),
    RangeError,
    "subQuantisers must be an integer of at least 4",
  );
});
