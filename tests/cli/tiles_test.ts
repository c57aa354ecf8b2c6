import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { evaluate } from "../../src/cli/evaluate.ts";
import { fit } from "../../src/cli/fit.ts";
import { info } from "../../src/cli/info.ts";
import { predict } from "../../src/cli/predict.ts";
import { demoSet } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";
import { readModelFile } from "../../src/core/model/model_file.ts";
import { tinyBackbone } from "../tiny_model.ts";
import { withDemoDataset, writeImage } from "./demo_dataset.ts";
import { programTest, runCommand } from "./run_command.ts";

const [DRAWN] = [...demoSet(FLANGE, { train: 1, good: 0, defective: 0 })];
const SIDE = DRAWN!.pixels.width;

programTest("tiles go through fit, predict, evaluate and info", async (t) => {
  await withDemoDataset({ train: 3, good: 1, defective: 1 }, async (root) => {
    const backbone = `${root}/tiny.onnx`;
    await Deno.writeFile(backbone, tinyBackbone().bytes);
    const model = `${root}/model.safetensors`;
    const features = ["--layers=layer1,layer2", "--dim=24", "--coreset=0.02"];
    const options = ["--backbone", backbone, "--no-autotune"];
    const tiles = ["--tile=128", "--overlap=32"];
    const train = `${root}/flange/train/good`;
    const across = Math.ceil((SIDE - 128) / 96) + 1;
    await t.step("fit tells them and stores them", async () => {
      const { code, stdout, stderr } = await runCommand(
        fit,
        ...[train, "--model", model, "--bundle", "--json", "--allow-random"],
        ...[...features, ...options, ...tiles],
      );
      assertEquals(code, 0, stderr);
      assertStringIncludes(
        stderr,
        `3 images of ${across * across} tiles each, 8 tiles at once, `,
      );
      const record = JSON.parse(stdout);
      assertEquals(record.patches, 3 * across * across * 32 * 32);
      const { settings } = readModelFile(await Deno.readFile(model));
      assertEquals(settings["tiles"], {
        ...{ side: 128, overlap: 32, scale: 1, banks: "shared" },
      });
    });
    await t.step("predict sees all of an image, of any size", async () => {
      const { code, stdout, stderr } = await runCommand(
        predict,
        ...[`${root}/flange/test`, "--model", model, "--json"],
        ...["--out", `${root}/out`, "--maps=npy", "--overlay"],
      );
      assertEquals(code, 0, stderr);
      const records = stdout.trim().split("\n").map((line) => JSON.parse(line));
      assert(records.length >= 2);
      for (const { seen, map } of records) {
        assertEquals(seen, { x: 0, y: 0, width: SIDE, height: SIDE });
        assertEquals([map.width, map.height], [SIDE, SIDE]);
      }
    });
    await t.step("evaluate follows the model", async () => {
      const { code, stdout, stderr } = await runCommand(
        evaluate,
        ...[`${root}/flange`, "--model", model, "--json"],
      );
      assertEquals(code, 0, stderr);
      const [record] = stdout.trim().split("\n").map((l) => JSON.parse(l));
      assert(record.pixel_auroc > 0 && record.pixel_auroc <= 1);
    });
    await t.step("evaluate fits in tiles", async () => {
      const { code, stdout, stderr } = await runCommand(
        evaluate,
        ...[`${root}/flange`, "--json", "--scale=0.5", "--tile=96"],
        ...["--allow-random"],
        ...[...features, ...options],
      );
      assertEquals(code, 0, stderr);
      const [record] = stdout.trim().split("\n").map((l) => JSON.parse(l));
      assert(record.pixel_auroc > 0 && record.pixel_auroc <= 1);
    });
    await t.step("info plans a model and a network in tiles", async () => {
      const shown = await runCommand(info, model, "--json", "--time");
      assertEquals(shown.code, 0, shown.stderr);
      const planned = JSON.parse(shown.stdout);
      assert(planned.planned_fit_seconds > 0, shown.stdout);
      assertEquals(planned.planned_for.tiles_per_image, across * across);
      assert(planned.planned_predict_bytes > 0);
    });
    await t.step(
      "images of other shapes are refused by their names",
      async () => {
        const content = { width: 300, height: 180 };
        await writeImage(`${root}/mixed/a.png`, noise(content));
        await writeImage(
          `${root}/mixed/b.png`,
          noise({ width: 180, height: 180 }),
        );
        for (
          const [given, what] of [
            [["--no-crop"], "becomes 256 × 256"],
            [tiles, "becomes 2 × 2 tiles of 128 × 128"],
          ] as const
        ) {
          const { code, stderr } = await runCommand(
            fit,
            ...[`${root}/mixed`, "--model", `${root}/mixed.safetensors`],
            ...["--allow-random", ...features, ...options, ...given],
          );
          assertEquals(code, 1);
          assertStringIncludes(stderr, `b.png" of 180 × 180 pixels ${what}`);
          assertStringIncludes(stderr, `a.png" of 300 × 180 becomes`);
        }
      },
    );
  });
});

function noise(
  { width, height }: { readonly width: number; readonly height: number },
) {
  const data = new Uint8Array(width * height * 4).fill(255)
    .map((_, i) => i % 4 === 3 ? 255 : i * 7919 % 251);
  return { width, height, data };
}

Deno.test.each([
  { argv: ["--overlap=8"], why: "Cannot use --overlap without --tile N" },
  { argv: ["--scale=0.5"], why: "Cannot use --scale without --tile N" },
  {
    argv: ["--tile-banks=position"],
    why: "Cannot use --tile-banks without --tile N",
  },
  { argv: ["--tile=64", "--crop=32"], why: "Cannot use --crop with --tile" },
  { argv: ["--tile=64", "--square"], why: "Cannot use --square with --tile" },
  { argv: ["--tile=64", "--overlap=40"], why: "Cannot use tiles.overlap 40" },
])("fit refuses $argv in a sentence", async ({ argv, why }) => {
  const folder = await Deno.makeTempDir();
  try {
    await writeImage(`${folder}/a.png`, noise({ width: 80, height: 80 }));
    await Deno.writeFile(`${folder}/tiny.onnx`, tinyBackbone().bytes);
    const { code, stderr } = await runCommand(
      fit,
      ...[`${folder}/a.png`, "--model", `${folder}/m.safetensors`],
      ...["--backbone", `${folder}/tiny.onnx`, "--allow-random", ...argv],
    );
    assertEquals(code === 1 || code === 2, true);
    assertStringIncludes(stderr, why);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
