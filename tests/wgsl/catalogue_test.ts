import { assert, assertEquals, assertObjectMatch } from "@std/assert";
import * as catalogue from "../../src/wgsl/mod.ts";
import type { Kernel } from "../../src/wgsl/mod.ts";

const kernels = Object.values(catalogue).flatMap(kernelsOf);

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

for (const kernel of kernels) {
  Deno.test(`${kernel.name}: the catalogue entry and the WGSL text agree`, () => {
    const text = withoutComments(kernel.source);
    assertEquals(storageBindings(text), Object.entries(kernel.bindings));
    assertEquals(paramFields(text), Object.entries(kernel.params));
    assertObjectMatch(overridesOf(text), kernel.overrides);
    if (Object.keys(kernel.params).length > 0) {
      const index = Object.keys(kernel.bindings).length;
      assert(
        text.includes(
          `@group(0) @binding(${index}) var<uniform> params: Params;`,
        ),
        `Params is not bound last, at ${index}`,
      );
    }
    assert(/@compute[^{]*\bfn main\s*\(/.test(text), "No entry point main");
  });
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

function storageBindings(text: string): [string, string][] {
  const pattern =
    /@group\((\d+)\)\s*@binding\((\d+)\)\s*var<storage(?:,\s*(read|read_write))?>\s+(\w+)/g;
  return [...text.matchAll(pattern)]
    .toSorted((a, b) => Number(a[2]) - Number(b[2]))
    .map(([, group, index, access, name], i) => {
      assertEquals(group, "0", `${name} is not in group 0`);
      assertEquals(index, String(i), `${name} leaves a gap`);
      return [name!, access ?? "read"];
    });
}

function paramFields(text: string): [string, string][] {
  const body = /struct Params\s*\{([^}]*)\}/.exec(text)?.[1] ?? "";
  return [...body.matchAll(/(\w+)\s*:\s*(\w+)/g)]
    .map(([, name, type]) => [name!, type!]);
}

function overridesOf(text: string): Record<string, number> {
  const found = text.matchAll(
    /\boverride\s+(\w+)\s*(?::\s*\w+)?\s*=\s*([^;]+);/g,
  );
  return Object.fromEntries(
    [...found].flatMap(([, name, value]) => {
      const number = numberOf(value!.trim());
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
