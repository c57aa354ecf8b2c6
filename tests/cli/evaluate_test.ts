import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { evaluate } from "../../src/cli/evaluate.ts";
import { fit } from "../../src/cli/fit.ts";
import { decodeImage } from "../../src/core/images/decode.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { encodeNpy } from "../../src/core/images/npy.ts";
import { tinyBackbone } from "../tiny_model.ts";
import { withDemoDataset, writeImage } from "./demo_dataset.ts";
import { type CommandRun, programTest, runCommand } from "./run_command.ts";

const KEYS = [
  "category",
  "image_auroc",
  "image_aupr",
  "f1_max",
  "f1_threshold",
  "false_positives",
  "false_negatives",
  "pixel_auroc",
  "pixel_auroc_defective",
  "aupro_30",
  "aupro_5",
  "pro_per_image",
  "images",
  "seconds",
];

const SIZE = { train: 4, good: 2, defective: 1 };
const SMALL = ["--backbone", "demo", "--resize", "64", "--no-crop", "--square"];

// deno-lint-ignore no-explicit-any -- records of a program's output
type Line = Record<string, any>;

function linesOf({ stdout }: CommandRun): Line[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

async function evaluated(...argv: string[]): Promise<Line[]> {
  const run = await runCommand(evaluate, ...argv, "--json");
  assertEquals(run.code, 0, run.stderr);
  return linesOf(run);
}

function assertRates(record: Line): void {
  for (const key of ["image_auroc", "pixel_auroc", "aupro_30"]) {
    assert(record[key] >= 0 && record[key] <= 1, `${key}: ${record[key]}`);
  }
}

programTest("evaluate as a program", async (t) => {
  await withDemoDataset(SIZE, async (root) => {
    const set = `${root}/flange`;
    const run = (...more: string[]) => evaluated(set, ...SMALL, ...more);

    await t.step("prints a category and the mean with all keys", async () => {
      const lines = await run("--coreset", "0.2");
      assertEquals(lines.map(({ category }) => category), ["flange", "mean"]);
      for (const line of lines) {
        for (const key of KEYS) assert(key in line, `${key} is missing`);
        assertRates(line);
      }
      assertEquals(lines[0]!["images"], { train: 4, normal: 2, anomalous: 3 });
      assertEquals(lines[0]!["bank_rows"], Math.floor(0.2 * 4 * 64));
      assert(lines[0]!["peak_gpu_bytes"] > 0);
    });

    await t.step(
      "measures a radius that random rows do not reach",
      async () => {
        const [record] = await run("--coreset", "0.1", "--verbose");
        assert(
          record!["covering_radius"] < record!["covering_radius_random"],
          JSON.stringify(record),
        );
      },
    );

    for (const method of ["spade", "padim"]) {
      await t.step(`runs ${method}, which has no threshold`, async () => {
        const [record] = await run("--method", method);
        assertRates(record!);
        assertEquals(record!["threshold"], null);
        assertEquals("bank_rows" in record!, false);
      });
    }

    for (const subsample of ["greedy", "random", "proxies", "none"]) {
      await t.step(`chooses the bank by ${subsample}`, async () => {
        const ratio = subsample === "none" ? [] : ["--coreset", "0.05"];
        const [record] = await run("--subsample", subsample, ...ratio);
        assertRates(record!);
        assertEquals(record!["bank_rows"], subsample === "none" ? 256 : 12);
        assertEquals(record!["threshold"] === null, subsample === "proxies");
      });
    }

    await t.step("searches approximately and tells the recall", async () => {
      const options = ["--coreset", "0.6", "--search", "ivfpq"];
      const [one] = await run(...options);
      const [all] = await run(...options, "--nprobe", "512");
      assert(one!["recall_at_1"] > 0.2 && one!["recall_at_1"] <= 1);
      assert(all!["recall_at_1"] >= one!["recall_at_1"]);
    });

    for (
      const [what, ...options] of [
        ["layer 1 alone", "--layers", "layer1", "--coreset", "0.01"],
        ["three layers", "--layers", "layer1,layer2,layer3"],
        ["single patches", "--patch-size", "1"],
        ["large patches", "--patch-size", "15"],
        ["every other patch", "--stride", "2"],
        ["another resolution", "--resize", "96"],
        ["anomalib", "--preset", "anomalib", "--resize", "64"],
      ]
    ) {
      await t.step(`evaluates ${what}`, async () => {
        const [record] = await run("--coreset", "0.1", ...options);
        assertRates(record!);
      });
    }

    await t.step("averages few images over seeds", async () => {
      const lines = await run("--shots", "1,3", "--seeds", "2");
      assertEquals(lines.map(({ shots }) => shots), [1, 3, 1, 3]);
      assertEquals(lines.map(({ seeds }) => seeds), [2, 2, 2, 2]);
      assertEquals(lines[0]!["images"].train, 1);
      assert(lines[0]!["std"].image_auroc >= 0);
    });

    await t.step("goes on where it was stopped", async () => {
      const journal = `${root}/journal.jsonl`;
      const options = [set, ...SMALL, "--resume", journal, "--json"];
      const first = await runCommand(evaluate, ...options);
      const second = await runCommand(evaluate, ...options);
      assertEquals(second.stdout, first.stdout);
      assertStringIncludes(second.stderr, "evaluated before");
      const other = await runCommand(evaluate, ...options, "--seed", "1");
      assertEquals(other.stderr.includes("evaluated before"), false);
    });

    await t.step("writes a page with curves and pictures", async () => {
      const report = `${root}/report.html`;
      const options = ["--coreset", "0.1", "--report", report];
      const [record] = await run(...options);
      const page = await Deno.readTextFile(report);
      assertEquals(page.match(/<article/g)?.length, 5);
      assertStringIncludes(page, "Nearest training patch: ");
      for (
        const curve of [
          `AUROC ${record!["image_auroc"].toFixed(4)}`,
          `AUROC ${record!["pixel_auroc"].toFixed(4)}`,
          `AUPRO up to 30 % ${record!["aupro_30"].toFixed(4)}`,
        ]
      ) assertStringIncludes(page, curve);
      assertMatch(page, /Results: rates in percent[\s\S]*<td>flange</);
      const again = await runCommand(evaluate, set, ...SMALL, ...options);
      assertEquals(again.code, 1);
      assertStringIncludes(again.stderr, "--overwrite");
    });

    await t.step("joins several backbones, scaled either way", async () => {
      const tiny = `${root}/tiny, with a comma.onnx`;
      await Deno.writeFile(tiny, tinyBackbone().bytes);
      const options = ["--backbone", tiny, "--allow-random"];
      const [train] = await run(...options);
      const [test] = await run(...options, "--ensemble-norm", "test");
      for (const record of [train!, test!]) assertRates(record);
      assert(train!["threshold"] > 0);
      assertEquals(test!["threshold"], null);
    });

    for (
      const [sentence, ...options] of [
        [
          "Cannot use --coreset with --method spade",
          "--method=spade",
          "--coreset=0.1",
        ],
        ["Cannot use --dim with --method spade", "--method=spade", "--dim=9"],
        ["Cannot use --nprobe with an exact search", "--nprobe=3"],
        [
          "Cannot use --ensemble-norm with one backbone",
          "--ensemble-norm=test",
        ],
        [
          "Cannot use --verbose with several backbones",
          "--backbone=other",
          "--verbose",
        ],
        ["Cannot use --backbone demo twice", "--backbone=demo"],
        [
          "Cannot use --report with --method padim",
          "--method=padim",
          "--report=no.html",
        ],
        ["Cannot use --report with --shots", "--shots=1", "--report=no.html"],
      ] as const
    ) {
      await t.step(`refuses ${options.join(" ")}`, async () => {
        const { code, stderr } = await runCommand(
          evaluate,
          set,
          ...SMALL,
          ...options,
        );
        assertEquals(code, 2);
        assertStringIncludes(stderr, sentence);
      });
    }
  });
});

programTest(
  "evaluate goes on without categories that cannot be read",
  async () => {
    await withDemoDataset(SIZE, async (root) => {
      const set = `${root}/flange`;
      const copy = async (name: string) => {
        const names = [...Deno.readDirSync(`${set}/train/good`)];
        for (const part of ["train/good", "test/good"]) {
          await Deno.mkdir(`${root}/${name}/${part}`, { recursive: true });
          for (const { name: file } of names.slice(0, 2)) {
            await Deno.copyFile(
              `${set}/train/good/${file}`,
              `${root}/${name}/${part}/${file}`,
            );
          }
        }
      };
      for (const name of ["early", "late", "zero"]) await copy(name);
      const mask = { width: 3, height: 2, grey: new Uint8Array(6) };
      await writeImage(`${root}/early/test/dent/0.png`, mask);
      await writeImage(`${root}/early/ground_truth/dent/0.png`, {
        ...mask,
        width: 2,
        height: 3,
      });
      await writeImage(`${root}/late/test/dent/0.png`, mask);
      await writeImage(`${root}/late/ground_truth/dent/1.png`, mask);
      for (const { name } of [...Deno.readDirSync(`${root}/zero/train/good`)]) {
        await Deno.writeTextFile(`${root}/zero/train/good/${name}`, "no image");
      }
      const run = await runCommand(evaluate, root, ...SMALL, "--json");
      assertEquals(run.code, 1);
      const lines = linesOf(run);
      assertEquals(
        lines.map(({ category, error }) => [category, error !== undefined]),
        [
          ["late", true],
          ["early", true],
          ["flange", false],
          ["zero", true],
          ["mean", false],
        ],
      );
      assertStringIncludes(
        run.stderr,
        'Cannot evaluate "early": Cannot use mask',
      );
      assertStringIncludes(
        run.stderr,
        "3 of 4 categories could not be evaluated (late, early, zero)",
      );
    });
  },
);

programTest(
  "evaluate takes masks of 0 and 1 as those of 0 and 255",
  async () => {
    await withDemoDataset(SIZE, async (root) => {
      const options = [`${root}/flange`, ...SMALL];
      const [bytes] = await evaluated(...options);
      assertEquals(bytes!["label_masks"], undefined);
      for (const { path, bytes } of masksBelow(`${root}/flange/ground_truth`)) {
        const { width, height, data } = await decodeImage(bytes, path);
        const grey = Uint8Array.from(
          { length: width * height },
          (_, i) => data[4 * i]! > 0 ? 1 : 0,
        );
        await Deno.writeFile(path, await encodePng({ width, height, grey }));
      }
      const [ones] = await evaluated(...options);
      assertEquals(ones!["label_masks"], 3);
      for (const rate of ["pixel_auroc", "aupro_30", "aupro_5"]) {
        assertEquals(ones![rate], bytes![rate]);
      }
    });
  },
);

function* masksBelow(
  folder: string,
): Generator<{ path: string; bytes: Uint8Array }> {
  for (const { name, isFile } of [...Deno.readDirSync(folder)]) {
    const path = `${folder}/${name}`;
    if (isFile) yield { path, bytes: Deno.readFileSync(path) };
    else yield* masksBelow(path);
  }
}

programTest(
  "evaluate --model tests all good images that the model was not fitted to",
  async () => {
    const size = { train: 4, good: 10, defective: 1 };
    await withDemoDataset(size, async (root) => {
      const parts = `${root}/parts`;
      await Deno.mkdir(parts);
      await Deno.rename(`${root}/flange/test/good`, `${parts}/good`);
      const [kind] = [...Deno.readDirSync(`${root}/flange/test`)];
      await Deno.rename(`${root}/flange/test/${kind!.name}`, `${parts}/bad`);
      const judged = async (images: string) => {
        const model = `${root}/${images.replace("/", "_")}.safetensors`;
        const from = `${root}/${images}`;
        const fitted = await runCommand(fit, from, "--model", model, ...SMALL);
        assertEquals(fitted.code, 0, fitted.stderr);
        const report = `${model}.html`;
        const [record] = await evaluated(
          ...[parts, "--model", model, "--report", report],
        );
        return {
          images: record!["images"],
          page: await Deno.readTextFile(report),
        };
      };
      const others = await judged("flange/train/good");
      assertEquals(others.images, { train: 4, normal: 10, anomalous: 1 });
      assertMatch(others.page, /<td>defective<\/td>\s*<td[^>]*>1</);
      assertMatch(others.page, /<td>good<\/td>\s*<td[^>]*>10</);
      const own = await judged("parts");
      assertEquals(own.images, { train: 8, normal: 2, anomalous: 1 });
    });
  },
);

programTest(
  "evaluate takes ShanghaiTech Campus as the paper does",
  async () => {
    const root = await Deno.realPath(await Deno.makeTempDir());
    try {
      const frame = (level: number) => ({
        width: 320,
        height: 200,
        data: new Uint8ClampedArray(320 * 200 * 4)
          .map((_, i) => (level * 31 + i * 7) % 251),
      });
      for (let i = 0; i < 11; i++) {
        const name = `${String(i).padStart(3, "0")}.png`;
        await writeImage(`${root}/training/frames/01/${name}`, frame(i));
        await writeImage(`${root}/testing/frames/02/${name}`, frame(i + 40));
      }
      const masks = `${root}/testing/test_pixel_mask`;
      await Deno.mkdir(masks);
      const data = new Float32Array(11 * 200 * 320);
      data.fill(1, 5 * 200 * 320, 5 * 200 * 320 + 9000);
      await Deno.writeFile(
        `${masks}/02.npy`,
        encodeNpy(data, [11, 200, 320]),
      );
      const failed = await runCommand(evaluate, root, "--backbone", "demo");
      assertEquals(failed.code, 1);
      assertStringIncludes(failed.stderr, "layer4");
      const [record] = await evaluated(
        root,
        ...["--backbone", "demo", "--layers", "layer2,layer3"],
        ...["--coreset", "0.01"],
      );
      assertEquals(record!["images"], { train: 3, normal: 2, anomalous: 1 });
      assertEquals(record!["bank_rows"], Math.floor(3 * 32 * 32 * 0.01));
      assertRates(record!);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
);
