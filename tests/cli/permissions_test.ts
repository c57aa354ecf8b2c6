import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { tinyBackbone } from "../tiny_model.ts";
import { withDemoDataset } from "./demo_dataset.ts";

const PROGRAM = fileURLToPath(new URL("../../mod.ts", import.meta.url));
const DOCS = new URL("../../docs/deploying.md", import.meta.url);
const READ = "--allow-read";
const CODEC = "--allow-env=IMAGESCRIPT_WASM_SIMD,CODECS_FORCE_WASM";

/** The program in a process of its own, which may do what is allowed alone. */
function start(
  permissions: readonly string[],
  ...argv: readonly string[]
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--quiet", ...permissions]
      .concat(PROGRAM, argv),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(
  permissions: readonly string[],
  ...argv: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = start(permissions, ...argv);
  const [stdout, stderr, { code }] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.status,
  ]);
  return { code, stdout, stderr };
}

/** Runs what has to work. */
async function works(
  permissions: readonly string[],
  ...argv: readonly string[]
): Promise<string> {
  const { code, stdout, stderr } = await run(permissions, ...argv);
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test("--help, --version and mistakes need no permission", async () => {
  assertStringIncludes(await works([], "--help"), "Usage: deno run -A mod.ts");
  assertStringIncludes(await works([], "predict", "--help"), "--fail-on-anom");
  assertStringIncludes(await works([], "completions", "bash"), "_patchcore");
  await works([], "--version");
  const { code, stderr } = await run([], "predict", "--nonsense");
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'Unknown option "--nonsense"');
});

Deno.test("every command does with the permissions of docs/deploying.md", async (t) => {
  const docs = await Deno.readTextFile(DOCS);
  assertStringIncludes(docs, CODEC);
  /** What the table says: words for the options below. */
  const said = (command: string): string =>
    docs.split("\n").find((line) => line.startsWith("| `" + command + "` "))!
      .split("|")[2]!.trim();
  await withDemoDataset({ train: 4, good: 1, defective: 1 }, async (root) => {
    const good = `${root}/flange/train/good`;
    const out = `${root}/out`;
    const models = `${root}/models`;
    for (const folder of [models, out]) await Deno.mkdir(folder);
    const tiny = `${models}/tiny.onnx`;
    await Deno.writeFile(tiny, tinyBackbone().bytes);
    const model = `${models}/m.safetensors`;
    const network = ["--backbone", tiny, "--allow-random"]
      .concat("--layers", "layer1,layer2", "--dim=24")
      .concat("--resize=64", "--no-crop", "--square", "--batch=2");
    const toModels = [READ, CODEC, `--allow-write=${models}`];
    const toOut = [READ, CODEC, `--allow-write=${out}`];

    await t.step("fit, fit --append, merge", async () => {
      assertStringIncludes(said("fit"), "`CODEC`, `--allow-write=` folder of");
      await works(toModels, "fit", good, "--model", model, ...network);
      assertEquals(said("fit --append"), said("fit"));
      await works(
        toModels,
        ...["fit", good, "--append", model],
        ...["--model", `${models}/n.safetensors`, "--backbone", tiny],
      );
      assertEquals(said("merge"), "`--allow-write=` folder of the model");
      await works(
        [READ, `--allow-write=${models}`],
        ...["merge", model, model, "--model", `${models}/both.safetensors`],
      );
    });
    await t.step("predict", async () => {
      assertStringIncludes(said("predict"), "`CODEC`; with `--out`");
      await works([READ, CODEC], "predict", good, "--model", model);
      await works(
        toOut,
        ...["predict", good, "--model", model, "--out", `${out}/predict`],
        ...["--maps", "png", "--overlay", "--mask", "--csv", "--report"],
      );
    });
    await t.step("evaluate", async () => {
      assertStringIncludes(said("evaluate"), "`CODEC`; with `--out`");
      await works([READ, CODEC], "evaluate", root, ...network);
    });
    await t.step("info and weights list", async () => {
      assertEquals([said("info"), said("weights list")], [
        "nothing",
        "nothing",
      ]);
      await works([READ], "info", model);
      await works([READ], "weights", "list");
    });
    await t.step("serve starts", async () => {
      assertEquals(said("serve"), "`CODEC`, `--allow-net=` where it listens");
      const net = "--allow-net=127.0.0.1";
      const child = start(
        [READ, CODEC, net],
        ...["serve", "--port", "0", "--model", model],
      );
      let text = "";
      for await (
        const part of child.stdout.pipeThrough(new TextDecoderStream())
      ) {
        text += part;
        if (text.includes("Listening on")) break;
      }
      child.kill("SIGKILL");
      await child.stderr.cancel();
      await child.status;
      assertStringIncludes(text, "Listening on");
    });
  });
});
