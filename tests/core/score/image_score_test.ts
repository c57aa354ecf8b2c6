import { assert, assertEquals, assertThrows } from "@std/assert";
import { BankSearch } from "../../../src/core/search/search.ts";
import {
  ImageScores,
  type ScoreSettings,
} from "../../../src/core/score/image_score.ts";
import { type Gpu, RowChunks } from "../../../src/gpu/mod.ts";
import { GOLDEN_CASES, readGolden } from "../../patchcore_golden.ts";
import {
  eq7,
  imageScore,
  type Options as ScoreOptions,
} from "../../reference/image_score.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";

const PAPER: ScoreOptions = {
  distance: "euclidean",
  neighbours: 1,
  reweight: 9,
};
const REFERENCE: ScoreOptions = {
  distance: "squared",
  neighbours: 1,
  reweight: 0,
};

interface Case {
  readonly name: string;
  readonly images?: number;
  readonly patches?: number;
  readonly bank?: number;
  readonly dim?: number;
  readonly scale?: number;
  readonly settings?: Partial<ScoreOptions>;
}

const CASES: readonly Case[] = [
  { name: "paper" },
  { name: "reference", settings: REFERENCE },
  { name: "squared and weighed", settings: { distance: "squared" } },
  { name: "mean of 5 neighbours", settings: { neighbours: 5 } },
  { name: "16 neighbours", settings: { neighbours: 16, reweight: 16 } },
  { name: "b = 1, not weighed", settings: { reweight: 1 } },
  { name: "b = 2", settings: { reweight: 2 } },
  { name: "one patch an image", patches: 1 },
  { name: "one image", images: 1, patches: 200 },
  { name: "one bank row", bank: 1, settings: { neighbours: 5 } },
  { name: "fewer bank rows than b", bank: 4, settings: { neighbours: 9 } },
  { name: "more patches than lanes", patches: 130 },
  { name: "distances of a thousand", scale: 500 },
  { name: "distances of a thousandth", scale: 1e-4 },
  { name: "four dimensions", dim: 4 },
];

for (const options of CASES) {
  const { images = 3, patches = 20, bank = 50, dim = 24, scale = 1 } = options;
  gpuTest(`ImageScores equals brute force: ${options.name}`, async (gpu) => {
    const settings = { ...PAPER, ...options.settings };
    const queries = randomFloats(1, images * patches * dim)
      .map((value) => value * scale);
    const rows = randomFloats(2, bank * dim).map((value) => value * scale);
    const actual = await score(gpu, queries, rows, images, dim, settings);
    const split = (data: Float32Array) =>
      Array.from(
        { length: data.length / dim },
        (_, i) => data.subarray(i * dim, (i + 1) * dim),
      );
    const bankRows = split(rows);
    for (let image = 0; image < images; image++) {
      const expected = imageScore(
        split(queries).slice(image * patches, (image + 1) * patches),
        bankRows,
        settings,
      );
      assertAllClose(
        actual.patchScores.subarray(image * patches, (image + 1) * patches),
        expected.patchScores,
      );
      assertAllClose([actual.scores[image]!], [expected.score]);
      assertEquals(actual.worst[image], image * patches + expected.worst);
      assertEquals(actual.nearest[image], expected.nearest);
    }
  });
}

gpuTest(
  "ImageScores keeps the weight of Eq. 7 in [1 − 1/b, 1]",
  async (gpu) => {
    const [images, patches, bank, dim] = [24, 3, 40, 8];
    for (const b of [2, 9, 16]) {
      for (const scale of [1e-3, 1, 30, 1000]) {
        const queries = randomFloats(b, images * patches * dim)
          .map((value) => value * scale);
        const rows = randomFloats(7, bank * dim).map((value) => value * scale);
        const run = (reweight: number) =>
          score(gpu, queries, rows, images, dim, { ...PAPER, reweight });
        const plain = await run(0);
        const weighed = await run(b);
        weighed.scores.forEach((value, image) => {
          const weight = value / plain.scores[image]!;
          assert(
            weight >= 1 - 1 / b - 1e-6 && weight <= 1 + 1e-6,
            `weight ${weight} for b = ${b}, scale ${scale}`,
          );
        });
      }
    }
  },
);

gpuTest("ImageScores gives ties to the first patch", async (gpu) => {
  const queries = new Float32Array(2 * 100 * 4);
  for (const row of [70, 71, 99, 100 + 3, 100 + 67]) queries[row * 4] = 2;
  const rows = new Float32Array(8);
  const { worst, nearest } = await score(gpu, queries, rows, 2, 4, PAPER);
  assertEquals([...worst], [70, 103]);
  assertEquals([...nearest], [0, 0]);
});

gpuTest("ImageScores is zero for patches of the bank", async (gpu) => {
  const rows = randomFloats(3, 12 * 8);
  const { scores, worst } = await score(gpu, rows, rows, 2, 8, PAPER);
  assertEquals([...scores], [0, 0]);
  assertEquals([...worst], [0, 6]);
});

gpuTest("ImageScores is NaN where features are not finite", async (gpu) => {
  const queries = randomFloats(4, 3 * 5 * 8);
  queries[7 * 8 + 3] = NaN;
  queries[11 * 8] = Infinity;
  const rows = randomFloats(5, 20 * 8);
  for (const settings of [PAPER, REFERENCE]) {
    const actual = await score(gpu, queries, rows, 3, 8, settings);
    assertEquals([...actual.scores].map(Number.isNaN), [false, true, true]);
    assertEquals([...actual.worst.subarray(1)], [7, 11]);
    assertEquals(actual.patchScores.filter(Number.isNaN).length, 2);
  }
});

gpuTest("ImageScores gathers from every chunk of the bank", async (gpu) => {
  const [images, patches, bank, dim] = [4, 10, 37, 8];
  const queries = randomFloats(8, images * patches * dim);
  const rows = randomFloats(9, bank * dim);
  const whole = await score(gpu, queries, rows, images, dim, PAPER);
  const parts = await score(gpu, queries, rows, images, dim, PAPER, 5);
  assertEquals(parts, whole);
});

gpuTest(
  "ImageScores.recordWeights() leaves out rows of the image itself",
  async (gpu) => {
    const [images, dim, count] = [4, 8, 26];
    const rows = randomFloats(11, count * dim);
    const queries = randomFloats(12, images * dim);
    const rowImages = Uint32Array.from({ length: count }, (_, i) => i % images);
    const vector = (data: Float32Array, i: number) =>
      data.subarray(i * dim, (i + 1) * dim);
    const settings = { ...PAPER, reweight: 5 };
    const left = Array.from({ length: images }, (_, image) => {
      const others = [...rowImages.keys()]
        .filter((row) => rowImages[row] !== image);
      const bank = others.map((row) => vector(rows, row));
      const query = vector(queries, image);
      const { nearest } = imageScore([query], bank, settings);
      const score = 2 * eq7(query, bank, nearest, settings.reweight);
      return { nearest: others[nearest]!, score };
    });

    using bank = uploadRows(gpu, rows, dim, count);
    using search = await BankSearch.create(gpu, bank, { images: rowImages });
    using scores = gpu.upload(new Float32Array(images).fill(2));
    using queryRows = gpu.upload(queries, [images, dim]);
    using own = gpu.upload(Uint32Array.from({ length: images }, (_, i) => i));
    using nearestRows = gpu.upload(
      Uint32Array.from(left, ({ nearest }) => nearest),
    );
    using program = gpu.program("weights");
    using _working = new ImageScores(gpu, bank, search, settings)
      .recordWeights(program, {
        queries: queryRows,
        scores,
        worstPatches: own,
        nearestRows,
        images,
        queryImages: own,
      });
    await program.compile();
    program.run();
    assertAllClose(
      await gpu.readFloats(scores),
      left.map(({ score }) => score),
    );
  },
);

gpuTest("ImageScores refuses too few neighbours or features", async (gpu) => {
  using bank = RowChunks.allocate(gpu, 10, 8, "bank");
  for (const chunk of bank.chunks) gpu.clear(chunk);
  using search = await BankSearch.create(gpu, bank);
  const scores = new ImageScores(gpu, bank, search, {
    ...PAPER,
    neighbours: 3,
  });
  using queries = gpu.tensor([6, 8]);
  using squaredDistances = gpu.tensor([6, 1]);
  using indices = gpu.tensor([6, 1], "u32");
  const program = gpu.program("scores");
  const found = { squaredDistances, indices };
  const record = (images: number, neighbours: ImageScores) =>
    assertThrows(
      () => neighbours.record(program, { queries, found, images, patches: 2 }),
      RangeError,
    ).message;
  assertEquals(
    record(3, scores),
    "Cannot score 3 images of 2 patches: their neighbours are [6,1], expected [6, 3]",
  );
  assertEquals(
    record(4, new ImageScores(gpu, bank, search, PAPER)),
    "Cannot score 4 images of 2 patches: their neighbours are [6,1], expected [8, 1]",
  );
});

for (const name of GOLDEN_CASES) {
  gpuTest(
    `ImageScores equals the published scores: ${name}`,
    async (gpu, _, shared) => {
      const golden = await readGolden(shared, name);
      const dim = golden.shape("test_embedding")[1]!;
      const embedding = golden.floats("train_embedding");
      const picks = golden.integers("coreset_indices");
      const bank = new Float32Array(picks.length * dim);
      picks.forEach((row, i) =>
        bank.set(embedding.subarray(row * dim, (row + 1) * dim), i * dim)
      );
      const neighbours = golden.shape("nn_indices")[1]!;
      const { scores } = await score(
        gpu,
        golden.floats("test_embedding") as Float32Array<ArrayBuffer>,
        bank,
        golden.images,
        dim,
        { ...REFERENCE, neighbours },
      );
      assertAllClose(scores, golden.floats("image_scores"), { rtol: 1e-4 });
    },
    { shared: true },
  );
}

interface Scores {
  readonly patchScores: Float32Array;
  readonly scores: Float32Array;
  readonly worst: Uint32Array;
  readonly nearest: Uint32Array;
}

async function score(
  gpu: Gpu,
  queryData: Float32Array<ArrayBuffer>,
  bankData: Float32Array<ArrayBuffer>,
  images: number,
  dim: number,
  settings: ScoreSettings,
  rowsPerChunk = Infinity,
): Promise<Scores> {
  const bankRows = bankData.length / dim;
  using bank = uploadRows(gpu, bankData, dim, Math.min(rowsPerChunk, bankRows));
  using search = await BankSearch.create(gpu, bank);
  const rows = queryData.length / dim;
  using queries = gpu.upload(queryData, [rows, dim]);
  const imageScores = new ImageScores(gpu, bank, search, settings);
  using program = gpu.program("scores");
  using found = search.record(program, queries, {
    rows,
    k: imageScores.neighbours,
  });
  using recorded = imageScores.record(program, {
    queries,
    found,
    images,
    patches: rows / images,
  });
  await program.compile();
  program.run();
  const [patchScores, scores, worst, nearest] = await gpu.readAll([
    recorded.patchScores,
    recorded.scores,
    recorded.worstPatches,
    recorded.nearestRows,
  ]);
  return { patchScores, scores, worst, nearest } as Scores;
}

function uploadRows(
  gpu: Gpu,
  data: Float32Array<ArrayBuffer>,
  dim: number,
  rowsPerChunk: number,
): RowChunks {
  const small = {
    maxTensorBytes: rowsPerChunk * dim * 4,
    tensor: gpu.tensor.bind(gpu),
  } as unknown as Gpu;
  const rows = RowChunks.allocate(small, data.length / dim, dim, "bank");
  rows.chunks.forEach((chunk, i) => {
    const start = i * rowsPerChunk * dim;
    gpu.write(chunk, data.subarray(start, start + chunk.size));
  });
  return rows;
}
