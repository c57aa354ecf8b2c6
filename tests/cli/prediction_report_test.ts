import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { predict } from "../../src/cli/predict.ts";
import { imageCurves } from "../../src/core/report/mod.ts";
import { encodePng } from "../../src/core/images/png.ts";
import type { ReportRow } from "../../src/core/report/mod.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";
import { gpuTest } from "../testing.ts";
import { tinyBackbone, tinyImages } from "../tiny_model.ts";
import { runCommand } from "./run_command.ts";
import { withFiles } from "./with_files.ts";

gpuTest(
  "predict --report writes a page of a dataset's test images",
  async () => {
    await withFiles([], async (root) => {
      const { train, test } = tinyImages(3);
      for (const { name, content } of [...train, ...test]) {
        const path = `${root}/${name}`;
        await Deno.mkdir(path.replace(/[^/]*$/, ""), { recursive: true });
        await Deno.writeFile(path, await encodePng(content as Pixels));
      }
      await Deno.writeFile(`${root}/tiny.onnx`, tinyBackbone().bytes);
      const model = `${root}/flange.safetensors`;
      const fitted = await runCommand(
        fit,
        `${root}/flange`,
        "--model",
        model,
        "--backbone",
        `${root}/tiny.onnx`,
        ..."--allow-random --resize 64 --square --no-crop --layers layer1,layer2 --dim concat"
          .split(" "),
      );
      assertEquals(fitted.code, 0, fitted.stderr);
      const out = `${root}/out`;
      const { code, stderr } = await runCommand(
        predict,
        ...[`${root}/flange`, "--model", model, "--out", out, "--report"],
      );
      assertEquals(code, 0, stderr);
      const page = await Deno.readTextFile(`${out}/report.html`);
      assertEquals(page.match(/<article/g)?.length, test.length);
      assertEquals(page.match(/Nearest training patch: [^<]*good/g)?.length, 8);
      assertStringIncludes(page, "AUROC");
      assertStringIncludes(page, "the whole image");
      assertMatch(page, /really anomalous \(rust\)/);
    });
  },
);

gpuTest("predict refuses --report without --out", async () => {
  const run = await runCommand(predict, "a.png", "--model", "m", "--report");
  assertEquals(run.code, 2);
  assertStringIncludes(run.stderr, "name a folder with --out DIR");
});

Deno.test("imageCurves() needs both kinds of images", () => {
  const row = (score: number, truth?: ReportRow["truth"]): ReportRow =>
    ({ score, ...(truth && { truth }) }) as ReportRow;
  assertEquals(imageCurves([row(1), row(2, "normal")]), []);
  const [curve] = imageCurves([row(1, "normal"), row(2, "anomalous"), row(9)]);
  assertEquals(curve?.area, "AUROC 1.0000");
  assertEquals(curve?.points, [[0, 0], [0, 1], [1, 1]]);
});
