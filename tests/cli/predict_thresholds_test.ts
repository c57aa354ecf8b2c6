import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import { predict } from "../../src/cli/predict.ts";
import { decodeImage, type NamedImage } from "../../src/core/mod.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { tinyDetector, tinyImages } from "../tiny_model.ts";
import { programTest, runCommand } from "./run_command.ts";

/** A model fitted to so many images, and a folder of images to inspect. */
async function withModel(
  train: number,
  fn: (root: string, model: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    using detector = await tinyDetector(undefined, train);
    const model = `${root}/m.safetensors`;
    await Deno.writeFile(model, detector.save({ bundle: true }));
    await Deno.mkdir(`${root}/in`);
    for (const [i, { content }] of tinyImages(1).test.entries()) {
      await Deno.writeFile(
        `${root}/in/${i}.png`,
        await encodePng(pixels(content)),
      );
    }
    await fn(root, model);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const pixels = (content: NamedImage["content"]): Pixels => content as Pixels;

interface Line {
  readonly pred_score: number;
  readonly pred_score_normalized: number | null;
  readonly pred_label: string | null;
  readonly threshold: number | null;
  readonly uncertain_from: number | null;
  readonly map: {
    readonly path: string | null;
    readonly max: number;
    readonly threshold: number | null;
    readonly scale: {
      readonly min: number;
      readonly max: number;
      readonly of: string;
    };
    readonly disagrees: boolean;
  };
}

async function lines(
  ...args: string[]
): Promise<{ code: number; stderr: string; records: Line[] }> {
  const { code, stdout, stderr } = await runCommand(predict, ...args, "--json");
  const text = stdout.trim();
  const records = text === "" ? [] : text.split("\n");
  return { code, stderr, records: records.map((line) => JSON.parse(line)) };
}

programTest(
  "predict --threshold decides everything that is told",
  async (t) => {
    await withModel(4, async (root, model) => {
      const base = [`${root}/in`, "--model", model];
      const own = await lines(...base);
      const scores = own.records.map(({ pred_score }) => pred_score);
      const [low, ...others] = scores.toSorted((a, b) => a - b);
      const middle = (low! + others[0]!) / 2;

      await t.step(
        "labels, normalised scores, masks and the exit code",
        async () => {
          const { code, records } = await lines(
            ...[...base, "--threshold", String(middle), "--fail-on-anomaly"],
            ...["--out", `${root}/out`, "--mask", "--csv", "--report"],
          );
          assertEquals(code, 3);
          for (const [i, record] of records.entries()) {
            const score = scores[i]!;
            assertEquals(
              record.pred_label,
              score >= middle ? "anomalous" : "normal",
            );
            assertAlmostEquals(record.pred_score_normalized!, score / middle);
            const { map } = record;
            const before = own.records[i]!;
            assertAlmostEquals(
              map.threshold! / before.map.threshold!,
              middle / before.threshold!,
            );
            assertEquals(map.scale, {
              min: 0,
              max: 2 * map.threshold!,
              of: "model",
            });
            const found = map.max >= map.threshold!;
            assertEquals(
              map.disagrees,
              found !== (record.pred_label === "anomalous"),
            );
            const mask = await decodeImage(
              await Deno.readFile(`${root}/out/masks/${i}.png`),
              "mask",
            );
            if (!found) {
              assert(mask.data.every((v, at) => at % 4 === 3 || v === 0));
            }
          }
          const run = JSON.parse(
            await Deno.readTextFile(`${root}/out/run.json`),
          );
          assertEquals(run.threshold, middle);
          const anomalous = scores.filter((score) => score >= middle).length;
          assertEquals(run.anomalous, anomalous);
          const report = await Deno.readTextFile(`${root}/out/report.html`);
          assertStringIncludes(report, middle.toPrecision(4));
          const calm = await lines(
            ...[...base, "--threshold", "1e9", "--fail-on-anomaly"],
          );
          assertEquals(calm.code, 0);
        },
      );

      await t.step("what no score can be is refused", async () => {
        for (const value of ["0", "-3", "0..2"]) {
          const { code, stderr } = await lines(
            ...[...base, `--threshold=${value}`],
          );
          assertEquals(code, 2, stderr);
          assertStringIncludes(stderr, "expected a finite number above 0");
        }
        const { code, stderr } = await lines(
          ...[...base, "--threshold=2", "--map-threshold=-1"],
        );
        assertEquals(code, 2, stderr);
        assertStringIncludes(stderr, "Cannot use -1 as a threshold");
      });

      await t.step(
        "a band calls images uncertain, which fails on anomaly too",
        async () => {
          const { code, records, stderr } = await lines(
            ...[...base, "--threshold", `${middle}..1e6`, "--fail-on-anomaly"],
          );
          assertEquals(code, 3);
          assertEquals(
            records.map(({ pred_label }) => pred_label),
            scores.map((score) => score >= middle ? "uncertain" : "normal"),
          );
          assertEquals(records[0]!.uncertain_from, middle);
          assertAlmostEquals(
            records[0]!.pred_score_normalized!,
            scores[0]! / 1e6,
          );
          assertStringIncludes(stderr, "uncertain");
        },
      );

      await t.step("what cannot be understood is refused", async () => {
        for (const text of ["x", "3..2", "1..2..3", "..2"]) {
          const { code, stderr } = await lines(...base, "--threshold", text);
          assertEquals(code, 2, text);
          assertStringIncludes(stderr, "LOW..HIGH");
        }
        const { code } = await lines(...base, "--map-threshold", "2");
        assertEquals(code, 2);
      });
    });
  },
);

programTest(
  "predict says what a model without a threshold cannot tell",
  async (t) => {
    await withModel(1, async (root, model) => {
      const base = [`${root}/in`, "--model", model];

      await t.step(
        "no label, no normalised score, one warning, pictures all the same",
        async () => {
          const { code, records, stderr } = await lines(
            ...[...base, "--out", `${root}/out`, "--overlay", "--maps", "png"],
            ...["--report", "--csv"],
          );
          assertEquals(code, 0, stderr);
          assertEquals(
            stderr.split(
              "has no threshold: good images of two parts at least are needed",
            ).length,
            2,
          );
          for (const { map, ...record } of records) {
            assertEquals(
              [
                record.pred_label,
                record.pred_score_normalized,
                record.threshold,
              ],
              [null, null, null],
            );
            assertEquals(map.threshold, null);
            assertEquals(map.scale, { min: 0, max: map.max, of: "image" });
            assertEquals(map.disagrees, false);
            assert((await Deno.stat(map.path!)).size > 0);
          }
          assert((await Deno.stat(`${root}/out/overlays/0.png`)).size > 0);
          const report = await Deno.readTextFile(`${root}/out/report.html`);
          assertStringIncludes(report, "no verdict");
          assert(!/>normal</.test(report));
          const text = await runCommand(predict, ...base);
          assert(!text.stdout.includes("normal"));
          assert(!text.stdout.includes("NaN"));
        },
      );

      await t.step(
        "--fail-on-anomaly and --mask are refused with the reason",
        async () => {
          for (const option of ["--fail-on-anomaly", "--mask"]) {
            const { code, stderr } = await lines(
              ...[...base, "--out", `${root}/${option}`, option],
            );
            assertEquals(code, 2);
            assertStringIncludes(stderr, option);
            assertStringIncludes(stderr, "has no threshold");
          }
        },
      );

      await t.step("--threshold gives it one", async () => {
        const { code, records } = await lines(
          ...[...base, "--threshold", "0.001", "--fail-on-anomaly"],
        );
        assertEquals(code, 3);
        assertEquals(records[0]!.map.threshold, 0.001);
        assertEquals(records[0]!.pred_label, "anomalous");
      });
    });
  },
);
