import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodePng } from "../../src/core/images/png.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";
import { tinyDetector, tinyImages } from "../tiny_model.ts";
import { serve } from "../../src/cli/serve.ts";
import { runCommand } from "./run_command.ts";
import { imageBody } from "./serve/fake_service.ts";
import { startService } from "./serve/service_process.ts";

Deno.test("serve --models loads what is asked for, and what was replaced", async (t) => {
  const folder = await Deno.makeTempDir();
  const { content } = tinyImages(1).test[0]!;
  const image = await encodePng(content as Pixels);
  const scores: number[] = [];
  try {
    const write = async (name: string, train: number): Promise<void> => {
      using detector = await tinyDetector(undefined, train);
      const bytes = detector.save({ bundle: true });
      for await (const { score } of detector.predict([image])) {
        scores.push(score);
      }
      await Deno.writeFile(`${folder}/.new`, bytes);
      await Deno.rename(`${folder}/.new`, `${folder}/${name}.safetensors`);
    };
    await write("a", 3);
    await write("b", 5);
    const service = await startService(
      ...["--models", folder, "--models-memory", "1KiB", "--batch", "1"],
      "--no-autotune",
    );
    const ask = async (model: string): Promise<number> => {
      const response = await fetch(
        `${service.url}/predict?model=${model}`,
        imageBody(image),
      );
      const { pred_score, error } = await response.json();
      assertEquals(response.status, 200, error);
      return pred_score;
    };
    const loaded = async (): Promise<string[]> => {
      const { models } = await (await fetch(`${service.url}/models`)).json();
      return models.map((model: { name: string; loaded: boolean }) =>
        `${model.name}${model.loaded ? "+" : "-"}`
      );
    };
    try {
      await t.step("nothing is loaded at the start", async () => {
        assertEquals(await loaded(), ["a-", "b-"]);
        const health = await fetch(`${service.url}/health`);
        assertEquals((await health.json()).models, ["a", "b"]);
      });
      await t.step("one after the other, where two do not fit", async () => {
        for (const model of ["a", "b", "a"]) {
          assertEquals(await ask(model), scores[model === "a" ? 0 : 1]);
          assertEquals(
            await loaded(),
            model === "a" ? ["a+", "b-"] : ["a-", "b+"],
          );
        }
      });
      await t.step("a file that was replaced", async () => {
        await write("a", 4);
        assertEquals(await ask("a"), scores[2]);
        assert(scores[2] !== scores[0]);
      });
      await t.step("metrics, and names that there are not", async () => {
        const text = await (await fetch(`${service.url}/metrics`)).text();
        assertMatch(text, /^patchcore_models_loaded 1$/m);
        assertMatch(text, /patchcore_model_changes_total\{change="loaded"\} 4/);
        for (const [query, status] of [["?model=c", 404], ["", 400]] as const) {
          const response = await fetch(
            `${service.url}/predict${query}`,
            imageBody(image),
          );
          assertEquals(response.status, status);
          await response.body?.cancel();
        }
      });
    } finally {
      const { code, stderr } = await service.stop("SIGTERM");
      assertEquals(code, 0, stderr);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test.each<[readonly string[], string]>([
  [["--models", "x", "--model", "y"], "either --model or --models"],
  [["--models", "x", "--threshold", "1"], "--threshold with --models"],
  [["--models", "x", "--models-memory", "much"], "--models-memory"],
  [[], "--model M.safetensors is missing"],
])("serve refuses %j", async (argv, sentence) => {
  const { code, stderr } = await runCommand(serve, ...argv);
  assertEquals(code, 2);
  assert(stderr.includes(sentence), stderr);
});
