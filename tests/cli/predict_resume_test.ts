import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { predict } from "../../src/cli/predict.ts";
import { withDemoDataset } from "./demo_dataset.ts";
import { programTest, runCommand } from "./run_command.ts";

const MOD = new URL("../../mod.ts", import.meta.url).pathname;

const SMALL = ["--backbone", "demo", "--resize", "64", "--no-crop", "--square"];

/** Runs the program and stops it once it has told of some images. */
async function stopped(
  signal: "SIGKILL" | "SIGINT",
  ...args: string[]
): Promise<{ code: number; errors: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MOD, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let lines = 0;
  for await (const chunk of child.stdout) {
    const before = lines;
    lines += chunk.filter((byte) => byte === 10).length;
    if (before < 3 && lines >= 3) child.kill(signal);
  }
  const { code } = await child.status;
  return { code, errors: await errors };
}

async function recordsOf(out: string): Promise<Map<string, number>> {
  const text = await Deno.readTextFile(`${out}/predictions.jsonl`);
  const lines = text.split("\n").filter((line) => line.endsWith("}"));
  const records = lines.map((line) => JSON.parse(line));
  return new Map(
    records.map(({ image_path, pred_score }) => [image_path, pred_score]),
  );
}

async function isFinished(out: string): Promise<boolean> {
  return JSON.parse(await Deno.readTextFile(`${out}/run.json`)).finished;
}

programTest(
  "predict keeps what it has done when it is stopped, and goes on",
  async (t) => {
    const size = { train: 4, good: 20, defective: 4 };
    await withDemoDataset(size, async (root) => {
      const model = `${root}/model.safetensors`;
      const set = `${root}/flange`;
      const fitted = await runCommand(fit, set, "--model", model, ...SMALL);
      assertEquals(fitted.code, 0, fitted.stderr);
      const options = [
        ...["--model", model, "--maps", "npy", "--overlay", "--csv", "--json"],
      ];
      const whole = `${root}/whole`;
      const once = await runCommand(predict, set, ...options, "--out", whole);
      assertEquals(once.code, 0, once.stderr);
      const wanted = await recordsOf(whole);
      assertEquals(wanted.size, 32);

      for (const signal of ["SIGKILL", "SIGINT"] as const) {
        await t.step(`after ${signal}`, async () => {
          const out = `${root}/${signal}`;
          const argv = [set, ...options, "--out", out];
          const { code, errors } = await stopped(signal, "predict", ...argv);
          assertEquals(code, signal === "SIGINT" ? 130 : 137);
          if (signal === "SIGINT") assertStringIncludes(errors, "--resume");
          assertEquals(await isFinished(out), false);
          const done = await recordsOf(out);
          assert(done.size >= 3 && done.size < wanted.size, `${done.size}`);
          await Deno.writeTextFile(
            `${out}/predictions.jsonl`,
            '{"image_path":"cut',
            { append: true },
          );
          const [changed, lost] = [...done.keys()];
          await Deno.utime(changed!, new Date(), new Date());
          const names = await Deno.readTextFile(`${out}/.files`);
          const map = names.split("\n").filter((line) => line !== "")
            .map((line) => JSON.parse(line))
            .find(({ file, image }) => image === lost && file.endsWith(".npy"));
          await Deno.remove(`${out}/${map.file}`);

          const again = await runCommand(predict, ...argv, "--resume");
          assertEquals(again.code, 0, again.stderr);
          assertStringIncludes(
            again.stderr,
            `${done.size - 2} images were scored before`,
          );
          const lines = again.stdout.trim().split("\n");
          assertEquals(lines.length, wanted.size - done.size + 2);
          assertEquals(
            [...await recordsOf(out)].sort(),
            [...wanted].sort(),
          );
          const csv = await Deno.readTextFile(`${out}/predictions.csv`);
          assertEquals(csv.trim().split("\r\n").length, wanted.size + 1);
          const maps = Array.fromAsync(Deno.readDir(`${out}/maps/good`));
          assertEquals((await maps).length, 20);
          assertEquals(await isFinished(out), true);
        });
      }

      await t.step("refuses another run's folder", async () => {
        const argv = [set, "--model", model, "--out", whole, "--resume"];
        const { code, stderr } = await runCommand(predict, ...argv);
        assertEquals(code, 1);
        assertStringIncludes(
          stderr,
          'its run had another files ({"maps":"npy","overlay":true,"mask":false} instead of {"maps":null,"overlay":false,"mask":false})',
        );
        const alone = await runCommand(
          predict,
          set,
          "--model",
          model,
          "--resume",
        );
        assertEquals(alone.code, 2);
      });

      await t.step("writes a report of all images", async () => {
        const out = `${root}/reported`;
        const argv = [set, "--model", model, "--out", out, "--json"];
        assertEquals((await runCommand(predict, ...argv)).code, 0);
        const [changed] = (await recordsOf(out)).keys();
        for (const scoredAgain of [0, 1]) {
          if (scoredAgain > 0) {
            await Deno.utime(changed!, new Date(), new Date());
          }
          const { code, stdout, stderr } = await runCommand(
            predict,
            ...[...argv, "--resume", "--report"],
          );
          assertEquals(code, 0, stderr);
          const lines = stdout.split("\n").filter((line) => line !== "");
          assertEquals(lines.length, scoredAgain);
          const page = await Deno.readTextFile(`${out}/report.html`);
          assertStringIncludes(page, "Table of all 32 images");
          assertEquals(page.split('<article class="image">').length, 33);
          const report = page.replaceAll("&#47;", "/");
          for (const name of wanted.keys()) assertStringIncludes(report, name);
        }
      });

      await t.step(
        "leaves nothing of the run before without --resume",
        async () => {
          const argv = [`${set}/test/good`, "--model", model, "--out", whole];
          const { code, stderr } = await runCommand(predict, ...argv);
          assertEquals(code, 0);
          assertStringIncludes(stderr, "held the results of an earlier run");
          const names = [...Deno.readDirSync(whole)].map(({ name }) => name)
            .sort();
          assertEquals(names, [".files", "predictions.jsonl", "run.json"]);
          assertEquals((await recordsOf(whole)).size, 20);
        },
      );
    });
  },
);
