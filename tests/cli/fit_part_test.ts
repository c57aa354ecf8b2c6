import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  fitPart,
  foundPart,
  type Part,
  removeSteps,
} from "../../src/cli/fit_part.ts";
import {
  type NamedImage,
  PatchCore,
  writeModelFile,
} from "../../src/core/mod.ts";
import { gpuTest } from "../testing.ts";
import { TINY_SETTINGS, tinyBackbone, tinyImages } from "../tiny_model.ts";
import { FakeTerminal } from "./fake_terminal.ts";

const IMAGES = tinyImages(70).train;
const PART: Part = {
  shard: [2, 3],
  paths: IMAGES.map(({ name }) => name),
  list: "1".repeat(64),
  key: "2".repeat(64),
};

gpuTest("fitPart() goes on behind the steps that are whole", async (gpu) => {
  const folder = await Deno.makeTempDir();
  using detector = await PatchCore.create({
    ...TINY_SETTINGS,
    ...{ coreset: 0.02, backbone: tinyBackbone(), allowRandom: true, gpu },
    ...{ batch: 4, thresholdImages: 12 },
  });
  const fitted: number[] = [];
  const work = (resume: string | undefined, most: number) => ({
    ...{ detector, part: PART, images: IMAGES },
    fit: async (
      images: readonly NamedImage[],
      shard: readonly [number, number],
    ) => {
      if (fitted.length === most) throw new Error("the plug was pulled");
      fitted.push(images.length);
      return await detector.fit(images, { shard });
    },
    values: { resume, bankPrecision: "f32" as const },
    bundle: false,
    terminal: new FakeTerminal().terminal,
  });
  const steps = `${folder}/steps`;
  try {
    await assertRejects(() => fitPart(work(steps, 1)), Error, "the plug");
    assertEquals(fitted, [35]);
    assertEquals([...Deno.readDirSync(steps)].map(({ name }) => name), [
      "part-2-of-3-step-1-of-2.safetensors",
    ]);
    const { model, report } = await fitPart(work(steps, 2));
    assertEquals(fitted, [35, 35]);
    assertEquals(model.imageNames, PART.paths);
    assertEquals(model.coverage!.shard, "2/3");
    assertEquals([report.images, report.bankRows], [70, model.rows]);
    // Two steps carry no more than a part does: 12 images of 3 parts.
    assertEquals(model.sample!.images.length, 4);
    // All of it anew is the same, to the byte.
    fitted.length = 0;
    const again = await fitPart(work(`${folder}/other`, 9));
    assertEquals(fitted, [35, 35]);
    assertEquals(writeModelFile(again.model), writeModelFile(model));
    const whole = await fitPart(work(undefined, 9));
    assertEquals(whole.model.rows, model.rows);
    assert(whole.model.coverage!.radius! > 0);
    await removeSteps(steps, PART);
    assertEquals((await foundPart(steps, PART.key)).kind, "nothing");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

gpuTest("foundPart() tells a finished part from all else", async (gpu) => {
  using detector = await PatchCore.create({
    ...TINY_SETTINGS,
    ...{ backbone: tinyBackbone(), allowRandom: true, gpu },
  });
  await detector.fit(IMAGES.slice(0, 3));
  const path = await Deno.makeTempFile();
  try {
    const { model } = detector;
    const { list, key } = PART;
    const coverage = { ...model.coverage!, shard: "2/3", list, key };
    const part = writeModelFile({ ...model, coverage });
    const damaged = part.slice();
    damaged[damaged.length - 100]! ^= 1;
    for (
      const [bytes, wanted, kind] of [
        [part, key, "finished"],
        [part, "3".repeat(64), "other"],
        [part.subarray(0, 5000), key, "other"],
        [damaged, key, "other"],
        [writeModelFile(model), key, "whole"],
      ] as const
    ) {
      await Deno.writeFile(path, bytes);
      assertEquals((await foundPart(path, wanted)).kind, kind);
    }
  } finally {
    await Deno.remove(path);
  }
});
