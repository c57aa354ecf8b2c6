/**
 * Cosine distances, top shares, foregrounds and views, from fit to prediction,
 * with a small convolutional network.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { PatchCore } from "../../../src/core/mod.ts";
import type { NamedImage, Prediction } from "../../../src/core/mod.ts";
import { mergeModels, readModelFile } from "../../../src/core/mod.ts";
import type { SettingsOptions } from "../../../src/core/settings/settings.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { assertAllClose, gpuTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyBackbone, tinyImages } from "../../tiny_model.ts";

const ALL: SettingsOptions = {
  ...TINY_SETTINGS,
  coreset: { method: "none" },
  distance: "cosine",
  reweight: 0,
  topShare: 0.05,
  foreground: { mask: "on", threshold: 0.02 },
  augment: { rotations: 3, flips: true },
};
const VIEWS = 5;
const { train, test } = tinyImages(4);

async function detectorOf(
  gpu: Gpu,
  options: SettingsOptions = ALL,
): Promise<PatchCore> {
  return await PatchCore.create({
    ...options,
    backbone: tinyBackbone(),
    gpu,
    allowRandom: true,
    batch: 3,
  });
}

async function predicted(
  detector: PatchCore,
  images: readonly NamedImage[] = test,
): Promise<Prediction[]> {
  return await Array.fromAsync(detector.predict(images));
}

gpuTest("fit() keeps images apart from their views", async (gpu) => {
  using detector = await detectorOf(gpu);
  const report = await detector.fit(train);
  const { model } = detector;
  assertEquals(report.images, 4);
  assertEquals(model.imageNames, train.map(({ name }) => name));
  assertEquals(model.trainScores.length, 4);
  assertEquals(model.imageSizes.length, 8);
  assertEquals(model.rows, report.patches);
  const perView = model.rows / 4 / VIEWS;
  assert(Number.isInteger(perView));
  const seen = Map.groupBy(
    model.originView!.keys(),
    (row) => `${model.origin[3 * row]}, ${model.originView![row]}`,
  );
  assertEquals(seen.size, 4 * VIEWS);
  assert(seen.values().every((rows) => rows.length === perView));
  assertEquals(model.threshold?.rule["folds"], 4);
  assertEquals(model.threshold?.rule["images"], 4);
});

gpuTest(
  "fit() scores an image as if neither it nor its views had been learned",
  async (gpu) => {
    using detector = await detectorOf(gpu);
    await detector.fit(train);
    const { trainScores, trainMapMaxima } = detector.model;
    assert(trainScores.every((score) => score > 0), `${trainScores}`);
    for (const [i, image] of train.entries()) {
      using without = await detectorOf(gpu);
      await without.fit(train.filter((other) => other !== image));
      const [{ score, map }] = await predicted(without, [image]) as [
        Prediction,
      ];
      assertAllClose([trainScores[i]!], [score]);
      assertAllClose([trainMapMaxima![i]!], [Math.max(...map.data)]);
    }
  },
);

gpuTest(
  "a stored model gives the same predictions, and tells views of images",
  async (gpu) => {
    using detector = await detectorOf(gpu);
    await detector.fit(train);
    const before = await predicted(detector);
    using again = await PatchCore.load(detector.save(), {
      backbone: tinyBackbone(),
      gpu,
    });
    const after = await predicted(again);
    assertEquals(
      after.map(({ score, worstPatch }) => ({ score, worstPatch })),
      before.map(({ score, worstPatch }) => ({ score, worstPatch })),
    );
    assertEquals(again.settings, detector.settings);
    for (const { worstPatch: { nearest: { box, view, image } } } of before) {
      assert(train.some(({ name }) => name === image));
      assert(view === undefined || view.length > 0);
      assert(box.x >= 0 && box.y >= 0, `${box.x}, ${box.y}`);
    }
  },
);

gpuTest("append() and mergeModels() go on with views", async (gpu) => {
  using whole = await detectorOf(gpu);
  await whole.fit(train);
  const expected = (await predicted(whole)).map(({ score }) => score);
  using first = await detectorOf(gpu);
  await first.fit(train.slice(0, 3));
  const part = first.model;
  await first.append(train.slice(3));
  assertEquals(first.model.imageNames.length, 4);
  assertEquals(first.model.rows, whole.model.rows);
  assertAllClose((await predicted(first)).map(({ score }) => score), expected);
  using second = await detectorOf(gpu);
  await second.fit(train.slice(3));
  const { model } = await mergeModels([
    { name: "a", model: part },
    { name: "b", model: second.model },
  ], { gpu });
  assertEquals(
    new Set(model.origin.filter((_, i) => i % 3 === 0)),
    new Set([0, 1, 2, 3]),
  );
  assertEquals(new Set(model.originView), new Set([0, 1, 2, 3, 4]));
  using merged = await PatchCore.fromModel(model, {
    backbone: tinyBackbone(),
    gpu,
  });
  assertAllClose((await predicted(merged)).map(({ score }) => score), expected);
});

/** Parts of a fit, every other image each, as they are merged. */
async function partsOf(gpu: Gpu, options: SettingsOptions) {
  const parts = [];
  for (const part of [1, 2]) {
    using detector = await detectorOf(gpu, options);
    const own = train.filter((_, i) => i % 2 === part - 1);
    await detector.fit(own, { shard: [part, 2] });
    const model = readModelFile(detector.save());
    parts.push({ name: `part ${part}`, model });
  }
  return parts;
}

const byName = (names: readonly string[], values: Float32Array) =>
  names.map((name, i) => [name, values[i]!] as const)
    .toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([, value]) => value);

for (
  const [name, options] of [
    ["views", { ...TINY_SETTINGS, augment: ALL.augment! }],
    ["masks of the ground", { ...ALL, augment: {} }],
    ["views and masks", ALL],
  ] as [string, SettingsOptions][]
) {
  gpuTest(
    `mergeModels() scores images of parts with ${name} as one fit does`,
    async (gpu) => {
      // The half of the patches that makes a score, twice: all are carried.
      const settings: SettingsOptions = {
        ...options,
        ...{ coreset: { method: "none" }, reweight: 0, topShare: 0.5 },
      };
      using whole = await detectorOf(gpu, settings);
      await whole.fit(train);
      const parts = await partsOf(gpu, settings);
      const hasGround = settings.foreground?.mask === "on";
      for (const { model: { sample, rows } } of parts) {
        const { images, patches, scores, grid: [height, width] } = sample!;
        assertEquals([...images], [0, 1]);
        assertEquals(patches.length, 2 * height * width);
        assertEquals(scores.some((score) => score === -1), hasGround);
        assert(scores.some((score) => score > 0));
        assert(rows > 2 * height * width || hasGround);
      }
      const { model } = await mergeModels(parts, { gpu });
      const { imageNames: names, trainScores, trainMapMaxima } = model;
      const { model: one } = whole;
      assertAllClose(
        byName(names, trainScores),
        byName(one.imageNames, one.trainScores),
      );
      assertAllClose(
        byName(names, trainMapMaxima!),
        byName(one.imageNames, one.trainMapMaxima!),
      );
      assertAllClose([model.threshold!.value], [one.threshold!.value]);
      assertEquals(model.threshold!.rule["uncertain_images"], undefined);
      assertEquals(model.threshold!.rule["carried_patches"], 256);
      assertEquals(
        new Set(model.originView),
        new Set(one.originView),
      );
    },
  );
}

gpuTest(
  "mergeModels() tells images that patches are missing of",
  async (gpu) => {
    // 76 patches make a score; of twice as many every other one is left.
    const settings: SettingsOptions = {
      ...ALL,
      ...{ foreground: { mask: "off" }, topShare: 0.3 },
    };
    const parts = (await partsOf(gpu, settings)).map(({ name, model }) => {
      const { sample } = model;
      const kept = (values: Int32Array | Float32Array, length: number) =>
        values.filter((_, i) => Math.floor(i / length) % 2 === 0);
      const less = {
        ...sample!,
        patches: kept(sample!.patches, 1) as Int32Array,
        features: kept(sample!.features, model.dim) as Float32Array,
      };
      assertEquals(less.patches.length, 2 * 76);
      return { name, model: { ...model, sample: less } };
    });
    const { model } = await mergeModels(parts, { gpu });
    const { rule } = model.threshold!;
    assertEquals(rule["carried_patches"], 76);
    assertEquals(rule["uncertain_images"], 4);
  },
);

gpuTest("fit() of a part refuses to find out about the ground", async (gpu) => {
  using detector = await detectorOf(gpu, {
    ...ALL,
    foreground: { mask: "auto" },
  });
  await assertRejects(
    () => detector.fit(train, { shard: [1, 2] }),
    RangeError,
    'Cannot fit part 1/2 with a foreground mask of "auto"',
  );
});

gpuTest(
  "fit() with little memory has the same views and scores",
  async (gpu) => {
    const options: SettingsOptions = {
      ...ALL,
      coreset: { method: "greedy", ratio: 0.02 },
    };
    using detector = await detectorOf(gpu, options);
    const { plannedGpuBytes } = await detector.fit(train);
    using lean = await PatchCore.create({
      ...options,
      backbone: tinyBackbone(),
      gpu,
      allowRandom: true,
      batch: 3,
      memoryBudget: Math.floor(plannedGpuBytes * 0.9),
    });
    await lean.fit(train, { shard: [1, 2] });
    assertEquals([...lean.model.sample!.images], [0, 1, 2, 3]);
    await detector.fit(train, { shard: [1, 2] });
    const ground = ({ model }: PatchCore) =>
      model.sample!.scores.map((score) => score === -1 ? 1 : 0);
    assertEquals(ground(lean), ground(detector));
    assert(ground(lean).some((patch) => patch === 1));
    await detector.fit(train);
    await lean.fit(train);
    assertEquals(lean.model.imageNames, detector.model.imageNames);
    assertEquals(lean.model.trainScores.length, 4);
    assert(lean.model.trainScores.every(Number.isFinite));
    assertEquals(new Set(lean.model.originView).size, VIEWS);
  },
);

for (const distance of ["euclidean", "squared"] as const) {
  gpuTest(`a cosine distance is none of ${distance} features`, async (gpu) => {
    using detector = await detectorOf(gpu);
    using other = await detectorOf(gpu, { ...ALL, distance });
    await detector.fit(train);
    await other.fit(train);
    const lengths = (model: typeof detector.model) =>
      Math.hypot(...model.memoryBank.subarray(0, model.dim));
    assertAllClose([lengths(detector.model)], [1]);
    assert(Math.abs(lengths(other.model) - 1) > 1e-3);
  });
}

gpuTest(
  "a foreground that is to be found out becomes on or off with the fit",
  async (gpu) => {
    using detector = await detectorOf(gpu, {
      ...ALL,
      foreground: { mask: "auto", threshold: 1e5 },
    });
    await detector.fit(train);
    // No component is that large: every mask is empty.
    assertEquals(detector.settings.foreground.mask, "off");
    const stored = detector.model.settings["foreground"];
    assertEquals((stored as { mask: string }).mask, "off");
    // The next fit finds out anew.
    await detector.fit(train.slice(1));
    assertEquals(detector.settings.foreground.mask, "off");
  },
);

gpuTest("masked patches leave a hole of zeros in the map", async (gpu) => {
  using masked = await detectorOf(gpu, {
    ...ALL,
    foreground: { mask: "on", threshold: 1e5 },
  });
  await masked.fit(train);
  for (const { score, map } of await predicted(masked)) {
    assertEquals(score, 0);
    assert(map.data.every((value) => value === 0));
  }
});
