import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  drawRegion,
  Ensemble,
  mergeModels,
  ModelFileError,
  type NamedImage,
  PatchCore,
  type PatchCoreOptions,
  type Pixels,
  type Prediction,
  readModelFile,
  type RegionSetting,
  type StoredModel,
} from "../../../src/core/mod.ts";
import { regionGrid } from "../../../src/core/features/region_grid.ts";
import { Region } from "../../../src/core/images/region.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import { rangeOf } from "../../../src/core/score/min_max_scale.ts";
import { writeEnsembleFile } from "../../../src/core/model/ensemble_file.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { anomalyMap } from "../../reference/anomaly_map.ts";
import { assertAllClose, gpuTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyBackbone, tinyImages } from "../../tiny_model.ts";
import {
  budget,
  create as createBounded,
  IMAGES as MANY,
  PROJECTED,
  SMALL,
} from "./fit/bounded_fit.ts";

const { train, test } = tinyImages(5);
const [{ width, height }] = train.map(({ content }) => content as Pixels);
const GRID = [16, 16] as const;
const INPUT = [64, 64] as const;

/** A part in the middle, without a wedge of it. */
const REGION = drawRegion({
  width: width!,
  height: height!,
  roi: [{ kind: "box", x: 50, y: 70, width: 141, height: 122 }],
  ignore: [{ kind: "polygon", points: [[60, 100], [150, 110], [70, 180]] }],
});

async function create(
  gpu: Gpu,
  options: Partial<PatchCoreOptions> = {},
): Promise<PatchCore> {
  return await PatchCore.create({
    ...TINY_SETTINGS,
    region: REGION,
    backbone: tinyBackbone(),
    allowRandom: true,
    batch: 4,
    gpu,
    ...options,
  });
}

/** Images with other levels wherever nothing is inspected. */
function disturbed(images: readonly NamedImage[]): NamedImage[] {
  const bitmap = new Region(REGION).bitmap();
  return images.map(({ name, content }, n) => {
    const { data, ...size } = content as Pixels;
    const other = data.map((level, i) =>
      bitmap[i >> 2] === 1 || i % 4 === 3
        ? level
        : (level * 7 + 31 * n + i) % 256
    );
    return { name, content: { ...size, data: other } };
  });
}

function blank(images: readonly NamedImage[]): NamedImage[] {
  const region = new Region(REGION);
  return images.map(({ name, content }) => ({
    name,
    content: region.blank(content as Pixels),
  }));
}

async function scored(
  detector: PatchCore | Ensemble,
  images: readonly NamedImage[],
): Promise<Prediction[]> {
  return await Array.fromAsync(detector.predict(images));
}

/** What an image's prediction says beside the image and the time. */
function said({ ms: _ms, image: _image, ...prediction }: Prediction): unknown {
  return prediction;
}

const grid = (region: RegionSetting) =>
  regionGrid(resolveSettings({ ...TINY_SETTINGS, region }), INPUT, GRID)!;

/** Rows of a bank by image, row and column of the patch they come from. */
function rowsOf(
  { origin, memoryBank, dim }: StoredModel,
): Map<string, number[]> {
  return new Map(
    Array.from({ length: origin.length / 3 }, (_, i) => [
      origin.subarray(3 * i, 3 * i + 3).join(),
      Array.from(memoryBank.subarray(i * dim, (i + 1) * dim)),
    ]),
  );
}

gpuTest(
  "PatchCore.fit() with a region keeps the patches that it touches alone, of images blank elsewhere",
  async (gpu) => {
    using detector = await create(gpu, { coreset: { method: "none" } });
    await detector.fit(train);
    const whole = { coreset: { method: "none" } as const };
    const { region: _, ...settings } = detector.settings;
    using plain = await PatchCore.create({
      ...{ ...settings, ...whole, gpu, batch: 4, allowRandom: true },
      backbone: tinyBackbone(),
    });
    await plain.fit(blank(train));
    const all = rowsOf(plain.model);
    const own = rowsOf(detector.model);
    const { places } = grid(REGION);
    assert(places.length > 40 && places.length < 120, `${places.length}`);
    const wanted = train.flatMap((_, image) =>
      [...places].map((place) => [image, place >> 4, place % 16].join())
    );
    assertEquals([...own.keys()], wanted);
    for (const [key, row] of own) assertEquals(row, all.get(key), key);
  },
);

gpuTest(
  "PatchCore.fit() and predict() with a region are blind to everything outside, to the bit",
  async (gpu) => {
    using detector = await create(gpu);
    await detector.fit(train);
    using other = await create(gpu);
    await other.fit(disturbed(train));
    assertEquals(other.save(), detector.save());
    const results = await scored(detector, test);
    assertEquals(
      (await scored(detector, disturbed(test))).map(said),
      results.map(said),
    );
    // What is inside does count.
    using plain = await create(gpu, {
      region: drawRegion({ width: width!, height: height! }),
    });
    await plain.fit(train);
    assert(results[0]!.score !== (await scored(plain, test))[0]!.score);
  },
);

gpuTest(
  "PatchCore.predict() scores the region's patches and makes maps of them alone",
  async (gpu) => {
    const options = { coreset: { method: "none" }, reweight: 0 } as const;
    using detector = await create(gpu, options);
    await detector.fit(train);
    const bank = [...rowsOf(detector.model).values()];
    using other = await create(gpu, options);
    await other.fit(test);
    const features = [...rowsOf(other.model).values()];
    const { places, slots, pixels } = grid(REGION);
    for (const [i, prediction] of (await scored(detector, test)).entries()) {
      const scores = places.values().map((_, slot) => {
        const feature = features[i * places.length + slot]!;
        return Math.min(...bank.map((row) =>
          Math.hypot(
            ...row.map((x, d) => x - feature[d]!),
          )
        ));
      }).toArray();
      const { score, worstPatch, map } = prediction;
      const worst = scores.indexOf(Math.max(...scores));
      assertAllClose([score], [scores[worst]!], { rtol: 1e-5 });
      const place = places[worst]!;
      assertEquals([worstPatch.x, worstPatch.y], [
        (place % 16) * width! / 16,
        (place >> 4) * height! / 16,
      ]);
      const expected = anomalyMap(
        Array.from(slots, (slot) => scores[slot]!),
        GRID,
        INPUT,
        detector.settings.map,
      );
      const inside = new Set(pixels);
      map.data.forEach((value, pixel) => {
        assertEquals(Number.isNaN(value), !inside.has(pixel));
      });
      assertAllClose(
        Array.from(pixels, (pixel) => map.data[pixel]!),
        Array.from(pixels, (pixel) => expected[pixel]!),
        { rtol: 1e-4 },
      );
      assertEquals(map.unseen, 64 * 64 - pixels.length);
    }
  },
);

gpuTest(
  "PatchCore.fit() with a region holds training images out as it scores new ones",
  async (gpu) => {
    const options = { coreset: { method: "none" } } as const;
    using detector = await create(gpu, options);
    await detector.fit(train);
    const { trainScores, trainMapMaxima } = detector.model;
    for (const [i, image] of train.entries()) {
      using others = await create(gpu, options);
      await others.fit(train.filter((_, k) => k !== i));
      const [prediction] = await scored(others, [image]);
      const { score, map } = prediction!;
      assertAllClose([trainScores[i]!], [score], { rtol: 1e-5 });
      const { max } = rangeOf(map.data);
      assertAllClose([trainMapMaxima![i]!], [max], { rtol: 1e-5 });
    }
  },
);

for (
  const [what, bytes] of [["projected copies", PROJECTED], [
    "buckets",
    SMALL,
  ]] as const
) {
  gpuTest(
    `PatchCore.fit() with a region in bounded memory takes its patches alone: ${what}`,
    async (gpu) => {
      const [{ content }] = MANY;
      const { width, height } = content as Pixels;
      const region = drawRegion({
        width,
        height,
        ignore: [{ kind: "box", x: 0, y: 0, width: 20, height }],
      });
      using detector = await createBounded(gpu, {
        region,
        memoryBudget: budget(gpu, bytes),
      });
      const report = await detector.fit(MANY);
      assert(report.peakGpuBytes > 0);
      const { origin, coverage } = detector.model;
      const { places } = regionGrid(detector.settings, [128, 128], [32, 32])!;
      assertEquals(coverage!.patches, places.length * MANY.length);
      const allowed = new Set(places);
      for (let i = 0; i < origin.length; i += 3) {
        assert(allowed.has(origin[i + 1]! * 32 + origin[i + 2]!));
      }
    },
  );
}

gpuTest(
  "A model keeps its region: saved, moved, appended to, of images twice as large",
  async (gpu) => {
    using detector = await create(gpu);
    await detector.fit(train.slice(0, 3));
    const bytes = detector.save({ bundle: true });
    assertEquals(readModelFile(bytes).settings["region"], REGION);
    using loaded = await PatchCore.load(bytes, { gpu, batch: 4 });
    assertEquals(
      (await scored(loaded, test)).map(said),
      (await scored(detector, test)).map(said),
    );
    await loaded.append(train.slice(3));
    assertEquals(loaded.settings.region, REGION);
    assertEquals(
      (await scored(loaded, disturbed(test))).map(said),
      (await scored(loaded, test)).map(said),
    );
    const large = (image: Pixels): Pixels => {
      const [columns, rows] = [2 * image.width, 2 * image.height];
      const words = new Uint32Array(Uint8Array.from(image.data).buffer);
      const data = Uint32Array.from({ length: columns * rows }, (_, i) => {
        const [x, y] = [i % columns >> 1, Math.floor(i / columns) >> 1];
        return words[y * image.width + x]!;
      });
      return {
        width: columns,
        height: rows,
        data: new Uint8Array(data.buffer),
      };
    };
    const images = test.map(({ name, content }) => ({
      name,
      content: large(content as Pixels),
    }));
    for (const { map } of await scored(loaded, images)) {
      assertEquals(map.unseen, 64 * 64 - grid(REGION).pixels.length);
    }
    const narrow = { width: width!, height: height! / 2 };
    const data = new Uint8Array(narrow.width * narrow.height * 4);
    await assertRejects(
      () => scored(loaded, [{ name: "narrow", content: { ...narrow, data } }]),
      RangeError,
      `the region to inspect was drawn for ${width} × ${height}`,
    );
  },
);

gpuTest(
  "Models of different regions are neither merged nor made an ensemble",
  async (gpu) => {
    const other = drawRegion({
      ...REGION,
      roi: [{ kind: "box", x: 0, y: 0, width: 100, height: 100 }],
      ignore: [],
    });
    const models: { name: string; model: StoredModel }[] = [];
    for (const [i, region] of [REGION, other].entries()) {
      using detector = await create(gpu, { region });
      await detector.fit(train);
      models.push({ name: `part ${i + 1}`, model: detector.model });
    }
    await assertRejects(
      () => mergeModels(models, { gpu }),
      ModelFileError,
      "they were fitted with region",
    );
    assertThrows(
      () =>
        writeEnsembleFile({
          members: models.map(({ model }) => model),
          softwareVersion: "0",
        }),
      ModelFileError,
      "member 1 was fitted with region",
    );
  },
);

gpuTest(
  "Ensemble.predict() leaves the region out of its joint maps",
  async (gpu) => {
    using ensemble = await Ensemble.create({
      ...{ ...TINY_SETTINGS, region: REGION, allowRandom: true, gpu, batch: 4 },
      backbones: [tinyBackbone(1), tinyBackbone(2)],
    });
    await ensemble.fit(train);
    const results = await scored(ensemble, test);
    assertEquals(
      (await scored(ensemble, disturbed(test))).map(said),
      results.map(said),
    );
    const known = results[0]!.map.data.filter(Number.isFinite).length;
    assertEquals(known, grid(REGION).pixels.length);
  },
);

gpuTest(
  "PatchCore.setMinArea() makes regions of the map confirm a verdict, and is kept",
  async (gpu) => {
    using detector = await create(gpu);
    await detector.fit(train);
    const score = detector.model.threshold!.value;
    detector.setThresholds({ score: score / 1e3, map: 1e-6 });
    const labels = async (from: PatchCore): Promise<unknown> =>
      (await scored(from, test)).map(({ label }) => label);
    assertEquals(await labels(detector), test.map(() => "anomalous"));
    // The map is above that in all of the region.
    detector.setMinArea(1000);
    assertEquals(await labels(detector), test.map(() => "anomalous"));
    detector.setMinArea(width! * height!);
    assertEquals(await labels(detector), test.map(() => "uncertain"));
    using loaded = await PatchCore.load(detector.save({ bundle: true }), {
      gpu,
    });
    assertEquals(loaded.model.minArea, width! * height!);
    assertEquals(await labels(loaded), test.map(() => "uncertain"));
    // No score is above the threshold, the map says otherwise.
    detector.setThresholds({ score: score * 1e3, map: 1e-6 });
    detector.setMinArea(1000);
    assertEquals(await labels(detector), test.map(() => "uncertain"));
    detector.setMinArea(width! * height!);
    assertEquals(await labels(detector), test.map(() => "normal"));
    detector.setMinArea(undefined);
    assertEquals(detector.model.minArea, undefined);
    assertThrows(() => detector.setMinArea(0.5), RangeError, "whole pixels");
  },
);
