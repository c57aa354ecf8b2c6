import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { info } from "../../src/cli/info.ts";
import { predict } from "../../src/cli/predict.ts";
import { tinyBackbone } from "../tiny_model.ts";
import { withDemoDataset } from "./demo_dataset.ts";
import { programTest, runCommand } from "./run_command.ts";

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
