import { assertEquals, assertRejects } from "@std/assert";
import {
  DetectorSet,
  Ensemble,
  ModelFileError,
  PatchCore,
} from "../../../src/core/mod.ts";
import { Backbone } from "../../../src/core/features/backbone.ts";
import { gpuTest } from "../../testing.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyDetector,
  tinyImages,
} from "../../tiny_model.ts";

async function scores(detector: PatchCore | Ensemble): Promise<number[]> {
  const found: number[] = [];
  for await (const { score } of detector.predict(tinyImages(1).test)) {
    found.push(score);
  }
  return found;
}

gpuTest(
  "DetectorSet shares a backbone between models and scores as without",
  async (gpu) => {
    using first = await tinyDetector(gpu, 3);
    using second = await tinyDetector(gpu, 2);
    using set = await DetectorSet.create();
    let fetched = 0;
    const backbone = () => {
      fetched++;
      return Promise.resolve(tinyBackbone());
    };
    for (const detector of [first, second]) {
      const loaded = await set.load(detector.save(), { backbone, batch: 2 });
      assertEquals(await scores(loaded), await scores(detector));
    }
    assertEquals([set.backbones, fetched], [1, 1]);
    const bundle = first.save({ bundle: true });
    await set.load(bundle, { precision: "f16" });
    assertEquals([set.backbones, fetched], [2, 1]);
  },
);

gpuTest(
  "DetectorSet shares a backbone with an ensemble's member",
  async (gpu) => {
    const backbones = [tinyBackbone(1), tinyBackbone(2)];
    using ensemble = await Ensemble.create({
      ...TINY_SETTINGS,
      backbones,
      allowRandom: true,
      gpu,
    });
    await ensemble.fit(tinyImages(3).train);
    using single = await tinyDetector(gpu, 3);
    using set = await DetectorSet.create();
    const one = await set.load(single.save({ bundle: true }), { batch: 2 });
    const both = await set.load(ensemble.save({ bundle: true }), { batch: 2 });
    assertEquals(set.backbones, 2);
    assertEquals(await scores(one), await scores(single));
    assertEquals(await scores(both), await scores(ensemble));
  },
);

gpuTest(
  "DetectorSet loads a backbone once for models that are loaded together",
  async (gpu) => {
    using detector = await tinyDetector(gpu, 3);
    await using set = await DetectorSet.create();
    let fetched = 0;
    const backbone = async () => {
      if (fetched++ === 0) throw new Error("no connection");
      return await Promise.resolve(tinyBackbone());
    };
    const load = () => set.load(detector.save(), { backbone });
    await assertRejects(load, Error, "no connection");
    const both = await Promise.all([load(), load()]);
    assertEquals([set.backbones, fetched], [1, 2]);
    const wanted = await scores(detector);
    assertEquals(await Promise.all(both.map(scores)), [wanted, wanted]);
  },
);

gpuTest("DetectorSet.load() says which backbone is missing", async (gpu) => {
  using detector = await tinyDetector(gpu, 2);
  using set = await DetectorSet.create();
  await assertRejects(
    () => set.load(detector.save()),
    ModelFileError,
    'fitted with backbone "tiny"',
  );
});

gpuTest(
  "PatchCore.load() refuses a backbone of another device or other layers",
  async (gpu) => {
    using detector = await tinyDetector(gpu, 2);
    const { layers = [] } = TINY_SETTINGS;
    using backbone = await Backbone.load(gpu, tinyBackbone(), {
      layers,
      allowRandom: true,
    });
    await assertRejects(
      () => PatchCore.load(detector.save(), { shared: backbone }),
      TypeError,
      "another device",
    );
    using other = await Backbone.load(gpu, tinyBackbone(), {
      layers: ["layer1"],
      allowRandom: true,
    });
    await assertRejects(
      () => PatchCore.load(detector.save(), { shared: other, gpu }),
      TypeError,
      "tapped at layer1",
    );
  },
);
