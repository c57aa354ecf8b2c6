import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import { calibrate } from "../../src/cli/calibrate.ts";
import { info } from "../../src/cli/info.ts";
import { predict } from "../../src/cli/predict.ts";
import { Ensemble, readModelFile } from "../../src/core/mod.ts";
import { readEnsembleFile } from "../../src/core/model/ensemble_file.ts";
import { demoSet } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";
import { encodePng } from "../../src/core/images/png.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyDetector,
  tinyImages,
} from "../tiny_model.ts";
import { programTest, runCommand } from "./run_command.ts";

/** A model, and folders of good and bad parts that it was not fitted to. */
async function withParts(
  fn: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    using detector = await tinyDetector(undefined, 6);
    await Deno.writeFile(
      `${root}/m.safetensors`,
      detector.save({ bundle: true }),
    );
    const images = [
      ...demoSet(FLANGE, { train: 1, good: 8, defective: 3, seed: 5 }),
    ];
    for (const kind of ["good", "bad"]) await Deno.mkdir(`${root}/${kind}`);
    let i = 0;
    for (const { split, pixels, defect } of images) {
      if (split === "train") continue;
      const kind = defect === undefined ? "good" : "bad";
      await Deno.writeFile(
        `${root}/${kind}/part${Math.floor(i / 2)}_${i++ % 2}.png`,
        await encodePng(pixels),
      );
    }
    await fn(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

programTest("calibrate sets thresholds that everything follows", async (t) => {
  await withParts(async (root) => {
    const [model, out] = [`${root}/m.safetensors`, `${root}/new.safetensors`];
    const before = readModelFile(await Deno.readFile(model));
    const scored = await runCommand(
      predict,
      `${root}/good`,
      "--model",
      model,
      "--json",
    );
    const records = scored.stdout.trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    const scores = records.map(({ pred_score }) => pred_score as number)
      .sort((a, b) => a - b);

    await t.step(
      "--set moves the map's threshold along and keeps the rest",
      async () => {
        const value = before.threshold!.value * 2;
        const { code, stderr } = await runCommand(
          calibrate,
          ...[model, "--set", String(value), "--out", out],
        );
        assertEquals(code, 0, stderr);
        const after = readModelFile(await Deno.readFile(out));
        assertEquals(after.threshold!.value, value);
        assertAlmostEquals(
          after.mapThreshold!.value,
          before.mapThreshold!.value * 2,
        );
        const { threshold: _a, mapThreshold: _b, ...rest } = after;
        const { threshold: _c, mapThreshold: _d, ...same } = before;
        assertEquals(rest, same);
      },
    );

    await t.step("--set refuses what no score can be", async () => {
      for (const value of ["0", "-1", "0..2"]) {
        const { code, stderr } = await runCommand(
          calibrate,
          ...[model, `--set=${value}`, "--out", `${root}/none.safetensors`],
        );
        assertEquals(code, 2, stderr);
        assertStringIncludes(stderr, "above 0");
      }
    });

    await t.step("it says when no bad part is found", async () => {
      const { code, stdout, stderr } = await runCommand(
        calibrate,
        ...[model, "--bad", `${root}/bad`, "--set", "1e6"],
        ...["--out", out, "--overwrite"],
      );
      assertEquals(code, 0, stderr);
      assertStringIncludes(stdout, "Bad parts called anomalous: 0 of 9");
      assertStringIncludes(
        stderr,
        "warning: None of the 9 bad parts is called anomalous",
      );
      assert(!stdout.includes("Promised"));
    });

    await t.step("it says what few good parts can promise", async () => {
      const { code, stdout, stderr } = await runCommand(
        calibrate,
        ...[model, "--good", `${root}/good`, "--out", out, "--overwrite"],
      );
      assertEquals(code, 0, stderr);
      assertStringIncludes(
        stdout,
        "Promised: 5 % of good parts will be called anomalous; with 8 good parts that can be",
      );
      assertStringIncludes(
        stdout,
        "as 8 are too few to count so small a share (19 are needed)",
      );
      const told = await runCommand(info, out);
      assertStringIncludes(told.stdout, "Scores of 6 training images");
      assertStringIncludes(
        told.stdout,
        "The threshold comes from good parts that calibrate was given",
      );
      assertStringIncludes(told.stdout, "; with 8 good parts that can be");
      assert(!told.stdout.includes("the threshold would be"));
      const facts = JSON.parse((await runCommand(info, out, "--json")).stdout);
      assertEquals(
        [facts.images, facts.threshold_source, facts.threshold_rule.images],
        [6, "good parts", 8],
      );
    });

    await t.step("it replaces nothing unasked", async () => {
      const bytes = await Deno.readFile(model);
      const there = await runCommand(
        calibrate,
        model,
        "--set",
        "2",
        "--out",
        out,
      );
      assertEquals(there.code, 1);
      const own = await runCommand(calibrate, model, "--set", "2");
      assertEquals(own.code, 2);
      assertStringIncludes(own.stderr, "--overwrite");
      assertEquals(await Deno.readFile(model), bytes);
    });

    await t.step(
      "--false-alarms keeps the promise on the good parts",
      async () => {
        const { code, stdout, stderr } = await runCommand(
          calibrate,
          ...[model, "--good", `${root}/good`, "--bad", `${root}/bad`],
          ...["--false-alarms", "0.25", "--uncertain", "0.6"],
          ...["--out", out, "--overwrite", "--json"],
        );
        assertEquals(code, 0, stderr);
        const record = JSON.parse(stdout);
        // The order statistic (n + 1)(1 − rate) of eight scores.
        const at = (rate: number): number => {
          const place = 9 * (1 - rate) - 1;
          const [low, high] = [
            scores[Math.floor(place)]!,
            scores[Math.ceil(place)]!,
          ];
          return low + (high - low) * (place - Math.floor(place));
        };
        assertAlmostEquals(record.threshold, at(0.25), 1e-5);
        assertAlmostEquals(record.uncertain_from, at(0.6), 1e-5);
        assertEquals(record.threshold_rule.false_alarms, 0.25);
        assertEquals(record.good.parts, 8);
        assertEquals(
          record.good.normal + record.good.uncertain + record.good.anomalous,
          8,
        );
        assertEquals(record.good.right, record.good.normal / 8);
        assert(record.good.right_interval[0] < record.good.right);
        assertEquals(record.before.threshold, before.threshold!.value);
        const after = readModelFile(await Deno.readFile(out));
        assertEquals(after.threshold!.uncertainFrom, record.uncertain_from);
        const judged = await runCommand(
          predict,
          ...[`${root}/good`, "--model", out, "--json"],
        );
        const labels = judged.stdout.trim().split("\n")
          .map((line) => JSON.parse(line).pred_label);
        const count = (label: string): number =>
          labels.filter((own) => own === label).length;
        assertEquals(count("uncertain"), record.good.uncertain);
        assertEquals(count("anomalous"), record.good.anomalous);
      },
    );

    await t.step("--group-by judges a part by its worst image", async () => {
      const { code, stdout, stderr } = await runCommand(
        calibrate,
        ...[model, "--good", `${root}/good`, "--group-by", "part(\\d+)_"],
        ...["--out", out, "--overwrite", "--json"],
      );
      assertEquals(code, 0, stderr);
      const { good, threshold_rule: rule } = JSON.parse(stdout);
      assertEquals([good.parts, good.images, rule.images], [4, 8, 4]);
    });

    await t.step(
      "--best-f1 tells good from bad as well as can be",
      async () => {
        const { code, stdout, stderr } = await runCommand(
          calibrate,
          ...[
            model,
            "--good",
            `${root}/good`,
            "--bad",
            `${root}/bad`,
            "--best-f1",
          ],
          ...["--out", out, "--overwrite", "--json"],
        );
        assertEquals(code, 0, stderr);
        const { good, bad, threshold_rule: rule } = JSON.parse(stdout);
        const found = bad.anomalous;
        const swapped = await runCommand(
          calibrate,
          ...[model, "--good", `${root}/bad`, "--bad", `${root}/good`],
          ...["--best-f1", "--out", `${root}/none.safetensors`],
        );
        assertEquals(swapped.code, 1, swapped.stdout);
        assertStringIncludes(swapped.stderr, "do not score higher");
        assertAlmostEquals(
          rule.f1,
          2 * found / (2 * found + good.anomalous + bad.normal),
        );
        const none = await runCommand(
          calibrate,
          ...[
            model,
            "--good",
            `${root}/good`,
            "--best-f1",
            "--out",
            out,
            "--overwrite",
          ],
        );
        assertEquals(none.code, 2);
        assertStringIncludes(none.stderr, "--bad");
      },
    );

    await t.step("info tells the new rule", async () => {
      const { stdout } = await runCommand(info, out, "--json");
      assertEquals(JSON.parse(stdout).threshold_rule.rule, "best F1");
    });
  });
});

programTest(
  "calibrate refuses images that the model was fitted to",
  async () => {
    await withParts(async (root) => {
      const known = `${root}/${tinyImages(1).train[0]!.name}`;
      await Deno.mkdir(known.slice(0, known.lastIndexOf("/")), {
        recursive: true,
      });
      const [first] = tinyImages(1).train;
      await Deno.writeFile(known, await encodePng(first!.content as never));
      const here = Deno.cwd();
      try {
        Deno.chdir(root);
        for (const spelt of [first!.name, `./${first!.name}`, known]) {
          const { code, stderr } = await runCommand(
            calibrate,
            ...["m.safetensors", "--good", spelt, "--out", "n.safetensors"],
          );
          assertEquals(code, 2);
          assertStringIncludes(stderr, "was fitted to");
        }
        const { code, stderr } = await runCommand(
          calibrate,
          ...["m.safetensors", "--good", known, "--bad", `./${first!.name}`],
          ...["--out", "n.safetensors"],
        );
        assertEquals(code, 2);
        assertStringIncludes(stderr, "as a good part and as a bad one");
      } finally {
        Deno.chdir(here);
      }
    });
  },
);

programTest("calibrate sets an ensemble's thresholds", async () => {
  await withParts(async (root) => {
    using ensemble = await Ensemble.create({
      ...TINY_SETTINGS,
      backbones: [tinyBackbone(1), tinyBackbone(2)],
      allowRandom: true,
      batch: 4,
    });
    await ensemble.fit(tinyImages(6).train);
    const model = `${root}/e.safetensors`;
    await Deno.writeFile(model, ensemble.save({ bundle: true }));
    const { code, stderr } = await runCommand(
      calibrate,
      ...[model, "--good", `${root}/good`, "--false-alarms", "0.2"],
      ...["--out", `${root}/f.safetensors`],
    );
    assertEquals(code, 0, stderr);
    const after = readEnsembleFile(
      await Deno.readFile(`${root}/f.safetensors`),
    );
    assertEquals(after.threshold!.rule["false_alarms"], 0.2);
    assertEquals(after.mapThreshold!.rule["false_alarms"], 0.2);
    assertEquals(
      after.members.map(({ threshold }) => threshold?.value),
      ensemble.model.members.map(({ threshold }) => threshold?.value),
    );
  });
});
