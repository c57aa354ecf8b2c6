import { assert, assertEquals, assertRejects } from "@std/assert";
import { BankSearch } from "../../../src/core/search/search.ts";
import {
  PatchSearches,
  upperBounds,
  type WorstPatches,
  worstPatches,
  type WorstPatchInputs,
} from "../../../src/core/threshold/worst_patches.ts";
import { nearestPickOfOthers } from "./nearest_other.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { nearestNeighbours } from "../../reference/search.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

interface Case {
  readonly images: number;
  readonly patches: number;
  readonly dim: number;
  readonly picks: readonly number[];
  readonly nearby?: boolean;
  readonly options?: Partial<WorstPatchInputs>;
}

/** Features of images that resemble each other. */
function featuresOf({ images, patches, dim }: Case): Float32Array<ArrayBuffer> {
  const common = randomFloats(7, patches * dim);
  return randomFloats(8, images * patches * dim)
    .map((noise, i) => common[i % common.length]! + noise / 4);
}

async function leaveOut(gpu: Gpu, c: Case): Promise<WorstPatches> {
  const data = featuresOf(c);
  const bankData = gatherHost(data, c.dim, c.picks);
  const images = c.picks.map((pick) => Math.floor(pick / c.patches));
  using features = uploadRows(gpu, data, c.dim);
  using bank = uploadRows(gpu, bankData, c.dim);
  using search = await BankSearch.create(gpu, bank, { images });
  const nearby = c.nearby
    ? await nearestPickOfOthers(
      gpu,
      features,
      Uint32Array.from(c.picks),
      Array.from(
        { length: c.images * c.patches },
        (_, i) => Math.floor(i / c.patches),
      ),
    )
    : undefined;
  const inputs = {
    features,
    patches: c.patches,
    bank,
    search,
    folds: Uint32Array.from({ length: c.images }, (_, i) => i),
    ...c.options,
  };
  const bounds = nearby && await upperBounds(gpu, inputs, nearby);
  using searches = await PatchSearches.create(gpu, inputs);
  return await worstPatches(searches, { ...inputs, ...(bounds && { bounds }) });
}

function gatherHost(
  data: Float32Array,
  dim: number,
  rows: readonly number[],
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    rows.flatMap((row) => [...data.subarray(row * dim, (row + 1) * dim)]),
  );
}

/** Worst patch of each image from its definition in float64. */
function reference(
  c: Case,
): { scores: number[]; patches: number[]; rows: number[] } {
  const { neighbours = 1, squared = false } = c.options ?? {};
  const data = featuresOf(c);
  const bank = gatherHost(data, c.dim, c.picks);
  const found = nearestNeighbours(data, bank, c.dim, neighbours, {
    queries: Array.from(
      { length: data.length / c.dim },
      (_, i) => Math.floor(i / c.patches),
    ),
    bank: c.picks.map((pick) => Math.floor(pick / c.patches)),
  });
  const result = {
    scores: [] as number[],
    patches: [] as number[],
    rows: [] as number[],
  };
  for (let image = 0; image < c.images; image++) {
    let best = -Infinity;
    let worst = image * c.patches;
    for (let p = image * c.patches; p < (image + 1) * c.patches; p++) {
      const own = [
        ...found.squaredDistances.subarray(
          p * neighbours,
          (p + 1) * neighbours,
        ),
      ]
        .filter(Number.isFinite).map((d) => squared ? d : Math.sqrt(d));
      const score = own.reduce((a, b) => a + b, 0) / own.length;
      if (score > best) [best, worst] = [score, p];
    }
    const row = found.indices[worst * neighbours]!;
    result.scores.push(row < 0 ? NaN : best);
    result.patches.push(worst);
    result.rows.push(row);
  }
  return result;
}

const every = (step: number, end: number): number[] =>
  Array.from({ length: Math.ceil(end / step) }, (_, i) => i * step);

for (
  const [name, c] of Object.entries<Case>({
    "with bounds": {
      images: 9,
      patches: 49,
      dim: 16,
      picks: every(5, 441),
      nearby: true,
    },
    "without bounds": { images: 9, patches: 49, dim: 16, picks: every(5, 441) },
    "on squared distances": {
      images: 5,
      patches: 30,
      dim: 8,
      picks: every(3, 150),
      nearby: true,
      options: { squared: true },
    },
    "with three neighbours": {
      images: 5,
      patches: 30,
      dim: 8,
      picks: every(3, 150),
      nearby: true,
      options: { neighbours: 3 },
    },
    "with more images than a batch holds": {
      images: 600,
      patches: 4,
      dim: 4,
      picks: every(7, 2400),
      nearby: true,
    },
    "with few bank rows": {
      images: 3,
      patches: 16,
      dim: 4,
      picks: [1, 40],
      nearby: true,
    },
  })
) {
  gpuTest(`worstPatches() is exact ${name}`, async (gpu) => {
    const expected = reference(c);
    for (const device of [gpu, narrow(gpu, 64 * c.dim * 4)]) {
      const { images, searched } = await leaveOut(device, c);
      assertAllClose(images.map(({ score }) => score), expected.scores, {
        rtol: 1e-5,
      });
      assertEquals(images.map(({ patch }) => patch), expected.patches);
      assertEquals(images.map(({ nearestRow }) => nearestRow), expected.rows);
      const all = c.images * c.patches;
      if (name === "with bounds") {
        assert(searched < all / 2, `${searched} of ${all}`);
      }
    }
  });
}

gpuTest("worstPatches() has no score for a single image", async (gpu) => {
  const c = { images: 1, patches: 20, dim: 8, picks: [3, 9], nearby: true };
  const { images } = await leaveOut(gpu, c);
  assertEquals(images.map(({ score }) => score), [NaN]);
  assertEquals(images[0].nearestRow, -1);
});

gpuTest(
  "worstPatches() has no score for an image that owns the bank",
  async (gpu) => {
    const c = {
      images: 3,
      patches: 20,
      dim: 8,
      picks: [25, 30, 39],
      nearby: true,
    };
    const { images } = await leaveOut(gpu, c);
    assertEquals(images.map(({ score }) => Number.isNaN(score)), [
      false,
      true,
      false,
    ]);
  },
);

gpuTest(
  "worstPatches() refuses rows that are not whole images",
  async (gpu) => {
    const c = {
      images: 3,
      patches: 20,
      dim: 8,
      picks: [1],
      options: { patches: 7 },
    };
    await assertRejects(() => leaveOut(gpu, c), RangeError, "60 patches");
  },
);
