import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { architecture } from "../../src/nn/architectures/catalogue.ts";
import { buildGraph } from "../../src/nn/architectures/architecture.ts";
import { randomWeights } from "../../src/nn/architectures/random_weights.ts";
import { writeOnnx } from "../../src/nn/onnx/write.ts";
import { readSafetensors, writeSafetensors } from "../../src/nn/safetensors.ts";
import { DEMO_PRODUCTS, demoSet } from "../../src/core/demo/demo_set.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { readModelFile } from "../../src/core/model/model_file.ts";
import { makeDemoBackbone } from "../../weights/make_demo.ts";

const MOD = new URL("../../mod.ts", import.meta.url).pathname;

async function run(...args: string[]): Promise<{
  code: number;
  lines: Record<string, unknown>[];
  errors: string;
}> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MOD, ...args],
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  return {
    code,
    lines: text === "" ? [] : text.split("\n").map((line) => JSON.parse(line)),
    errors: new TextDecoder().decode(stderr),
  };
}

Deno.test("weights/demo.onnx is what make_demo.ts writes", async () => {
  const file = new URL("../../weights/demo.onnx", import.meta.url);
  const bytes = await Deno.readFile(file);
  assert(bytes.length < 2 ** 20);
  assertEquals(bytes, makeDemoBackbone());
});

Deno.test("fit and predict as programs", async (t) => {
  const folder = await Deno.makeTempDir();
  const model = `${folder}/model.safetensors`;
  const good = `${folder}/good`;
  const inbox = `${folder}/inbox`;
  await Deno.mkdir(good);
  await Deno.mkdir(inbox);
  let trained = 0;
  let tested = 0;
  const set = demoSet(DEMO_PRODUCTS[0]!, { train: 3, good: 3, defective: 0 });
  for (const { split, pixels } of set) {
    const path = split === "train"
      ? `${good}/${trained++}.png`
      : `${inbox}/${tested++}.png`;
    await Deno.writeFile(path, await encodePng(pixels));
  }
  try {
    await t.step("fit writes a model and says so in JSON", async () => {
      const options = ["--backbone", "demo", "--model", model, "--json"];
      const { code, lines, errors } = await run("fit", good, ...options);
      assertEquals(code, 0, errors);
      const [record] = lines;
      for (
        const key
          of "model images patches bank_rows dim threshold map_threshold seconds peak_gpu_bytes adapter"
            .split(" ")
      ) assert(key in record!, key);
      assertEquals(record!["images"], 3);
      const stored = readModelFile(await Deno.readFile(model));
      assertEquals(stored.rows, record!["bank_rows"]);
      const again = await run("fit", good, ...options);
      assertEquals(again.code, 1);
      assertStringIncludes(again.errors, "--overwrite");
    });
    await t.step("one bad image never kills a batch", async () => {
      const whole = await Deno.readFile(`${inbox}/0.png`);
      await Deno.writeFile(`${inbox}/cut.png`, whole.subarray(0, 9000));
      await Deno.writeTextFile(`${inbox}/text.jpg`, "no image");
      const { code, lines } = await run(
        "predict",
        inbox,
        ...["--model", model, "--json", "--out", `${folder}/out`],
        ...["--report", "--overlay", "--csv", "--maps", "npy"],
      );
      assertEquals(code, 1);
      const failed = lines.filter((line) => "error" in line);
      assertEquals(failed.map((line) => Object.keys(line)), [
        ["image_path", "error"],
        ["image_path", "error"],
      ]);
      const scored = lines.filter((line) => !("error" in line));
      assertEquals(scored.length, 3);
      for (const line of scored) {
        assertEquals(Object.keys(line), [
          "image_path",
          "pred_score",
          "pred_score_normalized",
          "pred_label",
          "threshold",
          "uncertain_from",
          "worst_patch",
          "map",
          "regions",
          "seen",
          "ms",
        ]);
        assertEquals(line["seen"], { x: 16, y: 16, width: 224, height: 224 });
        const map = line["map"] as Record<string, string>;
        assertEquals(Object.keys(map), [
          "path",
          "width",
          "height",
          "min",
          "max",
          "threshold",
          "scale",
          "disagrees",
          "min_area",
        ]);
        assert((await Deno.stat(map["path"]!)).size > 256 * 256 * 4);
        assert(map["threshold"] !== line["threshold"]);
      }
      assertStringIncludes(
        await Deno.readTextFile(`${folder}/out/report.html`),
        "76.6 % of its area: 224 × 224 of 256 × 256 pixels, from x 16, y 16",
      );
      const csv = await Deno.readTextFile(`${folder}/out/predictions.csv`);
      assertEquals(csv.trim().split("\r\n").length, 6);
    });
    await t.step(
      "a model without a map threshold says what is used",
      async () => {
        const old = `${folder}/old.safetensors`;
        const { tensors, metadata } = readSafetensors(
          await Deno.readFile(model),
        );
        const kept = [...metadata].filter(([key]) => !key.startsWith("map_"));
        const bytes = writeSafetensors(tensors, new Map(kept));
        await Deno.writeFile(old, bytes);
        const image = `${inbox}/0.png`;
        const { code, lines, errors } = await run(
          "predict",
          ...[image, image, "--model", old, "--json"],
        );
        assertEquals(code, 0, errors);
        assertEquals(errors.split("no threshold of its own").length, 2);
        const [{ threshold, map }] = lines as [
          { threshold: number; map: object },
        ];
        assertEquals((map as { threshold: number }).threshold, threshold);
      },
    );
    await t.step("random weights are refused with the reason", async () => {
      const resnet = architecture("resnet18");
      const { weights, metadata } = randomWeights(resnet, 1);
      const graph = buildGraph(resnet, weights, metadata);
      const file = `${folder}/random.onnx`;
      await Deno.writeFile(file, writeOnnx(graph));
      const target = `${folder}/random.safetensors`;
      const options = ["--backbone", file, "--model", target];
      const refused = await run("fit", good, ...options, "--json");
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.errors, "random");
      const allowed = await run(
        "fit",
        good,
        ...options,
        "--json",
        "--allow-random",
      );
      assertEquals(allowed.code, 0, allowed.errors);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
