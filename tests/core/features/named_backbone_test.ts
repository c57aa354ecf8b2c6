import { assertEquals, assertRejects } from "@std/assert";
import {
  ModelFileError,
  PatchCore,
  setBackboneResolver,
} from "../../../src/core/mod.ts";
import { gpuTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyBackbone, tinyImages } from "../../tiny_model.ts";

gpuTest("PatchCore finds backbones by name when told how", async (gpu) => {
  const asked: string[] = [];
  const options = { gpu, allowRandom: true, ...TINY_SETTINGS };
  await assertRejects(
    () => PatchCore.create({ backbone: "tiny", ...options }),
    TypeError,
    'Cannot find backbone "tiny": give its ONNX file as { name, bytes }',
  );
  try {
    setBackboneResolver((name) => {
      asked.push(name);
      return Promise.resolve({ ...tinyBackbone(), source: "tiny" });
    });
    using detector = await PatchCore.create({ backbone: "tiny", ...options });
    await detector.fit(tinyImages(3).train);
    const model = detector.save();
    using again = await PatchCore.load(model, { gpu });
    assertEquals(again.model.threshold, detector.model.threshold);
    assertEquals(asked, ["tiny", "tiny"]);
    setBackboneResolver(undefined);
    await assertRejects(
      () => PatchCore.load(model, { gpu }),
      ModelFileError,
      "does not contain it; give that ONNX file",
    );
  } finally {
    setBackboneResolver(undefined);
  }
});

gpuTest(
  "mod.ts finds backbones by the names the program knows",
  async (gpu) => {
    const library = await import("../../../mod.ts");
    using detector = await library.PatchCore.create({ backbone: "demo", gpu });
    assertEquals(detector.settings.layers, ["layer2", "layer3"]);
    await assertRejects(
      () => library.PatchCore.create({ backbone: "demmo", gpu }),
      Error,
      'Unknown backbone "demmo"',
    );
  },
);
