import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryBank } from "../../../../src/core/bank/memory_bank.ts";
import { MendedBank } from "../../../../src/core/bank/mended_bank.ts";
import { foldsByName } from "../../../../src/core/threshold/folds.ts";
import { calibrate } from "../../../../src/core/threshold/calibrate.ts";
import { extractTrainingFeatures } from "../../../../src/core/features/training_features.ts";
import {
  Backbone,
  type FitPlan,
  type NamedImage,
  type StoredModel,
  writeModelFile,
} from "../../../../src/core/mod.ts";
import type { Gpu } from "../../../../src/gpu/mod.ts";
import { assertAllClose, gpuTest } from "../../../testing.ts";
import { squaredDistance } from "../../../reference/search.ts";
import {
  BACKBONE,
  budget,
  COUNT,
  create,
  IMAGES,
  RATIO,
  stream,
} from "./bounded_fit.ts";

/** Patches of a tiny image. */
const PATCHES = 1024;
interface Features {
  readonly memoryBank: Float32Array;
  readonly dim: number;
  readonly rows: number;
}

let features: Features | undefined;

/** The features of all patches. */
async function allFeatures(gpu: Gpu): Promise<Features> {
  if (features !== undefined) return features;
  using detector = await create(gpu);
  const { settings } = detector;
  const { layers } = settings;
  const file = { layers, allowRandom: true };
  using backbone = await Backbone.load(gpu, BACKBONE, file);
  const options = { batch: 4 };
  using extracted = await extractTrainingFeatures(
    gpu,
    backbone,
    settings,
    IMAGES,
    options,
  );
  const { rows, extractor } = extracted;
  const { dim } = extractor.features;
  extractor[Symbol.dispose]();
  using all = new MemoryBank(rows, dim, new Int32Array());
  const memoryBank = await all.download(gpu);
  return features = { memoryBank, dim, rows: rows.rows };
}

function assertRowsAreTheirPatches(model: StoredModel, all: Features): void {
  const { dim } = model;
  for (let row = 0; row < model.rows; row++) {
    const [image, line, column] = model.origin.subarray(3 * row);
    const patch = image! * PATCHES + line! * 32 + column!;
    assertEquals(
      model.memoryBank.subarray(row * dim, (row + 1) * dim),
      all.memoryBank.subarray(patch * dim, (patch + 1) * dim),
    );
  }
}

function project(
  { memoryBank, dim, rows }: Features,
  { projection }: StoredModel,
): Float32Array {
  const { rows: outputs, data } = projection!;
  const result = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let k = 0; k < dim; k++) {
        sum += memoryBank[row * dim + k]! * data[o * dim + k]!;
      }
      result[row * outputs + o] = sum;
    }
  }
  return result;
}

/** The largest distance of a patch to the bank in the projected space. */
function coveringRadius(model: StoredModel, all: Features): number {
  const { rows: dim } = model.projection!;
  const [bank, patches] = [project(model, model), project(all, model)];
  let largest = 0;
  for (let patch = 0; patch < all.rows; patch++) {
    let least = Infinity;
    for (let row = 0; row < model.rows; row++) {
      least = Math.min(least, squaredDistance(patches, patch, bank, row, dim));
    }
    largest = Math.max(largest, least);
  }
  return Math.sqrt(largest);
}

gpuTest("fit() with a budget that suffices changes no byte", async (gpu) => {
  const images = IMAGES.slice(0, 6);
  const bytes: Uint8Array[] = [];
  for (const options of [{}, { memoryBudget: 2 ** 30 }]) {
    using detector = await create(gpu, options);
    const plans: FitPlan[] = [];
    const report = await detector.fit(images, {
      onPlan: (plan) => plans.push(plan),
    });
    assertEquals(plans.length, 1);
    assertEquals(plans[0]!.streamed, false);
    assertEquals(report.buckets, 1);
    assert(report.peakGpuBytes <= report.plannedGpuBytes);
    bytes.push(detector.save());
  }
  assertEquals(bytes[0], bytes[1]);
});

gpuTest("fit() in bounded memory covers all patches", async (gpu) => {
  const all = await allFeatures(gpu);
  const memoryBudget = budget(gpu);
  using detector = await create(gpu, { memoryBudget });
  const plans: FitPlan[] = [];
  const report = await detector.fit(stream(), {
    ...COUNT,
    onPlan: (plan) => plans.push(plan),
  });
  const { model } = detector;
  const [plan] = plans;
  assert(plan!.streamed && plan!.seconds! > 0);
  assertEquals(plan!.patches, 24 * PATCHES);
  assertEquals(plan!.buckets, report.buckets);
  assert(report.buckets > 1);
  assertEquals(plan!.memoryBytes, report.plannedGpuBytes);
  assert(plan!.memoryBytes <= memoryBudget);
  assert(report.peakGpuBytes <= report.plannedGpuBytes);
  assertEquals(report.bankRows, Math.floor(24 * PATCHES * RATIO));
  assertRowsAreTheirPatches(model, all);
  const radius = coveringRadius(model, all);
  assertAllClose([report.radius!], [radius], { rtol: 1e-4 });
  assert(radius <= report.radiusBound! * 1.0001);
  assertEquals(report.radiusImages, 24);
  assertEquals(model.coverage, {
    patches: 24 * PATCHES,
    radius: report.radiusBound!,
  });
});

gpuTest(
  "fit() in bounded memory scores nearly as with all features",
  async (gpu) => {
    using whole = await create(gpu);
    await whole.fit(IMAGES);
    using detector = await create(gpu, { memoryBudget: budget(gpu) });
    const { buckets } = await detector.fit(stream(), COUNT);
    assert(buckets > 1);
    const { model, settings } = detector;
    const { layers } = settings;
    const file = { layers, allowRandom: true };
    using backbone = await Backbone.load(gpu, BACKBONE, file);
    using features = await extractTrainingFeatures(
      gpu,
      backbone,
      settings,
      IMAGES,
      { batch: 4 },
    );
    const { memoryBank, dim, origin } = model;
    const rows = Int32Array.from(origin);
    using bank = MemoryBank.upload(gpu, memoryBank, dim, rows);
    const folds = foldsByName(model.imageNames, settings.seed);
    using bare = await MendedBank.create(gpu, bank, (i) => folds.folds[i]!);
    const unmended = await calibrate(
      gpu,
      features,
      { mended: bare, folds, near: undefined },
      settings,
      {},
    );
    features.extractor[Symbol.dispose]();
    // What mends the bank can only lower scores, and does.
    const ratios = model.trainScores.map((x, i) => x / unmended.scores[i]!);
    assert(Math.max(...ratios) <= 1.2, `${ratios}`);
    assert(Math.min(...ratios) < 0.999, `${ratios}`);
    const median = (of: Float32Array): number => of.toSorted()[of.length >> 1]!;
    for (const key of ["trainScores", "trainMapMaxima"] as const) {
      const ratio = median(model[key]!) / median(whole.model[key]!);
      assert(ratio > 0.85 && ratio < 1.15, `${key} ${ratio}`);
    }
  },
);

gpuTest("fit() draws the images that set the threshold", async (gpu) => {
  const models: StoredModel[] = [];
  for (const seed of [0, 0, 1]) {
    using detector = await create(gpu, {
      memoryBudget: budget(gpu),
      thresholdImages: 6,
      seed,
    });
    const report = await detector.fit(stream(), COUNT);
    assertEquals([report.thresholdImages, report.radiusImages], [6, 6]);
    const { rule } = detector.model.threshold!;
    assertEquals([rule["images"], rule["drawn_from"]], [6, 24]);
    models.push(detector.model);
  }
  const drawn = models.map(({ trainScores }) =>
    Array.from(trainScores, (score) => score > 0)
  );
  assertEquals(drawn[0]!.filter((isDrawn) => isDrawn).length, 6);
  assertEquals(writeModelFile(models[0]!), writeModelFile(models[1]!));
  assert(drawn[0]!.join() !== drawn[2]!.join());
});

gpuTest("fit() takes an iterable once, of any length", async (gpu) => {
  let pulled = 0;
  async function* counting(): AsyncGenerator<NamedImage> {
    for await (const image of stream()) {
      pulled++;
      yield image;
    }
  }
  const coreset = { ratio: RATIO, projection: { kind: "none" } } as const;
  using listed = await create(gpu, { coreset, memoryBudget: budget(gpu) });
  assert((await listed.fit(IMAGES)).buckets > 1);
  using counted = await create(gpu, { coreset, memoryBudget: budget(gpu) });
  await counted.fit(counting(), COUNT);
  assertEquals(pulled, IMAGES.length);
  assertEquals(counted.save(), listed.save());
  const maxBank = 122;
  using capped = await create(gpu, {
    coreset: { ratio: 1, maxBank, projection: { kind: "linear", dim: 12 } },
    memoryBudget: budget(gpu),
  });
  const report = await capped.fit(stream());
  assertEquals([report.images, report.bankRows], [24, maxBank]);
  assert(report.buckets > 1);
  using open = await create(gpu, { memoryBudget: budget(gpu) });
  await assertRejects(
    () => open.fit(stream()),
    RangeError,
    "Cannot keep a share of an unknown number of patches",
  );
  await assertRejects(
    () => open.fit(stream(), { count: 3 }),
    RangeError,
    "more images than the 3",
  );
  await assertRejects(
    () => open.fit(stream(), { count: 0 }),
    RangeError,
    "count must be",
  );
});

gpuTest("fit() says which budget would do", async (gpu) => {
  using detector = await create(gpu, { memoryBudget: 2 ** 20 });
  const { message } = await assertRejects(
    () => detector.fit(IMAGES),
    RangeError,
    "Cannot fit in 1 MiB of memory",
  );
  const [, needed] = /allow at least (\d+) MiB/.exec(message)!;
  const memoryBudget = Number(needed) * 2 ** 20;
  using enough = await create(gpu, { memoryBudget });
  assertEquals((await enough.fit(IMAGES)).images, 24);
});

gpuTest("fit() draws a random bank in bounded memory", async (gpu) => {
  const all = await allFeatures(gpu);
  const coreset = { method: "random", ratio: RATIO } as const;
  const whole = await create(gpu, { coreset });
  const { plannedGpuBytes } = await whole.fit(IMAGES);
  whole.dispose();
  gpu.pool.trim();
  using detector = await create(gpu, {
    coreset,
    memoryBudget: plannedGpuBytes - 2 ** 18,
  });
  const report = await detector.fit(IMAGES);
  assert(report.buckets > 1);
  assertEquals([report.radius, report.radiusBound], [undefined, undefined]);
  assertRowsAreTheirPatches(detector.model, all);
});
