import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { info } from "../../src/cli/info.ts";
import { merge } from "../../src/cli/merge.ts";
import { predict } from "../../src/cli/predict.ts";
import {
  readModelFile,
  writeModelFile,
} from "../../src/core/model/model_file.ts";
import { withThresholds } from "../../src/core/model/thresholds.ts";
import { encodePng } from "../../src/core/images/png.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";
import { tinyBackbone, tinyImages } from "../tiny_model.ts";
import { withDemoDataset } from "./demo_dataset.ts";
import { programTest, runCommand } from "./run_command.ts";

const SETTINGS = ["--resize=64", "--square", "--no-crop", "--layers"]
  .concat("layer1,layer2", "--dim=24", "--coreset=0.05", "--allow-random");

async function withImages(
  work: (folder: string, options: readonly string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/old`);
    await Deno.mkdir(`${folder}/new`);
    for (const [i, { content }] of tinyImages(8).train.entries()) {
      const path = `${folder}/${i < 6 ? "old" : "new"}/${i}.png`;
      await Deno.writeFile(path, await encodePng(content as Pixels));
    }
    const backbone = `${folder}/tiny.onnx`;
    await Deno.writeFile(backbone, tinyBackbone().bytes);
    const options = ["--backbone", backbone, "--batch=2", "--no-autotune"];
    await work(folder, [...options, "--json"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

programTest("fit tells its plan, appends, shards; merge joins", async (t) => {
  await withImages(async (folder, options) => {
    const run = (...argv: string[]) => runCommand(fit, ...argv, ...options);
    const path = (name: string) => `${folder}/${name}.safetensors`;
    await t.step("fit --memory says what it is going to do", async () => {
      const { code, stdout, stderr } = await run(
        `${folder}/old`,
        ...["--model", path("old"), "--memory=1GiB", ...SETTINGS],
      );
      assertEquals(code, 0, stderr);
      assertStringIncludes(
        stderr,
        "6 images, 1536 patches, 76 bank rows of 24 dimensions;",
      );
      assertStringIncludes(
        stderr,
        "planned, 1 GiB allowed; exact: all features",
      );
      const record = JSON.parse(stdout);
      assertEquals(record.buckets, 1);
      assert(record.peak_gpu_bytes <= record.planned_gpu_bytes);
    });
    await t.step("fit --normalise goes into the model", async () => {
      const cases = [
        ["auto", undefined],
        ["imagenet", "imagenet"],
        ["none", "unit"],
        ["bytes", "bytes"],
        ["0.5/0.25", { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }],
        ["0,1,-2e-1/1,2,3", { mean: [0, 1, -0.2], std: [1, 2, 3] }],
      ] as const;
      const thresholds = new Set<number | undefined>();
      for (const [given, stored] of cases) {
        const { code, stderr } = await run(
          `${folder}/old`,
          ...["--model", path("levels"), "--overwrite", ...SETTINGS],
          `--normalise=${given}`,
        );
        assertEquals(code, 0, stderr);
        const model = readModelFile(await Deno.readFile(path("levels")));
        assertEquals(model.settings["normalise"], stored);
        thresholds.add(model.threshold?.value);
        const { code: found } = await runCommand(
          predict,
          `${folder}/new`,
          ...["--model", path("levels"), ...options],
        );
        assertEquals(found, 0);
      }
      assertEquals(thresholds.size, cases.length - 1);
      for (
        const wrong of ["x", "1/0", "1", "1,2/1,2", "1/1/1", "/", "1,2,x/1"]
      ) {
        const { code, stderr } = await run(
          `${folder}/old`,
          ...["--model", path("none"), `--normalise=${wrong}`],
        );
        assertEquals(code, 2);
        assertStringIncludes(stderr, `Cannot use --normalise ${wrong}:`);
      }
    });
    await t.step("fit --memory refuses what is too little", async () => {
      const { code, stderr } = await run(
        `${folder}/old`,
        ...["--model", path("none"), "--memory=1MB", ...SETTINGS],
      );
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Cannot fit in 977 KiB of memory");
      assertStringIncludes(
        (await run(folder, "--model=x", "--memory=much")).stderr,
        'Cannot use --memory "much": expected a size such as 512MiB or 2GB',
      );
    });
    await t.step("fit --append adds images to a model", async () => {
      const append = [`${folder}/new`, "--append", path("old")];
      const { code, stdout, stderr } = await run(
        ...append,
        ...["--model", path("both"), "--max-bank=50"],
      );
      assertEquals(code, 0, stderr);
      assertEquals(JSON.parse(stdout).images, 8);
      const model = readModelFile(await Deno.readFile(path("both")));
      assertEquals([model.rows, model.imageNames.length], [50, 8]);
      assert(!stderr.includes("had a threshold"), stderr);
      const old = readModelFile(await Deno.readFile(path("old")));
      const set = withThresholds(old, { score: 3, uncertainFrom: 2, map: 4 });
      await Deno.writeFile(path("set"), writeModelFile(set));
      const dropped = await run(
        `${folder}/new`,
        ...["--append", path("set"), "--model", path("both"), "--overwrite"],
      );
      assertEquals(dropped.code, 0, dropped.stderr);
      const { threshold } = JSON.parse(dropped.stdout);
      assertStringIncludes(
        dropped.stderr,
        `warning: "${
          path("set")
        }" had a threshold that was set by hand: 3.0000, uncertain from 2.0000, of maps 4.0000; "${
          path("both")
        }" has that of its training images instead: ${
          threshold.toPrecision(5)
        }, of maps`,
      );
      assertStringIncludes(
        dropped.stderr,
        `"calibrate ${
          path("both")
        } --set 2..3 --map-threshold 4 --overwrite" sets the old one again`,
      );
      const same = await run(...append, "--model", path("old"));
      assertEquals(same.code, 1);
      assertStringIncludes(same.stderr, "--overwrite");
      for (
        const [option, sentence] of [
          ["--seed=3", "with seed 3: the model was fitted with 0"],
          [
            "--preset=anomalib",
            "with resize 256: the model was fitted with 64",
          ],
          ["--shard=1/2", "Cannot use --append with --shard"],
        ] as const
      ) {
        const other = await run(...append, "--model", path("x"), option);
        assertEquals(other.code, 2);
        assertStringIncludes(other.stderr, sentence);
      }
      await Deno.writeFile(`${folder}/tiny.onnx`, tinyBackbone(2).bytes);
      const other = await run(...append, "--model", path("x"));
      assertEquals(other.code, 1);
      assertStringIncludes(other.stderr, "SHA-256");
      await Deno.writeFile(`${folder}/tiny.onnx`, tinyBackbone().bytes);
    });
    await t.step("fit --shard and merge make one model", async () => {
      for (const part of [1, 2]) {
        const { code, stderr } = await run(
          `${folder}/old`,
          ...["--model", path(`${part}`), `--shard=${part}/2`, ...SETTINGS],
        );
        assertEquals(code, 0, stderr);
      }
      const parts = [path("1"), path("2")];
      const before = await Deno.stat(path("1"));
      const again = ["--model", path("1"), ...SETTINGS];
      for (const shard of ["1/2", "index=0/2"]) {
        const kept = await run(`${folder}/old`, ...again, `--shard=${shard}`);
        assertEquals(kept.code, 0, kept.stderr);
        const { images, shard: part, kept: isKept } = JSON.parse(kept.stdout);
        assertEquals([images, part, isKept], [3, "1/2", true]);
      }
      assertEquals((await Deno.stat(path("1"))).ino, before.ino);
      for (const seed of [5, 0]) {
        const { code, stdout, stderr } = await run(
          ...[`${folder}/old`, "--model", path("2"), ...SETTINGS],
          ...[`--seed=${seed}`, "--shard=2/2"],
        );
        assertEquals(code, 0, stderr);
        assertStringIncludes(stderr, "it is part 2/2 of other images or sett");
        assertEquals(JSON.parse(stdout).kept, false);
      }
      const whole = await run(
        ...[`${folder}/old`, "--model", path("old"), ...SETTINGS],
        "--shard=1/2",
      );
      assertEquals(whole.code, 1);
      assertStringIncludes(whole.stderr, "Refused to replace");
      const { code, stdout, stderr } = await runCommand(
        merge,
        ...[...parts, "--model", path("merged"), "--json"],
      );
      assertEquals(code, 0, stderr);
      const record = JSON.parse(stdout);
      assertEquals([record.images, record.bank_rows], [6, 76]);
      const model = readModelFile(await Deno.readFile(path("merged")));
      assertEquals(model.rows, 76);
      assert(!stderr.includes("had a threshold"), stderr);
      const part = readModelFile(await Deno.readFile(path("1")));
      const set = withThresholds(part, {
        score: 3,
        rule: { scores: "held-out good parts" },
      });
      await Deno.writeFile(path("set"), writeModelFile(set));
      const dropped = await runCommand(
        merge,
        ...[path("set"), path("2"), "--model", path("merged"), "--overwrite"],
      );
      assertEquals(dropped.code, 0, dropped.stderr);
      assertEquals(
        dropped.stderr.split(
          "had a threshold that was calibrated with good parts: 3.0000",
        ).length,
        2,
      );
      const twice = [path("1"), path("1"), "--model", path("x")];
      const wrong = await runCommand(merge, ...twice);
      assertEquals(wrong.code, 1);
      assertStringIncludes(wrong.stderr, "both are part 1/2");
      const replaced = await runCommand(merge, ...parts, "--model", path("1"));
      assertStringIncludes(replaced.stderr, "--overwrite");
      const undecided = await run(
        ...[`${folder}/old`, "--model", path("x"), ...SETTINGS],
        ...["--shard=1/2", "--foreground=auto", "--range=auto"],
      );
      assertEquals(undecided.code, 2);
      assertStringIncludes(
        undecided.stderr,
        "Cannot use --foreground auto with --shard: every part would decide",
      );
      const ranged = await run(
        ...[`${folder}/old`, "--model", path("ranged"), ...SETTINGS],
        ...["--shard=1/2", "--range=auto"],
      );
      assertEquals(ranged.code, 0, ranged.stderr);
      assertStringIncludes(ranged.stderr, "--range auto changes nothing");
      for (const shard of ["0/2", "3/2", "2", "9/9"]) {
        const { code, stderr } = await run(
          `${folder}/old`,
          ...["--model", path("x"), `--shard=${shard}`, ...SETTINGS],
        );
        assertEquals(code, 2, stderr);
      }
    });
  });
});

programTest("fit, predict and info with several backbones", async (t) => {
  const size = { train: 3, good: 1, defective: 1 };
  await withDemoDataset(size, async (root) => {
    const tiny = `${root}/tiny.onnx`;
    const model = `${root}/model.safetensors`;
    await Deno.writeFile(tiny, tinyBackbone().bytes);
    const backbones = ["--backbone", "demo", "--backbone", tiny];

    await t.step("fit writes one model of both", async () => {
      const options = ["--resize", "64", "--square", "--no-crop"];
      const { code, stdout, stderr } = await runCommand(
        fit,
        `${root}/flange`,
        ...[...backbones, "--allow-random", ...options],
        ...["--model", model, "--json"],
      );
      assertEquals(code, 0, stderr);
      const report = JSON.parse(stdout);
      assertEquals(report.images, 3);
      assertEquals(report.members.length, 2);
      assert(report.threshold > 0);
    });

    await t.step(
      "predict finds the backbones and writes a report",
      async () => {
        const out = `${root}/out`;
        const { code, stdout, stderr } = await runCommand(
          predict,
          `${root}/flange`,
          ...["--model", model, "--out", out, "--report", "--json"],
        );
        assertEquals(code, 0, stderr);
        const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
        assertEquals(lines.length, 4);
        for (const { pred_score, worst_patch, threshold } of lines) {
          assert(Number.isFinite(pred_score) && threshold > 0);
          assertStringIncludes(worst_patch.nearest.image_path, "train/good");
        }
        const page = await Deno.readTextFile(`${out}/report.html`);
        assertStringIncludes(page, "tiny, SHA-256");
      },
    );

    await t.step("predict opens no backbone elsewhere unasked", async () => {
      await Deno.mkdir(`${root}/models`);
      const moved = `${root}/models/model.safetensors`;
      const { stderr: note } = await runCommand(
        fit,
        `${root}/flange`,
        ...[...backbones.slice(2), "--allow-random", "--model", moved],
        ..."--no-bundle --resize=64 --square --no-crop --layers=layer1,layer2"
          .split(" "),
      );
      assertStringIncludes(note, `give --backbone "${tiny}" again`);
      const predicted = (...options: string[]) =>
        runCommand(predict, `${root}/flange`, "--model", moved, ...options);
      const planned = async (...options: string[]) =>
        JSON.parse(
          (await runCommand(info, moved, ...options, "--json")).stdout,
        );
      const unplanned = await planned();
      assertStringIncludes(unplanned.why_no_plan, "give it with --backbone");
      assert((await planned("--backbone", tiny)).planned_fit_bytes > 0);
      for (const args of [["--backbone", tiny], [model, "--backbone", tiny]]) {
        const { code, stderr } = await runCommand(info, ...args);
        assertEquals(code, 2);
        assertStringIncludes(stderr, "Cannot use --backbone with");
      }
      const refused = await predicted();
      assertEquals(refused.code, 1);
      assertStringIncludes(
        refused.stderr,
        `Cannot find backbone "tiny" of model "${moved}": there is no "tiny.onnx"`,
      );
      assertEquals((await predicted("--backbone", tiny)).code, 0);
      await Deno.copyFile(tiny, `${root}/models/tiny.onnx`);
      assertEquals((await predicted()).code, 0);
    });

    await t.step("predict wants as many backbones as there are", async () => {
      const { code, stderr } = await runCommand(
        predict,
        `${root}/flange`,
        ...["--model", model, "--backbone", "demo"],
      );
      assertEquals(code, 2);
      assertStringIncludes(stderr, "the model has 2 backbones");
    });

    await t.step("info describes each member", async () => {
      const { stdout } = await runCommand(info, model, "--json");
      const { members, threshold } = JSON.parse(stdout);
      assert(threshold > 0);
      assertEquals(
        members.map(({ backbone }: { backbone: string }) => backbone),
        ["demo", "tiny"],
      );
    });
  });
});
