import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  mergeModels,
  mergeSources,
  ModelFileError,
  type NamedModel,
  PatchCore,
  type PatchCoreOptions,
  readModelFile,
  type StoredModel,
  writeModelFile,
} from "../../../../src/core/mod.ts";
import { settingsFromJson } from "../../../../src/core/settings/resolve_settings.ts";
import { thresholdsOf } from "../../../../src/core/threshold/calibrate.ts";
import type { Gpu } from "../../../../src/gpu/mod.ts";
import type { CoresetSettings } from "../../../../src/core/settings/settings.ts";
import { assertAllClose, gpuTest } from "../../../testing.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyImages,
} from "../../../tiny_model.ts";

const PATCHES = 256;
const IMAGES = tinyImages(12).train;
const BACKBONE = tinyBackbone();

async function create(
  gpu: Gpu,
  options: Partial<PatchCoreOptions> = {},
): Promise<PatchCore> {
  return await PatchCore.create({
    ...TINY_SETTINGS,
    coreset: { ratio: 0.05, projection: { kind: "linear", dim: 12 } },
    backbone: BACKBONE,
    allowRandom: true,
    batch: 4,
    gpu,
    ...options,
  });
}

/** Rows of a bank by where they come from. */
function byOrigin(model: StoredModel): Map<string, string> {
  const { dim, rows, origin, memoryBank } = model;
  return new Map(
    Array.from({ length: rows }, (_, row) => [
      origin.subarray(3 * row, 3 * row + 3).join(),
      memoryBank.subarray(row * dim, (row + 1) * dim).join(),
    ]),
  );
}

/** Fails unless the thresholds are those of all images' scores. */
function assertThresholdsFollow(model: StoredModel): void {
  const expected = thresholdsOf({
    scores: Float32Array.from(model.trainScores),
    maxima: Float32Array.from(model.trainMapMaxima!),
  }, settingsFromJson(model.settings));
  for (const key of ["threshold", "mapThreshold"] as const) {
    assertEquals(model[key]!.value, expected[key]!.value);
  }
}

/** Fails unless every row of `part` that is also in `whole` is the same there. */
function assertRowsAgree(part: StoredModel, whole: StoredModel): void {
  const known = byOrigin(whole);
  for (const [origin, row] of byOrigin(part)) {
    assertEquals(known.get(origin) ?? row, row, origin);
  }
}

gpuTest("append() makes a coreset of the bank and new images", async (gpu) => {
  using every = await create(gpu, { coreset: { method: "none" } });
  await every.fit(IMAGES);
  using detector = await create(gpu);
  await detector.fit(IMAGES.slice(0, 8));
  const before = detector.model;
  const report = await detector.append(IMAGES.slice(8));
  const { model } = detector;
  assertEquals(report.images, 12);
  assertEquals(report.patches, 12 * PATCHES);
  assertEquals(model.rows, Math.floor(12 * PATCHES * 0.05));
  assertEquals(model.imageNames, IMAGES.map(({ name }) => name));
  assertEquals(model.imageSizes.length, 24);
  assertRowsAgree(model, every.model);
  assert(model.origin.some((x, i) => i % 3 === 0 && x >= 8));
  assert(model.origin.some((x, i) => i % 3 === 0 && x < 8));
  assertEquals(model.trainScores.slice(0, 8), before.trainScores);
  assert(model.trainScores.slice(8).every((score) => score > 0));
  assertEquals(model.trainMapMaxima!.slice(0, 8), before.trainMapMaxima);
  assertThresholdsFollow(model);
  assertEquals(model.threshold!.rule["images"], 12);
  assert(report.radiusBound! > 0);
  assertEquals(readModelFile(detector.save()), {
    ...model,
    backbone: readModelFile(detector.save()).backbone,
  });
  // What was stored can be added to as well.
  using loaded = await PatchCore.load(writeModelFile(before), {
    backbone: BACKBONE,
    gpu,
    batch: 4,
  });
  await loaded.append(IMAGES.slice(8));
  assertEquals(loaded.model.memoryBank, model.memoryBank);
  assertEquals(loaded.model.origin, model.origin);
});

for (
  const [name, coreset] of [
    ["greedily", { ratio: 0.5 }],
    ["from a mean", { ratio: 0.5, start: "mean-of-10" }],
    ["at random", { ratio: 0.5, method: "random" }],
    ["as all rows", { method: "none" }],
  ] as [string, Partial<CoresetSettings>][]
) {
  gpuTest(
    `append() adds to a bank of duplicates, chosen ${name}`,
    async (gpu) => {
      const same = Array.from({ length: 3 }, (_, i) => ({
        ...IMAGES[0]!,
        name: `copy ${i}`,
      }));
      using detector = await create(gpu, { coreset });
      await detector.fit(same);
      const { rows } = detector.model;
      const { images } = await detector.append([...same, IMAGES[1]!]);
      const { model } = detector;
      assertEquals([images, model.imageNames.length], [7, 7]);
      assert(model.rows >= rows);
      // New patches are in the bank beside the old ones.
      assert(model.origin.some((x, i) => i % 3 === 0 && x === 6));
      const [known] = await Array.fromAsync(detector.predict([IMAGES[0]!]));
      const [other] = await Array.fromAsync(detector.predict([IMAGES[5]!]));
      assert(known!.score < other!.score);
      assertEquals(readModelFile(detector.save()).rows, model.rows);
    },
  );
}

gpuTest("append() goes on with a bank that is full", async (gpu) => {
  using detector = await create(gpu, { coreset: { ratio: 0.5, maxBank: 50 } });
  await detector.fit(IMAGES.slice(0, 4));
  for (const [images, image] of [[5, 4], [6, 5], [7, 6]] as const) {
    const report = await detector.append([IMAGES[image]!]);
    assertEquals([report.bankRows, report.images], [50, images]);
  }
  const { origin } = detector.model;
  assert(origin.some((x, i) => i % 3 === 0 && x >= 4));
});

gpuTest("append() caps the bank and follows a new rule", async (gpu) => {
  using detector = await create(gpu);
  await detector.fit(IMAGES.slice(0, 8));
  const report = await detector.append(IMAGES.slice(8), {
    maxBank: 60,
    threshold: { quantile: 1, factor: 2 },
  });
  const { model, settings } = detector;
  assertEquals([report.bankRows, settings.coreset.maxBank], [60, 60]);
  assertEquals(model.settings["coreset"], settings.coreset);
  assertAllClose([model.threshold!.value], [
    2 * Math.max(...model.trainScores),
  ]);
  const scores = [];
  for await (const { score } of detector.predict([IMAGES[9]!])) {
    scores.push(score);
  }
  assert(scores[0]! > 0);
  using empty = await create(gpu);
  await assertRejects(() => empty.append(IMAGES), TypeError, "not fitted");
});

gpuTest(
  "mergeModels() of a model with itself keeps its thresholds",
  async (gpu) => {
    // Twins are at the distance 0 from each other: the quantile is a true 0.
    const images = [IMAGES[0]!, IMAGES[0]!, IMAGES[0]!, IMAGES[1]!]
      .map(({ content }, i) => ({ name: `image ${i}`, content }));
    using detector = await create(gpu, {
      coreset: { method: "none" },
      threshold: { quantile: 0.5, mapQuantile: 0.5 },
    });
    await detector.fit(images);
    const { trainScores } = detector.model;
    assertEquals([...trainScores].map((score) => score === 0), [
      ...[true, true, true, false],
    ]);
    for (const stored of [detector.model, readModelFile(detector.save())]) {
      const model = { ...stored, bankPrecision: "f32" as const };
      const twice = await mergeModels([
        { name: "one", model },
        { name: "the same", model },
      ], { gpu });
      const { threshold, mapThreshold } = twice.model;
      assertEquals(threshold!.value, detector.model.threshold!.value);
      assertEquals(mapThreshold!.value, detector.model.mapThreshold!.value);
    }
  },
);

for (const method of ["greedy", "random"] as const) {
  gpuTest(`mergeModels() makes one model of shards: ${method}`, async (gpu) => {
    const coreset = {
      method,
      ratio: 0.05,
      projection: { kind: "linear", dim: 12 } as const,
    };
    const shards: NamedModel[] = [];
    for (const part of [1, 2, 3]) {
      using detector = await create(gpu, { coreset });
      const own = IMAGES.filter((_, i) => i % 3 === part - 1);
      await detector.fit(own, { shard: [part, 3] });
      assertEquals(detector.model.rows, Math.floor(4 * PATCHES * 0.1));
      assertEquals(detector.settings.coreset.ratio, 0.05);
      const model = readModelFile(detector.save());
      assertEquals(model.coverage!.shard, `${part}/3`);
      shards.push({ name: `part ${part}`, model });
    }
    const { model } = await mergeModels(shards, { gpu });
    assertEquals(model.rows, Math.floor(12 * PATCHES * 0.05));
    assertEquals(model.coverage!.patches, 12 * PATCHES);
    assertEquals(model.imageNames.length, 12);
    const sources = shards.map(({ model }) => byOrigin(model));
    for (const [origin, row] of byOrigin(model)) {
      const [image, ...place] = origin.split(",").map(Number);
      const own = [image! % 4, ...place].join();
      assertEquals(sources[Math.floor(image! / 4)]!.get(own), row);
    }
    assertThresholdsFollow(model);
    const bounds = shards.map(({ model }) => model.coverage!.radius!);
    if (method === "greedy") {
      assert(model.coverage!.radius! >= Math.max(...bounds) / 2);
    } else assertEquals(model.coverage!.radius, undefined);
    using detector = await PatchCore.load(writeModelFile(model), {
      backbone: BACKBONE,
      gpu,
    });
    for await (const { label } of detector.predict([IMAGES[0]!])) {
      assertEquals(label, "normal");
    }
    const { model: capped } = await mergeModels(shards, { gpu, maxBank: 20 });
    assertEquals(capped.rows, 20);
    for (
      const [models, sentence] of [
        [[], "expected at least 2"],
        [shards.slice(0, 1), "part 2/3 is missing"],
        [shards.slice(0, 2), "part 3/3 is missing"],
        [[shards[0]!, ...shards], "both are part 1/3"],
        [[shards[0]!, changed(shards[1]!, { dim: 3 })], "24 and 3 dimensions"],
        [
          [
            shards[0]!,
            changed(shards[1]!, {
              settings: { ...shards[1]!.model.settings, seed: 9 },
            }),
          ],
          "seed 0 and 9",
        ],
        [
          [
            shards[0]!,
            changed(shards[1]!, {
              backbone: { name: "other", sha256: "0".repeat(64) },
            }),
          ],
          '"other" (SHA-256 000',
        ],
      ] as const
    ) {
      await assertRejects(
        () => mergeModels(models, { gpu }),
        ModelFileError,
        sentence,
      );
    }
    const { coverage: _, ...old } = shards[1]!.model;
    await assertRejects(
      () =>
        mergeModels([
          changed(shards[0]!, { coverage: { patches: 9 } }),
          { name: "old", model: old },
        ], { gpu }),
      ModelFileError,
      'Cannot merge "old": it was made by an earlier version',
    );
  });
}

function changed(
  { name, model }: NamedModel,
  change: Partial<StoredModel>,
): NamedModel {
  return { name, model: { ...model, ...change } };
}

/** Parts of the images, as fit writes them. */
async function partsOf(
  gpu: Gpu,
  parts: number,
  coreset: Partial<CoresetSettings>,
): Promise<NamedModel[]> {
  const models: NamedModel[] = [];
  for (let part = 1; part <= parts; part++) {
    using detector = await create(gpu, { coreset });
    const own = IMAGES.filter((_, i) => i % parts === part - 1);
    await detector.fit(own, { shard: [part, parts] });
    const model = readModelFile(detector.save());
    models.push({ name: `part ${part}`, model });
  }
  return models;
}

/** Scores by the names of images. */
function byName({ imageNames }: StoredModel, scores: Float32Array) {
  return new Map(imageNames.map((name, i) => [name, scores[i]!]));
}

gpuTest(
  "mergeModels() scores images against all parts, as one fit does",
  async (gpu) => {
    const coreset = { method: "none" } as const;
    using single = await create(gpu, { coreset });
    await single.fit(IMAGES);
    const { model: whole } = single;
    const parts = await partsOf(gpu, 3, coreset);
    // A sample carries a quarter of each image's patches.
    assertEquals(parts[0]!.model.sample!.patches.length, 4 * 64);
    const { model } = await mergeModels(parts, { gpu });
    const found = byName(model, model.trainScores);
    // Where a patch that was not carried is worse, another one is weighed; with
    // parts of four images that happens.
    let other = 0;
    for (const [name, score] of byName(whole, whole.trainScores)) {
      const ratio = found.get(name)! / score;
      if (Math.abs(ratio - 1) > 1e-4) other++;
      assert(Math.abs(ratio - 1) < 0.05, `${name}: ${ratio}`);
    }
    const { rule } = model.threshold!;
    assert(other < 4, `${other}`);
    // Against its own part alone, an image's map is not below that.
    const own = new Map(
      parts.flatMap(({ model }) => [...byName(model, model.trainMapMaxima!)]),
    );
    const maxima = byName(model, model.trainMapMaxima!);
    for (const [name, maximum] of byName(whole, whole.trainMapMaxima!)) {
      assertAllClose([maxima.get(name)!], [maximum], { rtol: 0.1, what: name });
      assert(own.get(name)! >= maximum * 0.9999, name);
    }
    assertAllClose([model.threshold!.value], [whole.threshold!.value], {
      rtol: 0.02,
    });
    assertEquals(rule["carried_patches"], 64);
    assertEquals(model.sample, undefined);
  },
);

gpuTest("mergeSources() merges in a tree as all at once", async (gpu) => {
  const parts = await partsOf(gpu, 4, { ratio: 0.05 });
  const { model: flat } = await mergeModels(parts, { gpu });
  const shuffled = [parts[2]!, parts[0]!, parts[3]!, parts[1]!];
  const { model: tree } = await mergeSources(
    shuffled.map(({ name, model }) => ({
      name,
      load: () => Promise.resolve(model),
    })),
    { gpu, expect: 4 },
  );
  assertEquals(writeModelFile(tree), writeModelFile(flat));
  const halves: NamedModel[] = [];
  for (const own of [parts.slice(0, 2), parts.slice(2)]) {
    const { model } = await mergeModels(own, { gpu, partial: true });
    assertEquals(model.rows, own[0]!.model.rows + own[1]!.model.rows);
    halves.push({ name: model.coverage!.shard!, model });
  }
  assertEquals(halves.map(({ name }) => name), ["1-2/4", "3-4/4"]);
  const { model: joined } = await mergeModels(halves, { gpu });
  assertEquals(writeModelFile(joined), writeModelFile(flat));
  const refused = [
    [halves.slice(0, 1), {}, "part 3/4 is missing"],
    [[halves[0]!, parts[1]!], { partial: true }, "both are part 2/4"],
    [parts, { expect: 5 }, "it is of 4 parts, 5 are expected"],
    [
      [
        parts[0]!,
        changed(parts[1]!, {
          coverage: { ...parts[1]!.model.coverage!, shard: "2/3" },
        }),
      ],
      { partial: true },
      "they are of 4 and of 3 parts",
    ],
    [
      [
        parts[0]!,
        changed(parts[1]!, {
          coverage: { ...parts[1]!.model.coverage!, list: "0".repeat(64) },
        }),
      ],
      { partial: true },
      "parts of different lists of images",
    ],
  ] as const;
  for (const [models, options, sentence] of refused) {
    await assertRejects(
      () => mergeModels(models, { gpu, ...options }),
      Error,
      sentence,
    );
  }
  const { sample: _, ...old } = parts[1]!.model;
  await assertRejects(
    () =>
      mergeModels([parts[0]!, { name: "old", model: old }], {
        ...{ gpu, partial: true },
      }),
    ModelFileError,
    'Cannot merge "old": it was made by an earlier version and carries no sample',
  );
});

gpuTest(
  "mergeSources() keeps no more than two parts where the bank is limited",
  async (gpu) => {
    const parts = await partsOf(gpu, 6, { ratio: 0.5, maxBank: 40 });
    const rows = parts.map(({ model }) => model.rows);
    assertEquals(rows, [80, 80, 80, 80, 80, 80]);
    const { model } = await mergeModels(parts.slice(0, 5), {
      gpu,
      partial: true,
    });
    assertEquals(model.rows, 80);
    const { model: tree } = await mergeSources(
      parts.map(({ name, model }) => ({
        name,
        load: () => Promise.resolve(model),
      })),
      { gpu },
    );
    assertEquals(tree.rows, 40);
    // Every choice that a patch went through is in the bound.
    const leaf = Math.max(...parts.map(({ model }) => model.coverage!.radius!));
    assert(tree.coverage!.radius! > leaf);
  },
);

gpuTest("readModelFile() refuses a part that was damaged", async (gpu) => {
  const [part] = await partsOf(gpu, 3, { ratio: 0.05 });
  const bytes = writeModelFile(part!.model);
  for (const at of [bytes.length - 1, bytes.length >> 1]) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1;
    assertThrows(
      () => readModelFile(damaged),
      ModelFileError,
      "Cannot read the model: it is damaged, as its checksum tells",
    );
  }
});
