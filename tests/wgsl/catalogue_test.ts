import { assert, assertEquals, assertThrows } from "@std/assert";
import * as catalogue from "../../src/wgsl/mod.ts";
import type { Kernel } from "../../src/wgsl/mod.ts";

const kernels = [...new Set(Object.values(catalogue).flatMap(kernelsOf))];

Deno.test("the catalogue holds kernels, each name once", () => {
  assert(kernels.length > 10, `Found ${kernels.length} kernels only`);
  const names = kernels.map(({ name }) => name);
  assertEquals(names.toSorted(), [...new Set(names)].sort());
});

Deno.test("src/wgsl/mod.ts lists every file of its folder", async () => {
  const folder = new URL("../../src/wgsl/", import.meta.url);
  const list = await Deno.readTextFile(new URL("mod.ts", folder));
  const missing: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".ts") || name === "mod.ts") continue;
    if (!list.includes(`"./${name}"`)) missing.push(name);
  }
  assertEquals(missing, []);
});

Deno.test("every WGSL file is part of a kernel", async () => {
  const sources = kernels.map(({ source }) => source);
  const unused: string[] = [];
  for await (
    const url of filesBelow(new URL("../../src/wgsl/", import.meta.url))
  ) {
    if (!url.pathname.endsWith(".wgsl")) continue;
    const lines = literalLines(await Deno.readTextFile(url));
    const isPart = sources.some((source) =>
      lines.every((line) => source.includes(line))
    );
    if (!isPart) {
      unused.push(url.pathname);
    }
  }
  assertEquals(unused, []);
});

/** Lines that stand in the kernels as they are: no loops, nothing inserted. */
function literalLines(text: string): string[] {
  return text.split("\n").filter((line) =>
    !line.trimStart().startsWith("//#") && !/\{\S/.test(line)
  );
}

Deno.test("kernels hold no directives of the expander", () => {
  const left = kernels.filter(({ source }) => /\/\/#|\{\w/.test(source));
  assertEquals(left.map(({ name }) => name), []);
});

for (const kernel of kernels) {
  Deno.test(`${kernel.name}: the catalogue entry and the WGSL text agree`, () =>
    checkAgreement(kernel));
}

/**
 * Kernels that share the test or bench of what they do together. A kernel named
 * after its family, as `winograd_input` is, needs no line here.
 */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  coreset: ["project_rows"],
  foreground: [
    "foreground_mask",
    "mask_distances",
    "principal_combine",
    "principal_direction",
    "principal_mean",
    "principal_project",
    "principal_step",
    "top_mean",
    "unit_rows",
  ],
  greedy_coreset: [
    "coreset_gather",
    "coreset_histogram",
    "coreset_refresh",
    "coreset_select",
    "coreset_start",
    "coreset_step",
    "coreset_threshold",
  ],
  image_score: ["copy_rows", "image_max", "reweight"],
  ivfpq: [
    "ivf_scan",
    "kmeans_assign",
    "kmeans_update",
    "pair_distance",
    "residual_rows",
  ],
  padim: [
    "cholesky_diagonal",
    "cholesky_solve",
    "cholesky_update",
    "covariance",
    "gather_columns",
    "mahalanobis",
    "running_mean",
  ],
  patch_features: ["patch_merge", "patch_pool", "sample_mean"],
  projection: ["project_rows"],
  proxies: [
    "product",
    "proxy_coefficients",
    "proxy_residual",
    "proxy_step",
    "proxy_weights",
    "row_norms",
  ],
  search: ["pack_rows", "packed_norms"],
  spade: ["row_distances"],
};

Deno.test("FAMILIES name kernels that exist", () => {
  const names = new Set(kernels.map(({ name }) => name));
  const members = Object.values(FAMILIES).flat();
  assertEquals(members.filter((name) => !names.has(name)), []);
});

Deno.test.each(["test", "bench"])(
  "every kernel has a %s that names it, or its family's",
  async (kind) => {
    const root = kind === "test" ? "tests" : "bench";
    const files = new Map<string, string>();
    for await (
      const url of filesBelow(new URL(`../../${root}/`, import.meta.url))
    ) {
      const [, name] = /(\w+)_(?:test|bench)\.ts$/.exec(url.pathname) ?? [];
      if (name) files.set(name, await Deno.readTextFile(url));
    }
    const without = kernels.filter(({ name }) => {
      const own = files.get(name);
      const isNamed = own !== undefined &&
        (own.includes(name) || own.includes(camelCase(name)));
      return !isNamed && !familiesOf(name).some((family) => files.has(family));
    });
    assertEquals(without.map(({ name }) => name), []);
  },
);

/** `search_groups_subgroup8` → `search_groups`, `search`, and those of the table. */
function familiesOf(name: string): string[] {
  const words = name.split("_");
  const shorter = words.map((_, i) => words.slice(0, i).join("_")).slice(1);
  const listed = Object.keys(FAMILIES).filter((family) =>
    [name, ...shorter].some((part) => FAMILIES[family]!.includes(part))
  );
  return [...shorter, ...listed];
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

const EXAMPLE: Kernel<unknown> = {
  name: "example",
  source: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    struct Params { count: u32, /* was: old: f32, */ scale: f32 }
    @group(0) @binding(2) var<uniform> params: Params;
    override SIZE: u32 = 8u; // override NOTHING: u32 = 1u;
    override DOUBLE: u32 = SIZE * 2;
    @compute @workgroup_size(8) fn main() {}`,
  bindings: { x: "read", y: "read_write" },
  params: { count: "u32", scale: "f32" },
  overrides: { SIZE: 8 },
  plan: () => ({ params: {}, workgroups: [1, 1, 1] }),
};

Deno.test("checkAgreement() accepts an entry that fits", () =>
  checkAgreement(EXAMPLE));

const source = (from: string, to: string): Partial<Kernel<unknown>> => ({
  source: EXAMPLE.source.replaceAll(from, to),
});

Deno.test.each<[string, Partial<Kernel<unknown>>]>([
  ["bindings in another order", { bindings: { y: "read_write", x: "read" } }],
  ["another access", { bindings: { x: "read", y: "read" } }],
  ["a missing binding", { bindings: { x: "read" } }],
  ["another group", source("@group(0) @binding(1)", "@group(1) @binding(1)")],
  ["a gap between bindings", source("@binding(1)", "@binding(5)")],
  ["fields in another order", { params: { scale: "f32", count: "u32" } }],
  ["another field type", { params: { count: "i32", scale: "f32" } }],
  ["a missing field", { params: { count: "u32" } }],
  ["a uniform that is not last", source("@binding(2)", "@binding(3)")],
  ["an extra uniform", source("@compute", "var<uniform> more: u32; @compute")],
  ["another default", { overrides: { SIZE: 4 } }],
  ["an unknown override", { overrides: { SIZE: 8, WIDTH: 1 } }],
  ["an override left out", { overrides: {} }],
  ["an override without default", source("u32 = 8u", "u32")],
  ["another entry point", source("fn main", "fn start")],
])("checkAgreement() refuses %s", (_, change) => {
  assertThrows(() => checkAgreement({ ...EXAMPLE, ...change }));
});

function checkAgreement(kernel: Kernel<unknown>): void {
  const text = withoutComments(kernel.source);
  assertEquals(storageBindings(text), Object.entries(kernel.bindings));
  assertEquals(paramFields(text), Object.entries(kernel.params));
  assertEquals(overridesOf(text), kernel.overrides);
  const index = Object.keys(kernel.bindings).length;
  const uniforms = [...text.matchAll(/^.*var<uniform>.*$/gm)].map(([line]) =>
    line.trim()
  );
  assertEquals(
    uniforms,
    Object.keys(kernel.params).length === 0
      ? []
      : [`@group(0) @binding(${index}) var<uniform> params: Params;`],
    "Params has to be the only uniform, bound last",
  );
  assert(/@compute[^{]*\bfn main\s*\(/.test(text), "No entry point main");
}

async function* filesBelow(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

function kernelsOf(value: unknown): Kernel<unknown>[] {
  if (Array.isArray(value)) return value.flatMap(kernelsOf);
  const isKernel = typeof value === "object" && value !== null &&
    "source" in value && "bindings" in value && "plan" in value;
  if (isKernel) return [value as Kernel<unknown>];
  return typeof value === "object" && value !== null
    ? Object.values(value).flatMap(kernelsOf)
    : [];
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
}

const IMAGES: Readonly<Record<string, string>> = {
  "rgba32float, read": "image_f32",
  "rg32uint, read": "image_f16",
};

function storageBindings(text: string): [string, string][] {
  const pattern =
    /@group\((\d+)\)\s*@binding\((\d+)\)\s*var(?:<storage(?:,\s*(read|read_write))?>\s+(\w+)|\s+(\w+): texture_storage_2d<([^>]+)>)/g;
  return [...text.matchAll(pattern)]
    .toSorted((a, b) => Number(a[2]) - Number(b[2]))
    .map(([, group, index, access, buffer, image, format], i) => {
      const name = buffer ?? image!;
      assertEquals(group, "0", `${name} is not in group 0`);
      assertEquals(index, String(i), `${name} leaves a gap`);
      if (format === undefined) return [name, access ?? "read"];
      return [name, IMAGES[format] ?? format];
    });
}

function paramFields(text: string): [string, string][] {
  const body = /struct Params\s*\{([^}]*)\}/.exec(text)?.[1] ?? "";
  return [...body.matchAll(/(\w+)\s*:\s*(\w+)/g)]
    .map(([, name, type]) => [name!, type!]);
}

/** Overrides with a literal as default; those derived from others stay out. */
function overridesOf(text: string): Record<string, number> {
  const found = text.matchAll(
    /\boverride\s+(\w+)\s*(?::\s*\w+)?\s*(?:=\s*([^;]+))?;/g,
  );
  return Object.fromEntries(
    [...found].flatMap(([, name, value]) => {
      assert(value !== undefined, `Override ${name} has no default`);
      const number = numberOf(value.trim());
      return number === undefined ? [] : [[name!, number]];
    }),
  );
}

/** The value of a WGSL literal; nothing for an expression of others. */
function numberOf(literal: string): number | undefined {
  if (literal === "true") return 1;
  if (literal === "false") return 0;
  const number = Number(literal.replace(/(?<=\d)[uif]$/, ""));
  return Number.isNaN(number) ? undefined : number;
}
