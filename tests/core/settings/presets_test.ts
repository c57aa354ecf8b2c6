import { assertEquals } from "@std/assert";
import { PRESETS } from "../../../src/core/settings/presets.ts";

Deno.test("PRESETS differ in exactly the switches the design lists", () => {
  const { paper, reference, anomalib } = PRESETS;
  assertEquals(
    [paper.distance, reference.distance, anomalib.distance],
    ["euclidean", "squared", "euclidean"],
  );
  assertEquals(
    [paper.reweight, reference.reweight, anomalib.reweight],
    [9, 0, 9],
  );
  assertEquals([paper.crop, reference.crop, anomalib.crop], [224, 224, null]);
  assertEquals(
    [paper.coreset.start, reference.coreset.start, anomalib.coreset.start],
    ["random", "mean-of-10", "random"],
  );
  assertEquals(anomalib.layerDim, "channels");
  assertEquals(anomalib.dim, "concat");
  assertEquals(anomalib.map, {
    interpolation: "nearest",
    sigma: 4,
    border: "reflect",
  });
  assertEquals(reference.map, paper.map);
  assertEquals(reference.layerDim, 1024);
});
