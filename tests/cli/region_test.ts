import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { predict } from "../../src/cli/predict.ts";
import { evaluate } from "../../src/cli/evaluate.ts";
import { UsageError } from "../../src/cli/exit.ts";
import { regionOf } from "../../src/cli/region_options.ts";
import { defectRegions, PatchCore, readModelFile } from "../../src/core/mod.ts";
import { Region } from "../../src/core/images/region.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { demoSet } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";
import { programTest, runCommand } from "./run_command.ts";
import { startService } from "./serve/service_process.ts";
import { imageBody } from "./serve/fake_service.ts";

/** Writes a mask that marks a box. */
async function writeMask(
  path: string,
  [x, y, width, height]: readonly [number, number, number, number],
  { side = 256, level = 255 } = {},
): Promise<void> {
  const grey = new Uint8Array(side * side);
  for (let row = y; row < y + height; row++) {
    grey.fill(level, row * side + x, row * side + x + width);
  }
  const image = { width: side, height: side, grey };
  await Deno.writeFile(path, await encodePng(image));
}

async function withFolder(fn: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    await fn(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("regionOf() reads boxes, polygons and masks", async () => {
  await withFolder(async (root) => {
    const image = `${root}/image.png`;
    await writeMask(image, [0, 0, 9, 9], { side: 16 });
    const rows = async (roi?: string[], ignore?: string[]) => {
      const region = await regionOf({ roi, ignore }, image);
      assertEquals([region!.width, region!.height], [16, 16]);
      const bitmap = new Region(region!).bitmap();
      return bitmap.reduce((sum, bit) => sum + bit, 0);
    };
    assertEquals(
      await regionOf({ roi: undefined, ignore: undefined }, image),
      undefined,
    );
    assertEquals(await rows(["2,3,4,5"]), 20);
    assertEquals(await rows(["2,3,4,5", "6,3,1,5"], ["2,3,1,1"]), 24);
    const [json, several, text, grey, numbers] = [
      ...["one.json", "several.json", "lines.txt", "grey.png", "numbers.png"],
    ].map((name) => `${root}/${name}`) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const square = [[1, 1], [5, 1], [5, 5], [1, 5]];
    await Deno.writeTextFile(json, JSON.stringify(square));
    await Deno.writeTextFile(
      several,
      JSON.stringify([square, [[8, 8], [10, 8], [10, 10], [8, 10]]]),
    );
    await Deno.writeTextFile(text, "1,1\n5 1\r\n5; 5\n1\t5\n\n");
    assertEquals(await rows([json]), 16);
    assertEquals(await rows([several]), 20);
    assertEquals(await rows(undefined, [text]), 256 - 16);
    await writeMask(grey, [3, 3, 4, 4], { side: 16, level: 200 });
    await writeMask(numbers, [3, 3, 4, 5], { side: 16, level: 1 });
    assertEquals(await rows([grey]), 16);
    assertEquals(await rows([numbers]), 20);
    assertEquals(
      (await regionOf({ roi: [grey], ignore: ["0,0,4,4"] }, undefined))!.roi,
      [grey],
    );

    const refused = (roi: string, message: string) =>
      assertRejects(
        () => regionOf({ roi: [roi], ignore: undefined }, image),
        UsageError,
        message,
      );
    await refused("1,2,3", "expected x,y,width,height in whole pixels");
    await refused("1,2,3,-4", "expected x,y,width,height in whole pixels");
    await refused("1.5,2,3,4", "expected x,y,width,height in whole pixels");
    await refused("10,10,7,2", "inside of 16 × 16");
    await Deno.writeTextFile(json, '{"points": 1}');
    await refused(json, "expected corners of a polygon");
    await Deno.writeTextFile(text, "1,1\nright,2\n");
    await refused(text, "expected corners of a polygon");
    await writeMask(grey, [3, 3, 4, 4], { side: 8 });
    await assertRejects(
      () => regionOf({ roi: [grey, numbers], ignore: undefined }, image),
      UsageError,
      "the images have 8 × 8",
    );
  });
});

programTest(
  "fit --roi --ignore --min-area: a moved model, predict, serve and evaluate agree",
  async (t) => {
    await withFolder(async (root) => {
      await Deno.mkdir(`${root}/part/train/good`, { recursive: true });
      await Deno.mkdir(`${root}/part/test/good`, { recursive: true });
      await Deno.mkdir(`${root}/part/test/bad`, { recursive: true });
      const images: string[] = [];
      const set = demoSet(FLANGE, { train: 4, good: 1, defective: 1 });
      for (const { path, split, pixels, defect } of set) {
        const name = path.replaceAll("/", "-");
        const folder = defect ? "test/bad" : `${split}/good`;
        const file = `${root}/part/${folder}/${name}`;
        await Deno.writeFile(file, await encodePng(pixels));
        if (split === "test") images.push(file);
      }
      const label = `${root}/label.png`;
      await writeMask(label, [180, 30, 40, 20]);
      const made = `${root}/made.safetensors`;
      const { stderr, code } = await runCommand(
        fit,
        ...[`${root}/part`, "--model", made, "--backbone", "demo"],
        ...["--no-crop", "--resize", "128", "--coreset", "0.05"],
        ...["--roi", "20,10,216,236", "--ignore", label, "--min-area", "30"],
        ...["--bundle", "--false-alarms", "0.4"],
      );
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "Inspects 76.6 % of 256 × 256 pixels");
      await Deno.mkdir(`${root}/moved`);
      const model = `${root}/moved/m.safetensors`;
      await Deno.rename(made, model);
      await Deno.remove(label);
      const bytes = await Deno.readFile(model);
      assertEquals(readModelFile(bytes).minArea, 30);

      const out = `${root}/out`;
      const run = await runCommand(
        predict,
        ...[`${root}/part`, "--model", model, "--json", "--out", out],
        ...["--csv", "--coco", "--report", "--overlay"],
      );
      assertEquals(run.code, 0, run.stderr);
      const records = run.stdout.trim().split("\n")
        .map((line) => JSON.parse(line));
      assertEquals(records.length, images.length);

      await t.step("JSON has the library's regions and verdicts", async () => {
        using detector = await PatchCore.load(bytes);
        let regions = 0;
        for (const record of records) {
          const content = await Deno.readFile(record.image_path);
          const [prediction] = await Array.fromAsync(
            detector.predict([content]),
          );
          const { map, label, score } = prediction!;
          assertEquals(record.pred_label, label);
          assertEquals(record.pred_score, score);
          assertEquals(record.map.min_area, 30);
          assert(Number.isFinite(record.map.max));
          assertEquals(
            record.regions.map((region: Record<string, number>) => [
              ...[region["x"], region["y"], region["area"], region["peak_x"]],
            ]),
            defectRegions(map).map(({ x, y, area, peakX }) => [
              ...[x, y, area, peakX],
            ]),
          );
          regions += record.regions.length;
        }
        assert(regions > 0);
      });
      await t.step("CSV and COCO list the same regions", async () => {
        const csv = await Deno.readTextFile(`${out}/regions.csv`);
        const all = records.flatMap((record) =>
          record.regions.map((region: Record<string, number>) =>
            [
              ...[record.image_path, region["x"], region["y"]],
              ...[region["width"], region["height"], region["area"]],
              ...[region["peak"], region["peak_x"], region["peak_y"]],
            ].join()
          )
        );
        assertEquals(csv.trim().split("\r\n").slice(1), all);
        const coco = JSON.parse(
          await Deno.readTextFile(`${out}/regions.coco.json`),
        );
        assertEquals(coco.images.length, records.length);
        assertEquals(coco.annotations.length, all.length);
        for (
          const { id, image_id, bbox, area, segmentation } of coco.annotations
        ) {
          const { file_name } = coco.images[image_id - 1];
          const line = all[id - 1]!;
          assertEquals(
            line.startsWith([file_name, ...bbox, area].join()),
            true,
            line,
          );
          assert(
            segmentation[0].length >= 6 && segmentation[0].length % 2 === 0,
          );
        }
        const report = await Deno.readTextFile(`${out}/report.html`);
        assertStringIncludes(report, "Inspected of each image");
        assertStringIncludes(report, "76.6 % of 256 × 256 pixels");
        assertStringIncludes(report, "above the maps' threshold");
        assert(!report.includes("&quot;runs&quot;: ["));
      });
      await t.step("serve answers with the same records", async () => {
        const service = await startService("--model", model);
        try {
          const { models } = await (await fetch(`${service.url}/models`))
            .json();
          assertEquals(models[0].min_area, 30);
          assertEquals(models[0].settings.region.roi, ["20,10,216,236"]);
          for (const record of records) {
            const body = imageBody(await Deno.readFile(record.image_path));
            const response = await fetch(`${service.url}/predict`, body);
            const { ms: _, image_path: _path, ...served } = await response
              .json();
            const { ms: _ms, image_path: _image, ...own } = record;
            assertEquals(served, own);
          }
        } finally {
          await service.stop("SIGTERM");
        }
      });
      await t.step("evaluate counts the same verdicts", async () => {
        const { code, stdout, stderr } = await runCommand(
          evaluate,
          ...[`${root}/part`, "--model", model, "--json"],
        );
        assertEquals(code, 0, stderr);
        const [record] = stdout.trim().split("\n")
          .map((line) => JSON.parse(line));
        const wrong = records.filter(({ image_path, pred_label }) =>
          image_path.includes("/good/") && pred_label === "anomalous"
        );
        const rate = wrong.length /
          records.filter(({ image_path }) => image_path.includes("/good/"))
            .length;
        assertEquals(record.false_alarm_rate, rate);
      });
      await t.step("--append takes the region, and no other", async () => {
        const more = [`${root}/part`, "--append", model, "--model"];
        const { code, stderr } = await runCommand(
          fit,
          ...[...more, `${root}/more.safetensors`],
        );
        assertEquals(code, 0, stderr);
        const added = readModelFile(
          await Deno.readFile(`${root}/more.safetensors`),
        );
        const { settings, minArea } = readModelFile(bytes);
        assertEquals([added.settings["region"], added.minArea], [
          settings["region"],
          minArea,
        ]);
        const other = await runCommand(
          fit,
          ...[...more, `${root}/x.safetensors`, "--roi", "0,0,50,50"],
        );
        assertEquals(other.code, 2);
        assertStringIncludes(other.stderr, "with region");
      });
    });
  },
);
