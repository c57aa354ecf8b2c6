import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { predict } from "../../src/cli/predict.ts";
import { readModelFile } from "../../src/core/model/model_file.ts";
import { tinyBackbone } from "../tiny_model.ts";
import { withDemoDataset } from "./demo_dataset.ts";
import { programTest, runCommand } from "./run_command.ts";

programTest(
  "a model contains a small backbone, unless it is told not to",
  async (t) => {
    await withDemoDataset({ train: 2, good: 1, defective: 0 }, async (root) => {
      const backbone = `${root}/networks/tiny.onnx`;
      await Deno.mkdir(`${root}/networks`);
      await Deno.writeFile(backbone, tinyBackbone().bytes);
      const model = `${root}/model.safetensors`;
      const fitTo = (...more: readonly string[]) =>
        runCommand(
          fit,
          ...[`${root}/flange/train/good`, "--model", model, "--overwrite"],
          ...["--resize=64", "--square", "--no-crop", "--layers=layer1,layer2"],
          ...["--no-autotune", "--allow-random", ...more],
        );
      const stored = async () => readModelFile(await Deno.readFile(model));
      await t.step("predict needs nothing else", async () => {
        const { code, stderr } = await fitTo("--backbone", backbone);
        assertEquals(code, 0, stderr);
        assert(!stderr.includes("does not contain its backbone"), stderr);
        assertEquals((await stored()).backbone.onnx, tinyBackbone().bytes);
        await Deno.rename(backbone, `${root}/networks/away`);
        const run = await runCommand(
          predict,
          ...[`${root}/flange/test`, "--model", model, "--no-autotune"],
        );
        assertEquals(run.code, 0, run.stderr);
        await Deno.rename(`${root}/networks/away`, backbone);
      });
      await t.step("--no-bundle leaves it out and tells", async () => {
        const { code, stderr } = await fitTo(
          ...["--backbone", backbone, "--no-bundle"],
        );
        assertEquals(code, 0, stderr);
        assertStringIncludes(stderr, "The model does not contain its backbone");
        assertEquals((await stored()).backbone.onnx, undefined);
      });
      await t.step("demo is everywhere", async () => {
        assertEquals((await fitTo("--backbone=demo")).code, 0);
        assertEquals((await stored()).backbone.onnx, undefined);
      });
      await t.step("both options at once are refused", async () => {
        const { code, stderr } = await fitTo(
          ...["--backbone", backbone, "--bundle", "--no-bundle"],
        );
        assertEquals(code, 2);
        assertStringIncludes(stderr, "Give either --bundle or --no-bundle");
      });
    });
  },
);
