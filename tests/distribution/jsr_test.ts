/**
 * The package as its users get it: published to a registry on loopback, run,
 * added and imported from empty folders; and imported by path and by URL.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writeDemoFolder } from "../demo_folder.ts";
import { registryWithPackage } from "../../tools/jsr_registry.ts";
import { readTar } from "../../tools/tar.ts";
import { inEmptyFolder, type UserFolder } from "./user_folder.ts";

const ROOT = new URL("../../", import.meta.url);
const CONFIG = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);
const PACKAGE: string = CONFIG.name;
const EXPORTS: readonly string[] = Object.keys(CONFIG.exports)
  .map((name) => name.slice(1));

/** Prints how many exports each entry has, and the scores of two squares. */
const PROGRAM = (entry: (name: string) => string) => `
${
  EXPORTS.map((name, i) => `import * as m${i} from "${entry(name)}";`).join(
    "\n",
  )
}
const square = (level: number) => ({
  width: 64,
  height: 64,
  data: Uint8ClampedArray.from({ length: 64 * 64 * 4 }, (_, i) => level + i * 7919 % 13),
});
await using detector = await m0.PatchCore.create({ backbone: "demo", resize: 64, crop: null });
await detector.fit([square(100), square(104), square(108)]);
const scores: number[] = [];
for await (const { score } of detector.predict([square(104), square(220)])) scores.push(score);
const counts = [${
  EXPORTS.map((_, i) => `m${i}`)
}].map((module) => Object.keys(module).length);
const kernel = m${EXPORTS.indexOf("/wgsl")}.conv2dDirect.f32.source;
console.log(JSON.stringify({ scores, counts, kernel: kernel.length }));
`;

/** What {@linkcode PROGRAM} prints here. */
async function expected(folder: UserFolder): Promise<string> {
  const entry = (name: string) =>
    new URL(CONFIG.exports[`.${name}`], ROOT).href;
  await folder.write("here.ts", PROGRAM(entry));
  return await folder.deno("run", "-A", "--no-check", "here.ts");
}

Deno.test("the package runs, is added and imported from a JSR registry", async (t) => {
  await using registry = await registryWithPackage();
  await inEmptyFolder({ JSR_URL: registry.url }, async (folder) => {
    await t.step(
      "deno run -A jsr:@patchcore/webgpu fit, then predict",
      async () => {
        const run = ["run", "-A", `jsr:${PACKAGE}`];
        const version = await folder.deno(...run, "--version");
        assertEquals(version.trim(), CONFIG.version);
        await writeDemoFolder(folder.path, 4);
        const fit = ["fit", "good", "--backbone", "demo", "--no-crop"];
        await folder.deno(...run, ...fit, "--model", "m.safetensors");
        const lines = await folder.deno(
          ...[...run, "predict", "new", "--model", "m.safetensors", "--json"],
        );
        const scores = lines.trim().split("\n").map((line) => JSON.parse(line))
          .filter(({ pred_score }) => pred_score !== undefined);
        assert(scores.length > 3, lines);
      },
    );

    await t.step("deno add, and every export is there", async () => {
      await folder.write("deno.json", "{}\n");
      await folder.deno("add", "--quiet", `jsr:${PACKAGE}`);
      const added = JSON.parse(await folder.read("deno.json"));
      assertEquals(added.imports[PACKAGE], `jsr:${PACKAGE}@^${CONFIG.version}`);
      await folder.write("program.ts", PROGRAM((name) => PACKAGE + name));
      const found = await folder.deno("run", "-A", "--check", "program.ts");
      assertEquals(found, await expected(folder));
    });
  });
});

Deno.test("mod.ts brings what it needs when it is imported by path or URL", async (t) => {
  await inEmptyFolder({ JSR_URL: "http://127.0.0.1:9/" }, async (folder) => {
    const inline = await expected(folder);
    assertStringIncludes(inline, '"scores":[');
    await t.step("by URL", async () => {
      await using server = serveCheckout();
      const entry = (name: string) =>
        new URL(CONFIG.exports[`.${name}`], server.url).href;
      await folder.write("program.ts", PROGRAM(entry));
      const found = await folder.deno(
        ...["run", "-A", "--no-check", "--no-lock", "program.ts"],
      );
      assertEquals(found, inline);
    });
  });
});

/** The checkout's files over HTTP, as a web server sends them. */
function serveCheckout(): AsyncDisposable & { readonly url: string } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      const type = path.endsWith(".ts")
        ? "text/typescript"
        : "application/octet-stream";
      try {
        const bytes = await Deno.readFile(new URL(path, ROOT));
        return new Response(bytes, { headers: { "content-type": type } });
      } catch {
        return new Response(null, { status: 404 });
      }
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("readTar() reads what tar writes, long names included", async () => {
  await inEmptyFolder({}, async (folder) => {
    const long = `${"a".repeat(60)}/${"b".repeat(70)}.txt`;
    const contents = { "one.txt": "1", "empty": "", [long]: "x".repeat(1000) };
    for (const [path, text] of Object.entries(contents)) {
      await folder.write(path, text);
    }
    for (const format of ["gnu", "ustar", "pax"]) {
      const { stdout } = await new Deno.Command("tar", {
        args: [`--format=${format}`, "-cf-", ...Object.keys(contents)],
        cwd: folder.path,
      }).output();
      const read = readTar(new Uint8Array(stdout)).map(({ path, bytes }) => [
        path,
        new TextDecoder().decode(bytes),
      ]);
      assertEquals(Object.fromEntries(read), contents, format);
    }
  });
});
