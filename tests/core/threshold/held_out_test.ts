import { assert, assertEquals } from "@std/assert";
import { chooseBank } from "../../../src/core/bank/choose_rows.ts";
import { MendedBank } from "../../../src/core/bank/mended_bank.ts";
import type { FeatureExtractor } from "../../../src/core/features/extractor.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import type {
  Settings,
  SettingsOptions,
} from "../../../src/core/settings/settings.ts";
import {
  calibrate,
  type Calibration,
} from "../../../src/core/threshold/calibrate.ts";
import { foldsOf } from "../../../src/core/threshold/folds.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { anomalyMap } from "../../reference/anomaly_map.ts";
import { squaredDistance } from "../../reference/search.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

const GRID = [5, 6] as const;
const SIZE = [20, 31] as const;
const PATCHES = GRID[0] * GRID[1];
const DIM = 8;

/** Images that resemble each other, as near as the noise is small. */
function featuresOf(images: number, noise: number): Float32Array<ArrayBuffer> {
  const common = randomFloats(1, PATCHES * DIM);
  return randomFloats(2, images * PATCHES * DIM)
    .map((x, i) => common[i % common.length]! + x * noise);
}

/** What the fit does with features that are held. */
async function fitted(
  gpu: Gpu,
  data: Float32Array<ArrayBuffer>,
  groups: readonly unknown[],
  settings: Settings,
) {
  using rows = uploadRows(gpu, data, DIM);
  const [height, width] = GRID;
  const extractor = {
    features: { patches: PATCHES, dim: DIM, paddedDim: DIM, height, width },
    input: SIZE,
  } as Partial<FeatureExtractor> as FeatureExtractor;
  const folds = foldsOf(groups, settings.seed);
  const chosen = await chooseBank(
    gpu,
    { rows, extractor },
    settings,
    folds.folds,
    {},
  );
  using bank = chosen.bank;
  using mended = await MendedBank.create(
    gpu,
    bank,
    (image) => folds.folds[image]!,
    chosen.mends,
  );
  const { near, radius } = chosen;
  const found = await calibrate(
    gpu,
    { rows, extractor },
    { mended, folds, near },
    settings,
    {},
  );
  const picks = Array.from(
    { length: bank.rows.rows },
    (_, i) => {
      const [image, row, column] = bank.origin.subarray(3 * i, 3 * i + 3);
      return image! * PATCHES + row! * width + column!;
    },
  );
  return { found, folds: folds.folds, picks, radius };
}

/** Scores and largest pixels of maps against explicitly made banks, in float64. */
function byDefinition(
  data: Float32Array,
  { folds, picks, radius }: {
    folds: Uint32Array;
    picks: readonly number[];
    radius: number | undefined;
  },
  settings: Settings,
): Pick<Calibration, "scores" | "maxima"> {
  const distance = (a: number, b: number): number =>
    Math.sqrt(squaredDistance(data, a, data, b, DIM));
  const foldOf = (row: number): number => folds[Math.floor(row / PATCHES)]!;
  const scores = new Float32Array(folds.length).fill(NaN);
  const maxima = new Float32Array(folds.length).fill(NaN);
  for (const fold of new Set(folds)) {
    const bank = picks.filter((pick) => foldOf(pick) !== fold);
    if (settings.coreset.method === "greedy" && radius !== undefined) {
      const lost = picks.length - bank.length;
      const orphans = Array.from(data, (_, row) => row)
        .slice(0, data.length / DIM)
        .filter((row) => {
          const [pick] = nearest(picks, (pick) => distance(row, pick), 1);
          return foldOf(row) !== fold && foldOf(pick!) === fold;
        });
      bank.push(...mends(data, bank, orphans, {
        radius: 0.9 * radius,
        most: Math.ceil(1.1 * lost),
      }));
    }
    if (bank.length === 0) continue;
    folds.forEach((own, image) => {
      if (own !== fold) return;
      const raw = Array.from({ length: PATCHES }, (_, p) => {
        const patch = image * PATCHES + p;
        const near = nearest(bank, (row) => distance(patch, row), 1)[0]!;
        return { patch, near, distance: distance(patch, near) };
      });
      const worst = raw.reduce((a, b) => b.distance > a.distance ? b : a);
      scores[image] = worst.distance * weight(bank, worst, settings, distance);
      const map = anomalyMap(
        raw.map(({ distance }) => distance),
        GRID,
        SIZE,
        settings.map,
      );
      maxima[image] = Math.max(...map);
    });
  }
  return { scores, maxima };
}

/** Rows of other folds that would have been picked in place of a fold's. */
function mends(
  data: Float32Array,
  bank: readonly number[],
  orphans: readonly number[],
  { radius, most }: { readonly radius: number; readonly most: number },
): number[] {
  const distance = (a: number, b: number): number =>
    Math.sqrt(squaredDistance(data, a, data, b, DIM));
  const anchors = orphans.map((row) =>
    Math.min(3e38, ...bank.map((pick) => distance(row, pick)))
  );
  const found: number[] = [];
  while (found.length < most && Math.max(...anchors) > radius * (1 + 1e-6)) {
    const pick = orphans[anchors.indexOf(Math.max(...anchors))]!;
    found.push(pick);
    orphans.forEach((row, i) => {
      anchors[i] = Math.min(anchors[i]!, distance(row, pick));
    });
  }
  return found;
}

function nearest(
  rows: readonly number[],
  distance: (row: number) => number,
  count: number,
): number[] {
  return rows.toSorted((a, b) => distance(a) - distance(b)).slice(0, count);
}

/** Eq. 7, among the rows around the nearest one. */
function weight(
  bank: readonly number[],
  worst: { patch: number; near: number; distance: number },
  { reweight }: Settings,
  distance: (a: number, b: number) => number,
): number {
  if (reweight < 2) return 1;
  const around = nearest(bank, (row) => distance(worst.near, row), reweight);
  const sum = around.reduce(
    (sum, row) => sum + Math.exp(distance(worst.patch, row) - worst.distance),
    0,
  );
  return 1 - 1 / sum;
}

const GREEDY: SettingsOptions = {
  coreset: { ratio: 0.2, projection: { kind: "none" }, start: "random" },
  map: { sigma: 1.5 },
};
const ALONE = Array.from({ length: 30 }, (_, i) => i);

for (
  const [name, images, noise, groups, options] of [
    ["of parts that differ", 9, 0.6, ALONE, GREEDY],
    ["of parts that are nearly alike", 12, 0.05, ALONE, GREEDY],
    ["of more parts than folds", 27, 0.3, ALONE, GREEDY],
    ["of parts with three shots each", 12, 0.3, [..."aaabbbcccddd"], GREEDY],
    ["of two images", 2, 0.3, ALONE, GREEDY],
    ["of three images", 3, 0.3, ALONE, GREEDY],
    ["without a coreset", 5, 0.3, ALONE, {
      ...GREEDY,
      coreset: { method: "none" },
    }],
  ] as const
) {
  gpuTest(
    `calibrate() scores images ${name} against banks chosen without them`,
    async (gpu) => {
      const settings = resolveSettings(options);
      const data = featuresOf(images, noise);
      for (const device of [gpu, narrow(gpu, 64 * DIM * 4)]) {
        const own = groups.slice(0, images);
        const { found, ...choice } = await fitted(device, data, own, settings);
        const expected = byDefinition(data, choice, settings);
        assertAllClose(found.scores, expected.scores, { rtol: 1e-4 });
        assertAllClose(found.maxima, expected.maxima, { rtol: 1e-4 });
      }
    },
  );
}

gpuTest(
  "calibrate() scores twins 0 and a single image not at all",
  async (gpu) => {
    const settings = resolveSettings(GREEDY);
    const one = featuresOf(1, 0.3);
    const twins = Float32Array.from([...one, ...one, ...one]);
    const alike = await fitted(gpu, twins, ALONE.slice(0, 3), settings);
    // The bank without a fold holds a twin of each row that was picked.
    const expected = byDefinition(twins, alike, settings);
    assertAllClose(alike.found.scores, expected.scores, { rtol: 1e-4 });
    const none = {
      ...settings,
      coreset: { ...settings.coreset, method: "none", ratio: 1 },
    } as const;
    const { found } = await fitted(gpu, twins, ALONE.slice(0, 3), none);
    assertEquals([...found.scores], [0, 0, 0]);
    assertEquals(found.threshold, undefined);
    const alone = await fitted(gpu, one, [0], settings);
    assertEquals([...alone.found.scores, ...alone.found.maxima], [NaN, NaN]);
    const grouped = await fitted(gpu, twins, ["a", "a", "a"], settings);
    assertEquals([...grouped.found.scores], [NaN, NaN, NaN]);
  },
);

gpuTest(
  "calibrate() draws as many rows for each fold of a random bank",
  async (gpu) => {
    const settings = resolveSettings({
      ...GREEDY,
      coreset: { method: "random", ratio: 0.5 },
    });
    const data = featuresOf(6, 0.3);
    const { found } = await fitted(gpu, data, ALONE.slice(0, 6), settings);
    const none = {
      ...settings,
      coreset: { ...settings.coreset, method: "none", ratio: 1 },
    } as const;
    const every = await fitted(gpu, data, ALONE.slice(0, 6), none);
    for (const [image, score] of found.scores.entries()) {
      assert(score > 0 && score >= every.found.scores[image]! * 0.8);
    }
  },
);
