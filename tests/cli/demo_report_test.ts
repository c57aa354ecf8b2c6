import { assertEquals, assertStringIncludes } from "@std/assert";
import { DemoReport } from "../../src/cli/demo_report.ts";
import { PatchCore } from "../../src/core/mod.ts";
import { somePrediction } from "../core/report/some_prediction.ts";
import { gpuTest } from "../testing.ts";
import { tinyBackbone } from "../tiny_model.ts";

gpuTest("DemoReport draws the curves of each product", async () => {
  const report = new DemoReport();
  for (const group of ["flange", "fabric"]) {
    const category = report.category(group);
    for (const [name, score] of [["good.png", 1], ["bent.png", 3]] as const) {
      const prediction = somePrediction(`${group}/${name}`, score);
      const { width, height } = prediction.map;
      const grey = new Uint8ClampedArray(width * height);
      grey[17] = 255; // the pixel that somePrediction() makes hot
      const mask = { width, height, grey };
      category.add(prediction, score > 2 ? mask : undefined);
    }
    category.finish();
  }
  using detector = await PatchCore.create({
    backbone: tinyBackbone(),
    allowRandom: true,
  });
  const page = await report.render(detector);
  assertEquals(page.match(/<article/g)?.length, 4);
  for (const group of ["flange", "fabric"]) {
    assertStringIncludes(
      page,
      `${group}: Image ROC AUROC 1.0000, Pixel ROC AUROC 1.0000, Per-region overlap AUPRO up to 30 % 1.0000`,
    );
  }
});
