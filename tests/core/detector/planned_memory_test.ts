import { assert, assertEquals } from "@std/assert";
import type { LoadOptions, PatchCoreOptions } from "../../../src/core/mod.ts";
import {
  planFit,
  type PlannedMemory,
  planPredict,
} from "../../../src/core/detector/planned_memory.ts";
import { PatchCore, readModelFile } from "../../../src/core/mod.ts";
import type { NamedImage } from "../../../src/core/mod.ts";
import type { SettingsOptions } from "../../../src/core/settings/settings.ts";
import { withOwnGpu } from "../../gpu/own_gpu.ts";
import { sharedTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyBackbone, tinyImages } from "../../tiny_model.ts";

const TOLERANCE = 0.05;

function assertPlanned(planned: PlannedMemory, measured: number): void {
  const parts = Object.values(planned.parts).reduce((a, b) => a + b, 0);
  assertEquals(parts, planned.bytes);
  const off = Math.abs(planned.bytes / measured - 1);
  assert(
    off <= TOLERANCE,
    `planned ${planned.bytes} bytes, measured ${measured}`,
  );
}

/** Plans, then does a fit and a prediction, and compares. */
async function compare(
  backbone: NonNullable<LoadOptions["backbone"]>,
  settings: SettingsOptions,
  { images, width, height }: {
    readonly images: readonly NamedImage[];
    readonly width: number;
    readonly height: number;
  },
): Promise<void> {
  const options: PatchCoreOptions = {
    ...settings,
    backbone,
    batch: 8,
    allowRandom: true,
  };
  const size = { width, height };
  const count = images.length;
  const model = await withOwnGpu(async (gpu) => {
    const planned = await planFit(gpu, options, { count, ...size });
    assertEquals(gpu.pool.bytes, 0, "planning allocated memory");
    using detector = await PatchCore.create({ ...options, gpu });
    const report = await detector.fit(images);
    assertPlanned(planned, report.peakGpuBytes);
    assertEquals(readModelFile(planned.model).rows, report.bankRows);
    return detector.save();
  });
  await withOwnGpu(async (gpu) => {
    const load = { backbone, batch: 1 };
    const planned = await planPredict(gpu, model, load, { count: 1, ...size });
    using loaded = await PatchCore.load(model, { ...load, gpu });
    const predictions = loaded.predict(images.slice(0, 1));
    while (!(await predictions.next()).done);
    assertPlanned(planned, gpu.peakBytes);
  });
}

for (const preset of ["paper", "reference", "anomalib"] as const) {
  Deno.test(
    `planFit() and planPredict() say what a small ${preset} fit and prediction allocate`,
    async () => {
      const { train } = tinyImages(11);
      const { width, height } = train[0]!.content as ImageData;
      const settings = { preset, ...TINY_SETTINGS };
      await compare(tinyBackbone(), settings, {
        images: train,
        width,
        height,
      });
    },
  );
}

for (const coreset of ["random", "none"] as const) {
  Deno.test(
    `planFit() follows a coreset of the method ${coreset}`,
    async () => {
      const { train } = tinyImages(3);
      const { width, height } = train[0]!.content as ImageData;
      const settings = { ...TINY_SETTINGS, coreset: { method: coreset } };
      await compare(tinyBackbone(), settings, {
        images: train,
        width,
        height,
      });
    },
  );
}

Deno.test("planFit() and planPredict() follow tiles", async () => {
  const { train } = tinyImages(3);
  const { width, height } = train[0]!.content as ImageData;
  const { resize: _, square: __, crop: ___, ...features } = TINY_SETTINGS;
  const settings = { ...features, tiles: { side: 128, overlap: 16 } };
  await compare(tinyBackbone(), settings, { images: train, width, height });
});

sharedTest(
  "planFit() and planPredict() say what ResNet-18 allocates",
  async (_, shared) => {
    const folder = shared("data", "transistor_256", "train", "good");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    const images = names.sort().slice(0, 9).map((name) => ({
      name,
      content: () => Deno.readFile(`${folder}/${name}`),
    }));
    const bytes = await Deno.readFile(
      shared("data", "models", "resnet18.onnx"),
    );
    await compare({ name: "resnet18", bytes }, { coreset: 0.01 }, {
      images,
      width: 256,
      height: 256,
    });
  },
);
