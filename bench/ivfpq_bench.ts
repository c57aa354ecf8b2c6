/**
 * IVFPQ over 1024 dimensions: building the index (kmeans_assign, kmeans_update,
 * residual_rows) and searching 784 patches (product, ivf_scan, pair_distance),
 * beside the exact search. Prints recall@1 of rows around random centres.
 */
import { BankSearch } from "../src/core/search/search.ts";
import { IvfPqIndex, recallAtOne } from "../src/core/baselines/ivfpq.ts";
import { Mt19937 } from "../src/core/settings/random.ts";
import { Gpu, RowChunks } from "../src/gpu/mod.ts";

const DIM = 1024;
const QUERIES = 784;
const CENTRES = 200;
const gpu = await Gpu.create();
const random = new Mt19937(0);
const centres = new Float32Array(CENTRES * DIM).map(() => random.float32(0, 2));

function features(rows: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(rows * DIM);
  for (let row = 0; row < rows; row++) {
    const centre = random.below(CENTRES) * DIM;
    const from = random.below(CENTRES) * DIM;
    const share = random.float32(0, 0.5);
    for (let d = 0; d < DIM; d++) {
      const between = centres[centre + d]! * (1 - share) +
        centres[from + d]! * share;
      data[row * DIM + d] = between + random.float32(-0.3, 0.3);
    }
  }
  return data;
}

const data = features(QUERIES);
const queries = gpu.upload(data, [QUERIES, DIM], "queries");

for (const rows of [2_000, 16_706]) {
  const group = `${rows} rows`;
  const bank = RowChunks.allocate(gpu, rows, DIM, "bank");
  const all = features(rows);
  bank.chunks.forEach((chunk, i) => {
    const start = i * bank.rowsPerChunk * DIM;
    gpu.write(chunk, all.slice(start, start + chunk.size));
  });
  const exact = await BankSearch.create(gpu, bank);
  const exactly = gpu.program("exact");
  const nearest = exact.record(exactly, queries, { rows: QUERIES });
  (await exactly.compile()).run();
  const distances = await gpu.readFloats(nearest.squaredDistances);
  const started = performance.now();
  const index = await IvfPqIndex.build(gpu, bank);
  const seconds = (performance.now() - started) / 1000;
  console.error(
    `${rows} rows: ${index.plan.lists} lists, built in ${seconds.toFixed(1)} s`,
  );
  Deno.bench({ name: `exact, ${group}`, group, n: 3 }, async () => {
    exactly.run();
    await gpu.finish();
  });
  for (const probes of [1, 8, 32]) {
    const program = gpu.program("IVFPQ");
    const found = index.record(program, queries, { rows: QUERIES, probes });
    (await program.compile()).run();
    const own = await gpu.readFloats(found.squaredDistances);
    console.error(
      `${group}, ${probes} probes: recall@1 ${
        recallAtOne(own, distances).toFixed(3)
      }`,
    );
    Deno.bench(
      { name: `${probes} probes, ${group}`, group, n: 3 },
      async () => {
        program.run();
        await gpu.finish();
      },
    );
  }
}
