import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { info } from "../../src/cli/info.ts";
import { readModelFile, writeModelFile } from "../../src/core/mod.ts";
import { demoSet } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { programTest, runCommand } from "./run_command.ts";

programTest("fit tells what it learned, info repeats it", async (t) => {
  const root = await Deno.makeTempDir();
  const model = `${root}/m.safetensors`;
  const names: string[] = [];
  await Deno.mkdir(`${root}/good`);
  const set = [...demoSet(FLANGE, { train: 14, good: 1, defective: 1 })];
  const images = [
    ...set.filter(({ split }) => split === "train"),
    ...set.filter(({ defect }) => defect !== undefined).slice(0, 1),
  ];
  for (const [i, { pixels }] of images.entries()) {
    const name = `${root}/good/${String(i).padStart(2, "0")}.png`;
    names.push(name);
    await Deno.writeFile(name, await encodePng(pixels));
  }
  const run = (...more: string[]) =>
    runCommand(
      fit,
      ...[`${root}/good`, "--model", model, "--backbone", "demo", "--square"],
      ...["--resize", "96", "--no-crop", "--overwrite", ...more],
    );
  try {
    await t.step(
      "in lines, with the oddest images and the next command",
      async () => {
        const { code, stdout, stderr } = await run(
          ...["--report", `${root}/fit.html`],
        );
        assertEquals(code, 0, stderr);
        assertStringIncludes(stdout, "15 training images");
        assertStringIncludes(stdout, "5 % of good parts");
        assertStringIncludes(stdout, "too few to count so small a share");
        // Of a tail that is fitted to so few it would be erratic.
        assert(!stdout.includes("threshold would be"), stdout);
        assertStringIncludes(stderr, `--model ${model}`);
        const page = await Deno.readTextFile(`${root}/fit.html`);
        assertStringIncludes(page, "oddest training images");
        // Twelve pictures, the tail and the threshold in the histogram.
        assertEquals(page.split("<img ").length, 13);
        assertStringIncludes(page, 'class="line"');
        assertStringIncludes(page, 'class="threshold"');
        const told = await runCommand(info, model);
        for (
          const line of stdout.split("\n").filter((line) =>
            /oddest|would be|Promised/.test(line)
          )
        ) {
          assertStringIncludes(told.stdout, line);
        }
      },
    );

    await t.step("a quantile counts all images", async () => {
      const { code, stdout, stderr } = await run(
        ...["--threshold-quantile", "1", "--report", `${root}/fit.html`],
      );
      assertEquals(code, 0, stderr);
      assertStringIncludes(stdout, "without it the threshold would be");
      assert(!stdout.includes("not count"), stdout);
      assert(!stdout.includes("Promised"), stdout);
      const page = await Deno.readTextFile(`${root}/fit.html`);
      assertStringIncludes(page, "The threshold is a quantile");
      assert(!page.includes("does not count"));
    });

    await t.step("copies of one image give no threshold", async () => {
      const copies = `${root}/copies`;
      await Deno.mkdir(copies);
      for (let i = 0; i < 3; i++) {
        await Deno.copyFile(names[0]!, `${copies}/${i}.png`);
      }
      const { code, stdout, stderr } = await runCommand(
        fit,
        ...[copies, "--model", `${root}/c.safetensors`, "--backbone", "demo"],
        ...["--square", "--resize", "96", "--no-crop"],
        ...["--report", `${root}/copies.html`],
      );
      assertEquals(code, 0, stderr);
      const why =
        "all 3 of its training images that can be compared have the same score";
      assertStringIncludes(stdout, `No threshold: ${why}`);
      const page = await Deno.readTextFile(`${root}/copies.html`);
      assertStringIncludes(page, why);
      assertStringIncludes(page, "There is no threshold");
      const told = await runCommand(info, `${root}/c.safetensors`);
      assertStringIncludes(told.stderr, `The model has no threshold: ${why}`);
    });

    await t.step("as JSON", async () => {
      const { stdout } = await run("--json");
      const record = JSON.parse(stdout);
      assertEquals(record.oddest.length, 5);
      assertEquals(record.dropped_images, []);
      const stored = readModelFile(await Deno.readFile(model));
      const largest = Math.max(...stored.trainScores);
      assert(
        record.oddest.some(({ score }: { score: number }) => score === largest),
      );
      assert(
        record.oddest.every(({ image_path: path }: { image_path: string }) =>
          names.includes(path)
        ),
      );
    });

    await t.step("--drop-odd fits again without the oddest", async () => {
      const before = JSON.parse((await run("--json")).stdout);
      const { code, stdout, stderr } = await run("--json", "--drop-odd", "2");
      assertEquals(code, 0, stderr);
      const after = JSON.parse(stdout);
      assertEquals(after.images, 13);
      assertEquals(
        after.dropped_images,
        before.oddest.slice(0, 2)
          .map(({ image_path: path }: { image_path: string }) => path),
      );
      assertStringIncludes(stderr, "without 2 of the training images");
      const refused = await run("--drop-odd", "1", "--shard", "1/2");
      assertEquals(refused.code, 2);
      const tooMany = await run("--drop-odd", "14");
      assertEquals(tooMany.code, 2);
      assertStringIncludes(tooMany.stderr, "Cannot leave 14 of 15 images out");
    });

    await t.step(
      "a model of an earlier version says how to recalibrate",
      async () => {
        const stored = readModelFile(await Deno.readFile(model));
        const { trainMapMaxima: _, ...old } = stored;
        await Deno.writeFile(
          model,
          writeModelFile({
            ...old,
            threshold: {
              value: 3,
              rule: { scores: "leave-one-image-out", quantile: 1, factor: 1 },
            },
            settings: {
              ...old.settings,
              threshold: { quantile: 1, factor: 1, mapQuantile: 0.95 },
            },
          }),
        );
        const { code, stderr } = await runCommand(info, model);
        assertEquals(code, 0, stderr);
        assertStringIncludes(stderr, "calibrate");
        assertStringIncludes(stderr, "earlier version");
      },
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
