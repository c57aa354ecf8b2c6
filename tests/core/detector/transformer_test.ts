import { assert, assertEquals, assertRejects } from "@std/assert";
import type { BackboneFile, NamedImage } from "../../../src/core/mod.ts";
import { PatchCore } from "../../../src/core/mod.ts";
import type { SettingsOptions } from "../../../src/core/settings/settings.ts";
import { gpuTest, type SharedPath } from "../../testing.ts";
import { tinyImages } from "../../tiny_model.ts";

const SETTINGS: SettingsOptions = {
  resize: 56,
  square: true,
  crop: null,
  layers: ["blocks.0", "blocks.last.raw"],
  layerDim: "channels",
  dim: "concat",
  coreset: { method: "none" },
  reweight: 0,
};

async function backbone(shared: SharedPath): Promise<BackboneFile> {
  const bytes = await Deno.readFile(
    shared("golden", "vit", "dinov2_hf.op14.onnx"),
  );
  return { name: "tiny transformer", bytes };
}

gpuTest(
  "a detector fits and predicts with the blocks of a transformer",
  async (gpu, _t, shared) => {
    const file = await backbone(shared);
    const { train: good, test } = tinyImages(4);
    const bad = test.filter(({ defect }) => defect !== undefined);
    using detector = await PatchCore.create({
      ...SETTINGS,
      ...{ gpu, backbone: file, allowRandom: true },
    });
    const report = await detector.fit(good);
    assertEquals(report.bankRows, good.length * 16);
    const scores = async (
      from: PatchCore,
      images: readonly NamedImage[],
    ): Promise<number[]> => {
      const all = await Array.fromAsync(from.predict(images));
      return all.map(({ score }) => score);
    };
    // Every row of the bank is a patch of a good image.
    const [own, other] = [
      await scores(detector, good.slice(0, 3)),
      await scores(detector, bad),
    ];
    assert(Math.max(...own) < 0.01 * Math.min(...other), `${own} and ${other}`);
    using loaded = await PatchCore.load(detector.save({ bundle: true }), {
      gpu,
      allowRandom: true,
    });
    assertEquals(await scores(loaded, bad), other);
  },
  { shared: true },
);

gpuTest(
  "a detector refuses sizes that are no multiple of a transformer's patch",
  async (gpu, _t, shared) => {
    await assertRejects(
      async () =>
        await PatchCore.create({
          ...SETTINGS,
          ...{ resize: 64, gpu, backbone: await backbone(shared) },
          allowRandom: true,
        }),
      Error,
      "it cuts them into patches of 14 × 14; give a multiple of 14 on every side, by --resize and --crop or --square",
    );
  },
  { shared: true },
);
