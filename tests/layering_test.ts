import { assert, assertEquals, assertMatch } from "@std/assert";
import plugin from "../tools/lint/layering.ts";
import {
  countLines,
  importProblem,
  isPortable,
  isShipped,
  lengthProblem,
} from "../tools/lint/rules.ts";

const ROOT = new URL("../", import.meta.url);
const TREES = ["src", "tests", "bench", "tools", "examples", "scripts"];

const files = sourceFiles();
const texts = new Map(
  files.map((file) => [file, Deno.readTextFileSync(new URL(file, ROOT))]),
);

Deno.test("every import follows the direction of the layers", () => {
  const problems: string[] = [];
  let imports = 0;
  for (const [file, text] of texts) {
    for (const specifier of importsOf(text)) {
      if (isShipped(file)) imports++;
      const problem = importProblem(file, specifier);
      if (problem) problems.push(problem);
    }
  }
  assert(imports > 0, "No import was found: the test looks in the wrong place");
  assertEquals(problems, []);
});

Deno.test("no file imports itself by way of others, types included", () => {
  const graph = new Map(
    [...texts].filter(([file]) => isShipped(file)).map((
      [file, text],
    ) => [file, importsOf(text).flatMap((to) => localFile(file, to) ?? [])]),
  );
  assert([...graph.values()].flat().length > graph.size, "Found no imports");
  assertEquals(circlesOf(graph), []);
});

Deno.test.each<[string, Record<string, string[]>, string[][]]>([
  ["none in a chain", { a: ["b"], b: ["c"], c: [] }, []],
  [
    "none where ways meet again",
    { a: ["b", "c"], b: ["d"], c: ["d"], d: [] },
    [],
  ],
  ["a file that imports itself", { a: ["a"] }, [["a"]]],
  ["two files", { a: ["b"], b: ["a"], c: ["a"] }, [["a", "b"]]],
  [
    "two circles, one behind the other",
    { a: ["b"], b: ["c"], c: ["a", "d"], d: ["e"], e: ["d"] },
    [["a", "b", "c"], ["d", "e"]],
  ],
])("circlesOf() finds %s", (_, imports, expected) => {
  assertEquals(circlesOf(new Map(Object.entries(imports))), expected);
});

Deno.test("importsOf() finds every kind of import", () => {
  const text = `import a from "./a.ts";
import type { B } from "./b.ts";
import { type C, c } from "./c.ts";
import {
  d,
} from "./d.ts";
import "./e.ts";
export * from "./f.ts";
export type { G } from "./g.ts";
const h = await import("./h.ts");
import i from "./i.wgsl" with { type: "text" };
// import j from "./j.ts";
type K = import("./k.ts").K;`;
  assertEquals(
    importsOf(text),
    [
      "a.ts",
      "b.ts",
      "c.ts",
      "d.ts",
      "e.ts",
      "f.ts",
      "g.ts",
      "h.ts",
      "i.wgsl",
      "k.ts",
    ]
      .map((name) => `./${name}`),
  );
});

Deno.test("only src/cli touches Deno", () => {
  const offenders = files.filter((file) =>
    isPortable(file) && /\bDeno\??\.[a-zA-Z]/.test(withoutComments(file))
  );
  assertEquals(offenders, []);
});

Deno.test("no source file is longer than the limit", () => {
  const problems = files.flatMap((file) => {
    const problem = lengthProblem(countLines(texts.get(file)!));
    return problem ? [`${file}: ${problem}`] : [];
  });
  assertEquals(problems, []);
});

Deno.test.each([
  ["src/wgsl/gemm.ts", "../gpu/mod.ts", "wgsl may import nothing"],
  ["src/gpu/gpu.ts", "../nn/mod.ts", "gpu may import wgsl"],
  ["src/nn/session.ts", "../core/mod.ts", "nn may import gpu, wgsl"],
  ["src/core/mod.ts", "../cli/main.ts", "core may import nn, gpu, wgsl"],
  ["src/cli/fit.ts", "../gpu/mod.ts", "cli may import core"],
  ["mod.ts", "./src/gpu/mod.ts", "mod.ts may import core, cli"],
  ["src/core/images/a.ts", "../bank/b.ts", "may import settings"],
  ["src/core/images/a.ts", "../patchcore.ts", "may import settings"],
  ["src/core/settings/a.ts", "../images/b.ts", "may import nothing"],
  ["src/core/stuff/a.ts", "../images/b.ts", "no known folder of src/core"],
  ["src/nn/session.ts", "../wgsl/gemm.wgsl", "through src/wgsl/mod.ts"],
  ["src/nn/session.ts", "../../tests/testing.ts", "only src/ is published"],
  ["src/nn/graph.ts", "npm:onnx-proto@8.0.1", 'only "src/nn/onnx/proto.ts"'],
  ["src/core/images/png.ts", "imagescript/png", "imagescript.ts"],
  ["src/core/images/decode.ts", "@jsquash/jpeg/decode.js", "mozjpeg.ts"],
  ["src/cli/main.ts", "@std/cli/parse-args", "src/cli/args.ts"],
  ["src/cli/main.ts", "@std/assert", "is for tests"],
  ["src/core/mod.ts", "node:fs", "has to run in a browser"],
  ["src/nn/onnx/proto.ts", "onnx-proto", "no import map of ours"],
  ["src/nn/onnx/proto.ts", "npm:onnx-proto", "no import map of ours"],
])("importProblem() refuses %s importing %s", (file, specifier, reason) => {
  const problem = importProblem(file, specifier);
  assert(problem?.includes(reason), `${problem}`);
});

Deno.test("importProblem() allows what the layers allow", () => {
  const allowed = [
    ["src/gpu/gpu.ts", "../wgsl/kernel.ts"],
    ["src/wgsl/gemm.ts", "./gemm.wgsl"],
    ["src/core/patchcore.ts", "./score/knn.ts"],
    ["src/core/score/knn.ts", "../bank/memory_bank.ts"],
    ["src/cli/main.ts", "../core/mod.ts"],
    ["src/nn/onnx/proto.ts", "npm:onnx-proto@8.0.1"],
    ["src/cli/args.ts", "jsr:@std/cli@^1.0.0/parse-args"],
    ["src/cli/files.ts", "node:path"],
    ["tests/nn/model_builder.ts", "onnx-proto"],
  ] as const;
  for (const [file, specifier] of allowed) {
    assertEquals(importProblem(file, specifier), undefined);
  }
});

Deno.test("the lint plugin reports imports, Deno, the console and long files", () => {
  const path = new URL("src/nn/x.ts", ROOT).pathname;
  const source = `import { main } from "../cli/main.ts";
export * from "../core/mod.ts";
export const f = () => import("../core/mod.ts");
export type Info = Deno.FileInfo;
Deno.exit(1);
console.log(1);
// Deno in a comment is fine
${"\n".repeat(500)}`;
  const found = Deno.lint.runPlugin(plugin, path, source);
  assertEquals(found.map(({ id }) => id).sort(), [
    "patchcore/file-length",
    "patchcore/import-direction",
    "patchcore/import-direction",
    "patchcore/import-direction",
    "patchcore/no-console",
    "patchcore/portable",
    "patchcore/portable",
  ]);
  assertMatch(found[0]!.message, /lines|must not import|browser/);
});

/**
 * Files that reach themselves by imports, each circle sorted: the strongly
 * connected components (Tarjan 1972).
 */
function circlesOf(
  graph: ReadonlyMap<string, readonly string[]>,
): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) {
        lowest.set(file, Math.min(lowest.get(file)!, lowest.get(next)!));
      }
    }
    if (lowest.get(file) !== order.get(file)) return;
    const component = stack.splice(stack.indexOf(file));
    if (component.length > 1 || graph.get(file)?.includes(file)) {
      circles.push(component.sort());
    }
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles.sort(([a], [b]) => a! < b! ? -1 : 1);
}

/** The file of this package that an import means; nothing for a package. */
function localFile(file: string, specifier: string): string | undefined {
  return specifier.startsWith(".")
    ? new URL(specifier, `file:///${file}`).pathname.slice(1)
    : undefined;
}

function sourceFiles(): string[] {
  const found = ["mod.ts"].filter((file) => exists(file));
  const walk = (folder: string): void => {
    for (const entry of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) walk(path);
      else if (/\.(ts|wgsl)$/.test(entry.name)) found.push(path);
    }
  };
  for (const tree of TREES.filter(exists)) walk(tree);
  return found;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function withoutComments(file: string): string {
  return stripComments(texts.get(file)!);
}

function stripComments(text: string): string {
  return text
    .replace(/^\s*\/\*[\s\S]*?\*\//gm, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1");
}

function importsOf(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^"';]*?\sfrom\s+"([^"]+)"|(?:^|\n)\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/g;
  return [...stripComments(text).matchAll(pattern)]
    .map(([, from, bare, dynamic]) => from ?? bare ?? dynamic!);
}
