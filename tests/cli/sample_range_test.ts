import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { evaluate } from "../../src/cli/evaluate.ts";
import { UsageError } from "../../src/cli/exit.ts";
import { fit } from "../../src/cli/fit.ts";
import { predict } from "../../src/cli/predict.ts";
import { rangeOf } from "../../src/cli/sample_range.ts";
import { readModelFile } from "../../src/core/model/model_file.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { encodeTiff } from "../../src/core/images/tiff.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";
import { tinyBackbone, tinyImages } from "../tiny_model.ts";
import { programTest, runCommand } from "./run_command.ts";

const SETTINGS = ["--resize=64", "--square", "--no-crop", "--layers"]
  .concat("layer1,layer2", "--dim=24", "--coreset=0.05", "--allow-random");

Deno.test("rangeOf() reads two numbers, and full as nothing", () => {
  assertEquals(rangeOf("0..4095"), { low: 0, high: 4095 });
  assertEquals(rangeOf("-1.5..2e3"), { low: -1.5, high: 2000 });
  assertEquals(rangeOf("full"), undefined);
  assertEquals(rangeOf(undefined), undefined);
  for (
    const text of ["", "5", "5..5", "6..5", "a..b", "0..1..2", "..", "0..1e999"]
  ) {
    assertThrows(
      () => rangeOf(text),
      UsageError,
      `Cannot use --range ${text}: `,
    );
  }
});

/** The same parts in three kinds of files. */
const KINDS = {
  /** Levels of 8 bits. */
  plain: { ext: "png", encode: encodePng },
  /** The highest 8 of 12 bits, in files of 16. */
  deep: {
    ext: "png",
    encode: ({ width, height, grey }: Grey) =>
      encodePng({
        width,
        height,
        grey: Uint16Array.from(grey, (l) => l * 16 + 7),
      }),
  },
  /** Floats, from 0 to 1 all in all. */
  floats: {
    ext: "tif",
    encode: ({ width, height, grey }: Grey) =>
      encodeTiff({
        width,
        height,
        data: Float32Array.from(grey, (l) => l / 255),
      }),
  },
} as const;

interface Grey {
  readonly width: number;
  readonly height: number;
  readonly grey: Uint8Array;
}

/** A part in grey; the first pixels are black and white. */
function greyOf({ width, height, data }: Pixels): Grey {
  const grey = Uint8Array.from(
    { length: width * height },
    (_, i) => data[4 * i]!,
  );
  grey.set([0, 255]);
  return { width, height, grey };
}

programTest(
  "fit, predict and evaluate give deep files the scores of their 8-bit copies",
  async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      const backbone = `${folder}/tiny.onnx`;
      await Deno.writeFile(backbone, tinyBackbone().bytes);
      const options = ["--backbone", backbone, "--batch=2", "--no-autotune"]
        .concat("--json");
      const run = (command: typeof fit, ...argv: readonly string[]) =>
        runCommand(command, ...argv, ...options);
      const { train } = tinyImages(12);
      const kinds = Object.entries(KINDS);
      for (const [kind, { ext, encode }] of kinds) {
        for (const [i, { content }] of train.entries()) {
          const part = i < 8 ? "normal" : "abnormal";
          const grey = greyOf(content as Pixels);
          // A defect that the normal parts lack.
          if (i >= 8) grey.grey.fill(255, 700, 900);
          await Deno.mkdir(`${folder}/${kind}/${part}`, { recursive: true });
          await Deno.writeFile(
            `${folder}/${kind}/${part}/${i}.${ext}`,
            await encode(grey),
          );
        }
      }
      const scores = new Map<string, number[]>();
      for (const [kind] of kinds) {
        await t.step(`fit --range auto and predict, ${kind}`, async () => {
          const model = `${folder}/${kind}.safetensors`;
          const fitted = await run(
            fit,
            `${folder}/${kind}/normal`,
            ...["--model", model, "--range=auto", ...SETTINGS],
          );
          assertEquals(fitted.code, 0, fitted.stderr);
          const { settings } = readModelFile(await Deno.readFile(model));
          assertEquals(
            settings.range,
            {
              plain: undefined,
              deep: { low: 0, high: 4095 },
              floats: { low: 0, high: 1 },
            }[kind],
          );
          const { code, stdout, stderr } = await run(
            predict,
            `${folder}/${kind}/abnormal`,
            ...["--model", model],
          );
          assertEquals(code, 0, stderr);
          assert(!stderr.includes("warning"), stderr);
          scores.set(
            kind,
            stdout.trim().split("\n").map((line) =>
              JSON.parse(line).pred_score
            ),
          );
        });
      }
      assertEquals(scores.get("plain")!.length, 4);
      assertEquals(scores.get("deep"), scores.get("plain"));
      assertEquals(scores.get("floats"), scores.get("plain"));

      await t.step("evaluate --range auto", async () => {
        const [plain, deep] = await Promise.all(
          ["plain", "deep"].map(async (kind) => {
            const { code, stdout, stderr } = await run(
              evaluate,
              `${folder}/${kind}`,
              ...["--range=auto", ...SETTINGS],
            );
            assertEquals(code, 0, stderr);
            return JSON.parse(stdout.split("\n")[0]!);
          }),
        );
        assertEquals(deep.image_auroc, plain.image_auroc);
        assertEquals(deep.threshold, plain.threshold);
      });

      await t.step(
        "fit without a range warns of dark files, and names it",
        async () => {
          const { code, stderr } = await run(
            fit,
            `${folder}/deep/normal`,
            ...["--model", `${folder}/dark.safetensors`, ...SETTINGS],
          );
          assertEquals(code, 0, stderr);
          assertStringIncludes(
            stderr,
            "has 16 bits a sample and uses the lower 12: only the highest 8 are taken, so that it is nearly black; add --range auto, or --range 0..4095",
          );
          assertStringIncludes(
            stderr,
            "8 of 8 images do not use the upper bits",
          );
        },
      );

      await t.step("fit of floats without a range is refused", async () => {
        const { code, stderr } = await run(
          fit,
          `${folder}/floats/normal`,
          ...["--model", `${folder}/none.safetensors`, ...SETTINGS],
        );
        assertEquals(code, 1);
        assertStringIncludes(stderr, "say with --range LO..HI");
      });

      await t.step("fit --append keeps the model's range", async () => {
        const append = (...more: readonly string[]) =>
          run(
            fit,
            `${folder}/deep/abnormal`,
            ...["--append", `${folder}/deep.safetensors`, "--all"],
            ...["--model", `${folder}/more.safetensors`, ...more],
          );
        const other = await append("--range=0..1023");
        assertEquals(other.code, 2, other.stderr);
        assertStringIncludes(other.stderr, "with range");
        const auto = await append("--range=auto");
        assertEquals(auto.code, 2, auto.stderr);
        assertStringIncludes(auto.stderr, "the model has its range");
        const { code, stderr } = await append();
        assertEquals(code, 0, stderr);
        assert(!stderr.includes("warning"), stderr);
      });

      await t.step("--max-pixels refuses an image by its header", async () => {
        const { code, stderr } = await run(
          predict,
          `${folder}/plain/abnormal`,
          ...["--model", `${folder}/plain.safetensors`, "--max-pixels=100"],
        );
        assertEquals(code, 1);
        assertStringIncludes(stderr, "at most 100 are allowed; shrink it");
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
