/**
 * The package for npm, as its users get it: packed, installed into empty
 * folders, and used as README.md tells, in Node.js and in a browser.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { PatchCore } from "../../mod.ts";
import { buildNpm } from "../../tools/npm/build.ts";
import { writeDemoFolder } from "../demo_folder.ts";
import { CHROMIUM, openBrowser, problemsOf } from "../web/browser.ts";
import { inEmptyFolder, type UserFolder } from "./user_folder.ts";

const ROOT = new URL("../../", import.meta.url);
/** How much scores of another implementation of WebGPU may differ. */
const TOLERANCE = 1e-3;
/** Where Debian's Chromium has its Vulkan on the CPU, which Dawn accepts. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const VERSIONS = { node: "24.21.0", webgpu: "0.6.2", vite: "8.4.0" };
const IMAGES = 3;

const canInstall = await hasNpm();
const reason = canInstall ? "" : " (skipped: npm reaches no registry)";

/** Whether packages of npm can be installed here. */
async function hasNpm(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("npm", {
      args: ["view", `webgpu@${VERSIONS.webgpu}`, "version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** A block of README.md, by its language and mark. */
async function recipe(mark: string): Promise<string> {
  const text = await Deno.readTextFile(new URL("README.md", ROOT));
  const block = new RegExp(`^\`\`\`${mark}\\n([\\s\\S]*?)^\`\`\`$`, "m");
  const [, program] = block.exec(text) ?? [];
  assert(program !== undefined, `README.md has no block "${mark}"`);
  return program;
}

/** Builds and packs the package; the path of what `npm pack` wrote. */
async function pack(folder: UserFolder): Promise<string> {
  await buildNpm(new URL(`file://${folder.path}/npm/`));
  const out = await folder.run("npm", "pack", "--silent", "./npm");
  return `./${out.trim()}`;
}

/** The scores of Deno for the images in `new`, by name. */
async function scoresHere(folder: UserFolder): Promise<Map<string, number>> {
  const images = (part: string) =>
    Array.from(Deno.readDirSync(`${folder.path}/${part}`), ({ name }) => ({
      name,
      content: () => Deno.readFile(`${folder.path}/${part}/${name}`),
    })).toSorted((a, b) => a.name < b.name ? -1 : 1);
  await using detector = await PatchCore.create({ backbone: "demo" });
  await detector.fit(images("good"));
  const scores = new Map<string, number>();
  for await (const { name, score } of detector.predict(images("new"))) {
    scores.set(name, score);
  }
  return scores;
}

Deno.test({
  name: `the npm package holds modules, types and kernels, nothing of Deno`,
  async fn() {
    await inEmptyFolder({}, async (folder) => {
      await buildNpm(new URL(`file://${folder.path}/npm/`));
      const { exports, dependencies } = JSON.parse(
        await folder.read("npm/package.json"),
      );
      for (const name of ["./core", "./nn", "./gpu", "./wgsl"]) {
        const { types, default: module } = exports[name];
        await folder.stat(`npm/${types}`);
        await folder.stat(`npm/${module}`);
      }
      const imported = new Set<string>();
      for await (const file of modulesOf(`${folder.path}/npm`)) {
        const text = await Deno.readTextFile(file);
        const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
        assert(!/\bDeno\.[a-z]/.test(code), `${file} calls Deno`);
        assert(!/"(npm|jsr):|\.ts"|type: "text"/.test(code), file);
        for (
          const [, name] of code.matchAll(
            /^(?:import|export)[^;]*? from "#?((?:@[^/"]+\/)?[^./"][^/":]*)/gm,
          )
        ) {
          imported.add(name!);
        }
      }
      for (const name of imported) {
        assert(name === "node" || name in dependencies, `"${name}" is missing`);
      }
    });
  },
});

async function* modulesOf(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* modulesOf(`${folder}/${name}`);
    else if (/\.(js|ts)$/.test(name)) yield `${folder}/${name}`;
  }
}

Deno.test({
  name: `the npm package scores as Deno does, in Node.js and browsers${reason}`,
  ignore: !canInstall,
  sanitizeOps: false, // the browser's pipes outlive it by a moment
  sanitizeResources: false,
  async fn(t) {
    const env = {
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_yes: "true",
      VK_ICD_FILENAMES: await exists(SWIFTSHADER) ? SWIFTSHADER : "",
    };
    await inEmptyFolder(env, async (folder) => {
      await writeDemoFolder(folder.path, IMAGES);
      await keepTwo(`${folder.path}/new`);
      const expected = await scoresHere(folder);
      const tarball = await pack(folder);
      await folder.write("package.json", '{ "type": "module" }\n');
      await folder.run("npm", "install", "--silent", tarball);

      await t.step("types of every entry", async () => {
        await folder.run("npm", "install", "--silent", "typescript@6.0.3");
        await folder.write("types.ts", TYPED);
        const options = ["--strict", "--noEmit", "--module", "nodenext"];
        const libraries = ["--target", "esnext", "--lib", "esnext,dom"];
        const { out } = await folder.attempt(
          ...["node_modules/.bin/tsc", ...options, ...libraries, "types.ts"],
        );
        // onnx-proto's own types want a global name that it does not bring.
        const problems = out.split("\n").filter((line) =>
          line !== "" && !line.startsWith("node_modules/onnx-proto/")
        );
        assertEquals(problems, []);
      });

      await t.step("Node.js with Dawn", async () => {
        await folder.run(
          ...["npm", "install", "--silent", `webgpu@${VERSIONS.webgpu}`],
          `node@${VERSIONS.node}`,
        );
        await folder.write("program.js", await recipe("js node"));
        const lines = await folder.run("node_modules/.bin/node", "program.js");
        const scores = lines.trim().split("\n").map((line) => line.split(" "));
        assertEquals(scores.length, expected.size);
        for (const [name, score] of scores) {
          assertAlmostEquals(Number(score), expected.get(name!)!, TOLERANCE);
        }
      });

      await folder.write("inspect.js", await recipe("js browser"));
      await t.step("esbuild", async (t) => {
        await folder.run("npm", "install", "--silent", "esbuild@0.28.2");
        await folder.run(
          ...["node_modules/.bin/esbuild", "--bundle", "--format=esm"],
          ...["--outfile=built/inspect.js", "inspect.js"],
        );
        await inBrowser(t, folder, "built/inspect.js", expected);
      });

      await t.step("Vite", async (t) => {
        await folder.run("npm", "install", "--silent", `vite@${VERSIONS.vite}`);
        await folder.write("vite.config.js", VITE);
        await folder.run("node_modules/.bin/vite", "build", "--logLevel=error");
        await inBrowser(t, folder, "dist/inspect.js", expected);
      });
    });
  },
});

const TYPED = `import { PatchCore, type Prediction } from "@patchcore/webgpu";
import { decodeImage, type Pixels } from "@patchcore/webgpu/core";
import { Network } from "@patchcore/webgpu/nn";
import { Gpu } from "@patchcore/webgpu/gpu";
import { conv2dDirect } from "@patchcore/webgpu/wgsl";
export const source: string = conv2dDirect.f32.source;
export const open = async (device: GPUDevice, info: GPUAdapterInfo) => new Gpu(device, info);
export const load = (gpu: Gpu, bytes: Uint8Array<ArrayBuffer>) => Network.load(gpu, bytes);
export const decode = (bytes: Uint8Array): Promise<Pixels> => decodeImage(bytes, "it");
export async function* scores(images: Pixels[]): AsyncGenerator<Prediction> {
  const detector = await PatchCore.create({ backbone: "demo" });
  // @ts-expect-error: a number is no image
  await detector.fit([1]);
  yield* detector.predict(images);
}
`;

const VITE = `export default {
  build: {
    lib: { entry: "inspect.js", formats: ["es"], fileName: "inspect" },
    target: "es2023",
  },
};
`;

/** Leaves a good image and a bad one: CPU adapters take their time. */
async function keepTwo(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!/^00[02]/.test(name)) await Deno.remove(`${folder}/${name}`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** Runs a bundle of the recipe in Chromium on the images of the folder. */
async function inBrowser(
  t: Deno.TestContext,
  folder: UserFolder,
  bundle: string,
  expected: ReadonlyMap<string, number>,
): Promise<void> {
  await t.step({
    name: "in Chromium",
    ignore: CHROMIUM === undefined,
    fn: async () => {
      const server = serveFolder(folder.path);
      const browser = await openBrowser();
      try {
        const page = await browser.newPage();
        const problems = problemsOf(page);
        await page.goto(server.url);
        const good = Array.from(
          Deno.readDirSync(`${folder.path}/good`),
          ({ name }) => `good/${name}`,
        ).sort();
        const names = [...expected.keys()];
        const others = names.map((name) => `new/${name}`);
        const scores = await page.evaluate(
          `import("/${bundle}").then(({ inspect }) =>
            inspect(${JSON.stringify(good)}, ${JSON.stringify(others)}))`,
        ) as number[];
        assertEquals(scores.length, names.length);
        for (const [i, score] of scores.entries()) {
          assertAlmostEquals(score, expected.get(names[i]!)!, TOLERANCE);
        }
        assertEquals(problems, []);
      } finally {
        await browser.close();
        await server[Symbol.asyncDispose]();
      }
    },
  });
}

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  png: "image/png",
};

/** The files of a folder over HTTP, an empty page, and the demo's backbone. */
function serveFolder(
  folder: string,
): AsyncDisposable & { readonly url: string } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const path = new URL(request.url).pathname;
      if (path === "/") {
        const page = '<!DOCTYPE html><link rel="icon" href="data:,">';
        return new Response(page, { headers: { "content-type": "text/html" } });
      }
      const file = path === "/demo.onnx"
        ? `${folder}/node_modules/@patchcore/webgpu/demo.onnx`
        : folder + path;
      const type = TYPES[path.replace(/^.*\./, "")] ??
        "application/octet-stream";
      return new Response(await Deno.readFile(file), {
        headers: { "content-type": type },
      });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
