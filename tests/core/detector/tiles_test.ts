import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodePng } from "../../../src/core/images/png.ts";
import { planTiles } from "../../../src/core/images/tiles.ts";
import type { Pixels } from "../../../src/core/images/pixels.ts";
import {
  type FitPlan,
  type FitReport,
  type NamedImage,
  PatchCore,
  type Prediction,
  type StoredModel,
} from "../../../src/core/mod.ts";
import type {
  SettingsOptions,
  TileSettings,
} from "../../../src/core/settings/settings.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { assertAllClose, gpuTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyBackbone } from "../../tiny_model.ts";

const [WIDTH, HEIGHT] = [150, 108];

const TILES: TileSettings = {
  side: 64,
  overlap: 16,
  scale: 1,
  banks: "shared",
};

const { resize: _resize, square: _square, crop: _crop, ...FEATURES } =
  TINY_SETTINGS;

/** A smooth surface with a little noise, and a dark square where it is asked for. */
function part(seed: number, width = WIDTH, height = HEIGHT, spot = -1): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255);
  let state = seed * 7919 + 1;
  for (let i = 0; i < width * height; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    const [x, y] = [i % width, Math.floor(i / width)];
    const isSpot = spot >= 0 && Math.abs(x - spot) < 6 && Math.abs(y - 90) < 6;
    const level = 120 + 50 * Math.sin(x / 9 + seed / 20) * Math.cos(y / 7) +
      (state >>> 24) / 16;
    data.fill(isSpot ? 10 : level, i * 4, i * 4 + 3);
  }
  return { width, height, data };
}

const TRAIN: NamedImage[] = [1, 2, 3, 4, 5].map((seed) => ({
  name: `${seed}.png`,
  content: part(seed),
}));

/** The tiles of an image, cut out by hand. */
function cut(
  { name, content }: NamedImage,
  tiles: TileSettings = TILES,
): NamedImage[] {
  const image = content as Pixels;
  const { rows, columns } = planTiles(image.width, image.height, tiles);
  return rows.offsets.flatMap((top) =>
    columns.offsets.map((left) => {
      const data = new Uint8Array(rows.side * columns.side * 4);
      for (let y = 0; y < rows.side; y++) {
        const start = ((top + y) * image.width + left) * 4;
        const line = image.data.subarray(start, start + columns.side * 4);
        data.set(line, y * columns.side * 4);
      }
      const size = { width: columns.side, height: rows.side };
      return { name: `${name} ${left} ${top}`, content: { ...size, data } };
    })
  );
}

async function create(
  gpu: Gpu,
  settings: SettingsOptions,
  options: { readonly batch?: number; readonly memoryBudget?: number } = {},
): Promise<PatchCore> {
  return await PatchCore.create({
    ...FEATURES,
    ...settings,
    ...{ batch: 4, ...options, gpu, allowRandom: true },
    backbone: tinyBackbone(),
  });
}

async function predictOne(
  detector: PatchCore,
  content: Pixels,
): Promise<Prediction> {
  const [prediction] = await Array.fromAsync(
    detector.predict([{ name: "one", content }]),
  );
  return prediction!;
}

for (
  const settings of [
    {},
    { distance: "cosine", resample: "bicubic" },
    { distance: "squared", reweight: 0, topShare: 0.05 },
  ] as const
) {
  gpuTest(
    `one tile of the image's size is the same as no tiles with ${
      JSON.stringify(settings)
    }`,
    async (gpu) => {
      using whole = await create(gpu, {
        ...{ ...settings, resize: HEIGHT, crop: null },
      });
      await whole.fit(TRAIN);
      using tiled = await create(gpu, { ...settings, tiles: WIDTH });
      await tiled.fit(TRAIN);
      const [a, b] = [whole.model, tiled.model];
      assertEquals(b.memoryBank, a.memoryBank);
      assertEquals(b.origin, a.origin);
      assertEquals(b.trainScores, a.trainScores);
      assertEquals(b.trainMapMaxima, a.trainMapMaxima);
      assertEquals(b.threshold, a.threshold);
      const image = part(9, WIDTH, HEIGHT, 75);
      const [p, q] = [
        await predictOne(whole, image),
        await predictOne(tiled, image),
      ];
      assertAllClose([q.score], [p.score]);
      assertEquals(q.worstPatch, p.worstPatch);
      assertEquals(q.map.data, p.map.data);
      assertEquals(q.map.geometry, p.map.geometry);
    },
  );
}

gpuTest(
  "a share of the patches is one of all tiles together",
  async (gpu) => {
    const content = part(9, WIDTH, HEIGHT, 75);
    const all = { reweight: 0, topShare: 1 };
    using byHand = await create(gpu, { ...all, resize: 64, crop: null });
    await byHand.fit(TRAIN.flatMap((image) => cut(image)), {
      groupBy: /^\d+\.png/,
    });
    using tiled = await create(gpu, { ...all, tiles: TILES });
    await tiled.fit(TRAIN);
    const tiles = byHand.model.trainScores.length / TRAIN.length;
    const mean = (values: ArrayLike<number>): number =>
      Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    assertAllClose(
      tiled.model.trainScores,
      Float32Array.from(
        TRAIN,
        (_, i) =>
          mean(byHand.model.trainScores.subarray(i * tiles, (i + 1) * tiles)),
      ),
    );
    const parts = await Array.fromAsync(
      byHand.predict(cut({ name: "one", content })),
    );
    const { score } = await predictOne(tiled, content);
    assertAllClose([score], [mean(parts.map(({ score }) => score))]);
    // So few are one patch: the worst of all tiles.
    using one = await create(gpu, {
      ...{ reweight: 0, topShare: 0.001, tiles: TILES },
    });
    await one.fit(TRAIN);
    using worst = await create(gpu, { reweight: 0, tiles: TILES });
    await worst.fit(TRAIN);
    assertAllClose(one.model.trainScores, worst.model.trainScores);
    const [a, b] = [
      await predictOne(one, content),
      await predictOne(worst, content),
    ];
    assertAllClose([a.score], [b.score]);
    assertEquals(a.worstPatch, b.worstPatch);
  },
);

gpuTest(
  "a tiled fit is one of the tiles as images of their parts",
  async (gpu) => {
    using byHand = await create(gpu, { resize: 64, crop: null });
    await byHand.fit(TRAIN.flatMap((image) => cut(image)), {
      groupBy: /^\d+\.png/,
    });
    using tiled = await create(gpu, { tiles: TILES });
    await tiled.fit(TRAIN);
    const [a, b] = [byHand.model, tiled.model];
    assertEquals(b.memoryBank, a.memoryBank);
    assertEquals(b.coverage, a.coverage);
    assertEquals(b.imageNames, TRAIN.map(({ name }) => name));
    const tiles = a.imageNames.length / TRAIN.length;
    assertEquals(tiles, 6);
    const largest = (values: Float32Array): Float32Array =>
      Float32Array.from(
        TRAIN,
        (_, i) => Math.max(...values.subarray(i * tiles, (i + 1) * tiles)),
      );
    assertEquals(b.trainScores, largest(a.trainScores));
    assertEquals(b.trainMapMaxima, largest(a.trainMapMaxima!));

    const content = part(9, WIDTH, HEIGHT, 75);
    const seen = await predictOne(tiled, content);
    const parts = await Array.fromAsync(
      byHand.predict(cut({ name: "one", content })),
    );
    const worst = parts.reduce((a, b) => b.score > a.score ? b : a);
    assertEquals(seen.score, worst.score);
    const [left, top] = worst.name.split(" ").slice(1).map(Number);
    const { nearest, ...box } = worst.worstPatch;
    assertEquals(seen.worstPatch.x, left! + box.x);
    assertEquals(seen.worstPatch.y, top! + box.y);
    assertEquals(seen.worstPatch.width, box.width);
    // The training tile that it was compared with lies in its image.
    const [name, x, y] = nearest.image.split(" ");
    assertEquals(seen.worstPatch.nearest.image, name);
    assertEquals(seen.worstPatch.nearest.box.x, Number(x) + nearest.box.x);
    assertEquals(seen.worstPatch.nearest.box.y, Number(y) + nearest.box.y);
    assertEquals([seen.map.width, seen.map.height], [WIDTH, HEIGHT]);
    const { geometry } = seen.map;
    const whole = { left: 0, top: 0, right: WIDTH, bottom: HEIGHT };
    assertEquals(geometry, { width: WIDTH, height: HEIGHT, ...whole });
    // A corner is seen by one tile alone; the map is nowhere above its tiles'.
    assertEquals(seen.map.data[0], parts[0]!.map.data[0]);
    const most = (values: Float32Array) =>
      values.reduce((a, b) => Math.max(a, b));
    const highest = Math.max(...parts.map(({ map }) => most(map.data)));
    assert(most(seen.map.data) <= highest * (1 + 1e-6));
  },
);

/** Many patches, few of them in the bank, and a projection that saves memory. */
const COARSE = {
  tiles: { ...TILES, side: 128, overlap: 32 },
  coreset: { ratio: 0.005, projection: { kind: "linear", dim: 12 } },
} as const;

const TRAYS: NamedImage[] = [1, 2, 3, 4, 5, 6].map((seed) => ({
  name: `${seed}.png`,
  content: part(seed, 220, 220),
}));

async function* oneByOne(): AsyncGenerator<NamedImage> {
  for (const image of TRAYS) {
    await Promise.resolve();
    yield image;
  }
}

/** Fits in so much memory beside what was there. */
async function fitWithin(
  gpu: Gpu,
  bytes: number,
  images: NamedImage[] | AsyncIterable<NamedImage> = TRAYS,
  settings: SettingsOptions = COARSE,
): Promise<{ model: StoredModel; report: FitReport; plan: FitPlan }> {
  gpu.pool.trim();
  const memoryBudget = bytes + gpu.pool.bytes;
  using detector = await create(gpu, settings, { memoryBudget });
  let plan: FitPlan | undefined;
  const report = await detector.fit(images, {
    count: TRAYS.length,
    onPlan: (told) => plan = told,
  });
  assert(report.peakGpuBytes <= report.plannedGpuBytes);
  assertEquals(plan!.tilesPerImage, 4);
  assertEquals(plan!.patches, 6 * plan!.patchesPerImage);
  return { model: detector.model, report, plan: plan! };
}

gpuTest("a tiled fit in bounded memory keeps images together", async (gpu) => {
  const all = await fitWithin(gpu, 1e9);
  assertEquals(all.plan.holds, "features");
  gpu.pool.trim();
  const most = all.report.plannedGpuBytes - gpu.pool.bytes;
  const projected = await fitWithin(gpu, most - 1);
  assertEquals(projected.plan.holds, "projections");
  for (
    const key of ["memoryBank", "origin", "coverage", "imageNames"] as const
  ) {
    assertEquals(projected.model[key], all.model[key], key);
  }
  assertAllClose(projected.model.trainScores, all.model.trainScores);
  assertAllClose(projected.model.trainMapMaxima!, all.model.trainMapMaxima!);
  // Images that come one after the other cannot be extracted again for the bank.
  const bucket = await fitWithin(gpu, most - 1, oneByOne());
  assertEquals(bucket.plan.holds, "buckets");
  assertEquals(bucket.model.imageNames, all.model.imageNames);
  assertEquals(bucket.report.patches, all.report.patches);
  assert(bucket.model.trainScores.every(Number.isFinite));
});

gpuTest(
  "a tiled fit in bounded memory scores a share of all tiles' patches",
  async (gpu) => {
    const settings = { ...COARSE, reweight: 0, topShare: 0.02 };
    const all = await fitWithin(gpu, 1e9, TRAYS, settings);
    gpu.pool.trim();
    const most = all.report.plannedGpuBytes - gpu.pool.bytes;
    const projected = await fitWithin(gpu, most - 1, TRAYS, settings);
    assertEquals(projected.plan.holds, "projections");
    assertAllClose(projected.model.trainScores, all.model.trainScores);
  },
);

gpuTest(
  "predict() takes images of any size in tiles of one size",
  async (gpu) => {
    using detector = await create(gpu, { tiles: TILES }, { batch: 5 });
    await detector.fit(TRAIN);
    using again = await PatchCore.load(detector.save({ bundle: true }), {
      ...{ gpu, batch: 2 },
    });
    for (const [width, height] of [[64, 64], [65, 200], [230, 108]] as const) {
      const image = part(3, width, height);
      const prediction = await predictOne(detector, image);
      const other = await predictOne(again, image);
      assertEquals([prediction.map.width, prediction.map.height], [
        width,
        height,
      ]);
      assertEquals(other.score, prediction.score);
      assertEquals(other.map.data, prediction.map.data);
    }
    await assertRejects(
      () => predictOne(detector, part(1, 150, 63)),
      RangeError,
      "it has tiles of 64 × 63 and the others 64 × 64; fit with smaller tiles",
    );
  },
);

/** Files of 16 bits whose samples are the levels of images. */
async function deep({ name, content }: NamedImage): Promise<NamedImage> {
  const { width, height, data } = content as Pixels;
  const grey = Uint16Array.from(
    { length: width * height },
    (_, i) => data[4 * i]!,
  );
  return { name, content: await encodePng({ width, height, grey }) };
}

for (const banks of ["shared", "position"] as const) {
  gpuTest(
    `tiles of deep files follow the range with ${banks} banks`,
    async (gpu) => {
      const tiles = { ...TILES, side: 100, overlap: 10, banks };
      const images = TRAIN.slice(0, 3);
      using levels = await create(gpu, { tiles });
      await levels.fit(images);
      using samples = await create(gpu, {
        tiles,
        range: { low: 0, high: 255 },
      });
      const files = await Promise.all(images.map(deep));
      await samples.fit(files);
      const [a, b] = [levels.model, samples.model];
      assertEquals(b.memoryBank, a.memoryBank);
      assertEquals(b.trainScores, a.trainScores);
      const [p] = await Array.fromAsync(levels.predict(images.slice(0, 1)));
      const [q] = await Array.fromAsync(samples.predict(files.slice(0, 1)));
      assertEquals(q!.map.data, p!.map.data);
    },
  );
}

gpuTest("fit() refuses images that are cut into other tiles", async (gpu) => {
  using detector = await create(gpu, { tiles: TILES });
  const other = { name: "wide.png", content: part(8, 260, HEIGHT) };
  await assertRejects(
    () => detector.fit([...TRAIN, other], { onImageError: () => {} }),
    RangeError,
    `Cannot fit: image "wide.png" of 260 × 108 pixels becomes 6 × 2 tiles of 64 × 64, "1.png" of 150 × 108 becomes 3 × 2 tiles of 64 × 64`,
  );
});

gpuTest("append() adds tiles to those of a tiled model", async (gpu) => {
  using detector = await create(gpu, { tiles: TILES });
  await detector.fit(TRAIN.slice(0, 3));
  await detector.append(TRAIN.slice(3));
  const { imageNames, imageSizes, origin, trainScores } = detector.model;
  assertEquals(imageNames, TRAIN.map(({ name }) => name));
  assertEquals(imageSizes.length, 2 * TRAIN.length);
  assert(trainScores.every(Number.isFinite));
  const images = new Set(origin.filter((_, i) => i % 3 === 0));
  assert(images.has(4) && Math.max(...images) === 4);
  using _loaded = await PatchCore.load(detector.save({ bundle: true }), {
    gpu,
  });
});

gpuTest(
  "a bank for each place of tiles is a fit of the tiles there",
  async (gpu) => {
    const images = TRAIN.slice(0, 4);
    const tiles = {
      ...TILES,
      side: 100,
      overlap: 10,
      banks: "position",
    } as const;
    using byPlace = await create(gpu, { tiles });
    const { bankRows } = await byPlace.fit(images);
    const { model } = byPlace;
    assertEquals(model.rows, bankRows);
    const content = part(9, WIDTH, HEIGHT, 75);
    const seen = await predictOne(byPlace, content);
    const views = images.map((image) => cut(image, tiles));
    const query = cut({ name: "one", content }, tiles);
    assertEquals(query.length, 4);
    const scores = new Float32Array(images.length);
    let most = -Infinity;
    let done = 0;
    for (const [place, tile] of query.entries()) {
      using alone = await create(gpu, { resize: 100, crop: null });
      await alone.fit(views.map((tiles) => tiles[place]!));
      const { rows, dim, memoryBank, trainScores } = alone.model;
      const part = model.memoryBank.subarray(done * dim, (done + rows) * dim);
      assertEquals(part, memoryBank);
      done += rows;
      trainScores.forEach((score, i) =>
        scores[i] = Math.max(scores[i]!, score)
      );
      const { score } = await predictOne(alone, tile.content as Pixels);
      most = Math.max(most, score);
    }
    assertEquals(done, model.rows);
    assertEquals(model.trainScores, scores);
    assertAllClose([seen.score], [most]);
    using again = await PatchCore.load(byPlace.save({ bundle: true }), { gpu });
    assertEquals((await predictOne(again, content)).score, seen.score);
    await assertRejects(
      () => predictOne(again, part(1, 300, HEIGHT)),
      RangeError,
      "and the model has a bank for each of 2 × 2; inspect images of 150 × 108",
    );
    await assertRejects(() => again.append(images), RangeError, "Cannot add");
  },
);

gpuTest(
  "one tile of a photograph gives what no tiles give",
  async (gpu, _, shared) => {
    const folder = shared("data", "transistor_256");
    const read = (path: string): NamedImage => ({
      name: path,
      content: () => Deno.readFile(`${folder}/${path}`),
    });
    const names = [...Deno.readDirSync(`${folder}/train/good`)]
      .map(({ name }) => name).sort().slice(0, 3);
    const train = names.map((name) => read(`train/good/${name}`));
    const [kind] = [...Deno.readDirSync(`${folder}/ground_truth`)];
    const test = [read(`test/${kind!.name}/000.png`)];
    const path = shared("data", "models", "resnet18.onnx");
    const backbone = { name: "resnet18", bytes: await Deno.readFile(path) };
    const results: { model: StoredModel; found: Prediction }[] = [];
    for (const input of [{ resize: 256, crop: null }, { tiles: 256 }]) {
      using detector = await PatchCore.create({
        ...{ ...input, backbone, gpu, coreset: 0.02, batch: 2 },
      });
      await detector.fit(train);
      const [found] = await Array.fromAsync(detector.predict(test));
      results.push({ model: detector.model, found: found! });
    }
    const [whole, tiled] = results as [typeof results[0], typeof results[0]];
    assertEquals(tiled.model.origin, whole.model.origin);
    const tolerance = { rtol: 1e-5, atol: 1e-5 };
    const { memoryBank, trainScores } = tiled.model;
    assertAllClose(memoryBank, whole.model.memoryBank, tolerance);
    assertAllClose(trainScores, whole.model.trainScores, tolerance);
    assertAllClose([tiled.found.score], [whole.found.score], tolerance);
    assertAllClose(tiled.found.map.data, whole.found.map.data, tolerance);
    assertEquals(tiled.found.worstPatch, whole.found.worstPatch);
  },
  { shared: true },
);
