import { assertEquals, assertThrows } from "@std/assert";
import { defineKernel, type Kernel } from "../../src/wgsl/kernel.ts";

function kernelOf(source: string): Kernel<number> {
  return defineKernel({
    name: "example",
    source,
    names: { sum: "y[0] += {factor} * x[0];", factor: 3 },
    plan: (count: number) => ({ params: { count }, workgroups: [count, 1, 1] }),
  });
}

Deno.test("defineKernel() reads the interface when the text declares one", () => {
  const kernel = kernelOf(`
// @group(0) @binding(9) var<storage, read> remark: array<f32>;
@group(0) @binding(2) var picture: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var halves: texture_storage_2d<rg32uint, read>;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
struct Params {
  count: u32, // was: length: u32
  first: i32,
  scale: f32,
}
@group(0) @binding(4) var<uniform> params: Params;
override LANES: u32 = 64u;
override SHIFT: bool = true;
override ADD: bool = false;
override HALF: f32 = -0.5;
override TWICE: u32 = LANES * 2u;
fn main() {
  //#use sum
}
`);
  assertEquals(Object.entries(kernel.bindings), [
    ["x", "read"],
    ["y", "read_write"],
    ["picture", "image_f32"],
    ["halves", "image_f16"],
  ]);
  assertEquals(Object.entries(kernel.params), [
    ["count", "u32"],
    ["first", "i32"],
    ["scale", "f32"],
  ]);
  assertEquals(kernel.overrides, { LANES: 64, SHIFT: 1, ADD: 0, HALF: -0.5 });
  assertEquals(kernel.enables, []);
  assertEquals(
    kernel.source.slice(kernel.source.indexOf("fn main")),
    "fn main() {\n  y[0] += 3 * x[0];\n}\n",
  );
});

Deno.test("defineKernel() enables subgroups when the text calls their functions", () => {
  const { enables } = kernelOf("let a = subgroupBroadcast(x, 0u);");
  assertEquals(enables, ["subgroups"]);
  assertEquals(kernelOf("// subgroupBroadcast(x, 0u)").enables, []);
});

Deno.test("defineKernel() refuses the text when it is read, not before", () => {
  const kernel = kernelOf("//#use nothing");
  assertEquals(kernel.plan(2).workgroups, [2, 1, 1]);
  assertThrows(() => kernel.bindings, SyntaxError, "nothing");
});
