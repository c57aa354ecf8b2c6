import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Inspection, inspectSquares } from "../examples/portable.ts";
import { conv2dDirect } from "../src/wgsl/conv2d.ts";
import { embedKernels } from "../tools/embed_wgsl.ts";
import { gpuTest } from "./testing.ts";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);
const BACKBONE = `${ROOT}weights/demo.onnx`;
const CHROMIUM = await findChromium();

/** Path of a Chromium that has WebGPU without a GPU. */
async function findChromium(): Promise<string | undefined> {
  for (const name of ["chromium", "google-chrome"]) {
    const { success, stdout } = await new Deno.Command("sh", {
      args: ["-c", `command -v ${name}`],
      stderr: "null",
    }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
  }
  return undefined;
}

/** Bundles a program for browsers and returns its text. */
async function bundle(entry: string, folder: string): Promise<string> {
  const file = `${folder}/bundle.js`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "-q", "--platform", "browser", "-o", file, entry],
    cwd: ROOT,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return await Deno.readTextFile(file);
}

const PAGE = `<!doctype html><script type="module">
  const tell = (what) =>
    fetch("/done", { method: "POST", body: JSON.stringify(what) });
  try {
    const { inspectSquares } = await import("/bundle.js");
    const file = await fetch("/demo.onnx");
    await tell(await inspectSquares(new Uint8Array(await file.arrayBuffer())));
  } catch (error) {
    await tell({ error: String(error?.stack ?? error) });
  }
</script>`;

/** Runs the bundle in a headless Chromium and returns what it found. */
async function inBrowser(
  chromium: string,
  script: string,
  folder: string,
): Promise<Inspection> {
  const { promise, resolve } = Promise.withResolvers<Inspection>();
  const type = (name: string) => ({ headers: { "content-type": name } });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      switch (new URL(request.url).pathname) {
        case "/":
          return new Response(PAGE, type("text/html"));
        case "/bundle.js":
          return new Response(script, type("text/javascript"));
        case "/demo.onnx":
          return new Response(await Deno.readFile(BACKBONE));
        case "/done":
          resolve(await request.json());
          return new Response();
        default:
          return new Response(null, { status: 404 });
      }
    },
  );
  const child = new Deno.Command(chromium, {
    args: [
      "--headless=new",
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      `--user-data-dir=${folder}/profile`,
      `http://127.0.0.1:${server.addr.port}/`,
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const ended = child.status.then(({ code }) => {
    throw new Error(`Chromium ended with ${code} before it had answered`);
  });
  ended.catch(() => {});
  try {
    return await Promise.race([promise, ended]);
  } finally {
    kill(child);
    await child.status;
    await server.shutdown();
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Runs `use` in a new folder; a killed browser may still write to it. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await removeFolder(folder);
  }
}

async function removeFolder(folder: string, attempts = 20): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (attempts === 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await removeFolder(folder, attempts - 1);
  }
}

Deno.test("a bundle of ./core needs neither Deno nor other files", async () => {
  await inFolder(async (folder) => {
    const script = await bundle("examples/portable.ts", folder);
    assert(script.includes("@compute"), "the kernels are inside");
    assert(!/\bDeno\./.test(script), "Deno is called");
    const imported = /^(?:import|export)\b[^;]*\bfrom\s*"|\bimport\s*\(?\s*"/m;
    assert(!imported.test(script), "something is imported");
  });
});

gpuTest("PatchCore scores in a browser as in Deno", async (_gpu, t) => {
  await t.step({
    name: CHROMIUM ?? "Chromium (skipped: there is none)",
    ignore: CHROMIUM === undefined,
    fn: () =>
      inFolder(async (folder) => {
        const script = await bundle("examples/portable.ts", folder);
        const expected = await inspectSquares(await Deno.readFile(BACKBONE));
        const found = await inBrowser(CHROMIUM!, script, folder);
        assertEquals(found.scores?.length, 2, JSON.stringify(found));
        for (const [i, score] of found.scores.entries()) {
          assertAlmostEquals(score, expected.scores[i]!, 1e-3);
        }
      }),
  });
});

Deno.test("embedKernels() makes a package without text imports that works", async () => {
  await inFolder(async (folder) => {
    const out = new URL(`file://${folder}/package/`);
    const count = await embedKernels(new URL("../", import.meta.url), out);
    assert(count > 60, `${count} kernels`);
    await Deno.copyFile(
      `${ROOT}examples/portable.ts`,
      new URL("portable.ts", out),
    );
    const program = `
      import { inspectSquares } from "./portable.ts";
      import * as wgsl from "./src/wgsl/mod.ts";
      const { scores } = await inspectSquares(await Deno.readFile("weights/demo.onnx"));
      console.log(JSON.stringify({ scores, conv: wgsl.conv2dDirect.f32.source }));
      Deno.exit();`;
    await Deno.writeTextFile(new URL("run.ts", out), program);
    const deno = async (...args: string[]): Promise<string> => {
      const { success, stdout, stderr } = await new Deno.Command(
        Deno.execPath(),
        { args, cwd: out },
      ).output();
      assert(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    const { scores, conv } = JSON.parse(
      await deno("run", "-A", "--no-check", "--no-lock", "run.ts"),
    );
    const here = await inspectSquares(await Deno.readFile(BACKBONE));
    assertEquals(scores, here.scores);
    assertEquals(conv, conv2dDirect.f32.source);
    await Deno.remove(new URL("run.ts", out));
    await Deno.remove(new URL("portable.ts", out));
    await deno(
      "publish",
      "--dry-run",
      "--allow-dirty",
      "--quiet",
      "--no-check",
    );
  });
});
