/**
 * Builds the package for npm, for Node.js and for bundlers: `npm/` holds ES
 * modules with their types, the kernels inside, nothing of Deno and nothing of
 * the command line.
 *
 * @module
 */
import { stop, transform } from "esbuild";
import ts from "typescript";
import { sourcesModule, withoutTextImports } from "../embed_wgsl.ts";

const ROOT = new URL("../../", import.meta.url);

/** Entries of the package beside the one for Node.js. */
const ENTRIES: Readonly<Record<string, string>> = {
  "./core": "src/core/mod.ts",
  "./nn": "src/nn/mod.ts",
  "./gpu": "src/gpu/mod.ts",
  "./wgsl": "src/wgsl/mod.ts",
};
const NODE_ENTRY = "tools/npm/node.ts";
const SOURCES = "src/wgsl/sources.ts";
/** Packages that read files: bundles for browsers do without them. */
const NODE_ONLY: ReadonlySet<string> = new Set(["imagescript"]);
const NO_MODULE = "no_module.js";
/** Files that go as they are. */
const COPIED: Readonly<Record<string, string>> = {
  "weights/demo.onnx": "demo.onnx",
  "README.md": "README.md",
  "CHANGELOG.md": "CHANGELOG.md",
  "LICENSE": "LICENSE",
};

const LOCAL = /((?:\bfrom|\bimport)\s*\(?\s*)"(\.{1,2}\/[^"]+)\.ts"/g;
const PACKAGE = /"npm:((?:@[^/"]+\/)?[^/@"]+)@([^/"]+)(\/[^"]*)?"/g;

/** A module of the package, ready to be written. */
interface Module {
  /** Where it goes, without ending. */
  readonly name: string;
  /** TypeScript with the package's own specifiers. */
  readonly text: string;
}

/**
 * Writes the package into a folder, which is emptied before.
 *
 * @throws {Error} If types cannot be told from a module alone.
 */
export async function buildNpm(out: URL): Promise<void> {
  await Deno.remove(out, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const dependencies = new Map<string, string>();
  const files = await reachable([NODE_ENTRY, ...Object.values(ENTRIES)]);
  for (const [path, text] of files) {
    await writeModule(out, portable(path, text, dependencies));
  }
  await stop();
  for (const [from, to] of Object.entries(COPIED)) {
    await Deno.copyFile(new URL(from, ROOT), new URL(to, out));
  }
  await Deno.writeTextFile(
    new URL(NO_MODULE, out),
    "// What only Node.js has.\nexport default undefined;\n",
  );
  const manifest = packageJson(await config(), dependencies);
  await Deno.writeTextFile(
    new URL("package.json", out),
    `${JSON.stringify(manifest, null, 2)}\n`,
  );
}

/** The texts of modules and of all that they import, by path. */
async function reachable(
  entries: readonly string[],
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const kernels = new Map<string, string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (texts.has(path)) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const [, specifier] of text.matchAll(/"(\.[^"]+\.wgsl)" with/g)) {
      const file = resolved(specifier!, path);
      kernels.set(file, await Deno.readTextFile(new URL(file, ROOT)));
    }
    const embedded = withoutTextImports(path, text);
    texts.set(path, embedded);
    for (const [, , specifier] of withoutComments(embedded).matchAll(LOCAL)) {
      const next = resolved(`${specifier}.ts`, path);
      if (next !== SOURCES) open.push(next);
    }
  }
  texts.set(SOURCES, sourcesModule(kernels));
  return texts;
}

function resolved(specifier: string, from: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
}

/** A module with specifiers as npm has them; notes what it depends on. */
function portable(
  path: string,
  text: string,
  dependencies: Map<string, string>,
): Module {
  const isNode = path === NODE_ENTRY;
  const here = isNode ? text.replaceAll('"../../src/', '"./') : text;
  const named = here.replaceAll(
    PACKAGE,
    (_, name: string, version: string, rest = "") => {
      if (!name.startsWith("@types/")) dependencies.set(name, version);
      return `"${NODE_ONLY.has(name) ? "#" : ""}${name}${rest}"`;
    },
  );
  return {
    name: isNode ? "node" : path.replace(/^src\//, "").replace(/\.ts$/, ""),
    text: named.replaceAll(LOCAL, '$1"$2.js"'),
  };
}

async function writeModule(out: URL, { name, text }: Module): Promise<void> {
  const { code } = await transform(text, {
    loader: "ts",
    format: "esm",
    target: "es2023",
    sourcefile: `${name}.ts`,
  });
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(text, {
    fileName: `${name}.ts`,
    compilerOptions: {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      strict: true,
      isolatedDeclarations: true,
    },
    reportDiagnostics: true,
  });
  if (diagnostics.length > 0) {
    const why = diagnostics.map(({ messageText }) =>
      ts.flattenDiagnosticMessageText(messageText, "\n")
    );
    throw new Error(`Cannot tell the types of "${name}": ${why.join("; ")}`);
  }
  // TypeScript 6 tells of methods such as [Symbol.dispose] twice.
  const types = outputText.replace(
    /^ +(\[Symbol\.\w+\]): .*\n/gm,
    (line, method) => outputText.includes(` ${method}(`) ? "" : line,
  );
  const file = new URL(`${name}.js`, out);
  await Deno.mkdir(new URL(".", file), { recursive: true });
  await Deno.writeTextFile(file, code);
  await Deno.writeTextFile(new URL(`${name}.d.ts`, out), types);
}

/** What `deno.json` says. */
interface Config {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

async function config(): Promise<Config> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
}

function packageJson(
  { name, version, license }: Config,
  dependencies: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const entry = (path: string) => ({
    types: `./${path}.d.ts`,
    default: `./${path}.js`,
  });
  const entries = Object.entries(ENTRIES).map(([name, path]) => [
    name,
    entry(path.replace(/^src\//, "").replace(/\.ts$/, "")),
  ]);
  const nodeOnly = [...NODE_ONLY].filter((name) => dependencies.has(name));
  return {
    name,
    version,
    license,
    description:
      "PatchCore on WebGPU: finds anomalies in images after having seen normal ones only",
    type: "module",
    exports: {
      ".": {
        browser: entry("core/mod"),
        node: entry("node"),
        ...entry("core/mod"),
      },
      ...Object.fromEntries(entries),
      "./demo.onnx": "./demo.onnx",
      "./package.json": "./package.json",
    },
    imports: Object.fromEntries(
      nodeOnly.map((name) => [
        `#${name}/*`,
        { browser: `./${NO_MODULE}`, default: `${name}/*` },
      ]),
    ),
    sideEffects: ["./node.js"],
    engines: { node: ">=24" },
    dependencies: Object.fromEntries(
      [...dependencies].sort(([a], [b]) => a < b ? -1 : 1),
    ),
    peerDependencies: { webgpu: ">=0.6" },
    peerDependenciesMeta: { webgpu: { optional: true } },
  };
}

if (import.meta.main) {
  const out = new URL("npm/", ROOT);
  await buildNpm(out);
  console.log("npm/: try it with `npm pack`, publish it with `npm publish`");
}
