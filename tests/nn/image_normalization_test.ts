import { assertAlmostEquals, assertEquals } from "@std/assert";
import { imageNormalization } from "../../src/nn/image_normalization.ts";
import type { NodeMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { floats, graph, model, node } from "./model_builder.ts";

const mean = [0.485, 0.456, 0.406];
const std = [0.229, 0.224, 0.225];
const constants = [
  floats("mean", [1, 3, 1, 1], mean),
  floats("std", [3, 1, 1], std),
  floats("byte", [], [255]),
  floats("shift", [3, 1, 1], mean.map((m, c) => -m / std[c]!)),
  floats("scale", [3, 1, 1], std.map((s) => 1 / s)),
  floats("map", [1, 2], [1, 2]),
  floats("w", [4, 3, 1, 1], new Float32Array(12)),
];

async function found(
  ...nodes: NodeMessage[]
): Promise<ReturnType<typeof imageNormalization>> {
  const end = node("Conv", [nodes.at(-1)?.output?.[0] ?? "x", "w"], ["y"]);
  return imageNormalization(
    await readOnnx(model(graph([...nodes, end], constants))),
  );
}

function assertImageNet(
  actual: ReturnType<typeof imageNormalization>,
  unit: number,
): void {
  for (let c = 0; c < 3; c++) {
    assertAlmostEquals(actual!.mean[c]!, mean[c]! * unit, 1e-5 * unit);
    assertAlmostEquals(actual!.std[c]!, std[c]! * unit, 1e-5 * unit);
  }
}

Deno.test("imageNormalization() finds ImageNet's mean and deviation", async () => {
  assertImageNet(
    await found(
      node("Sub", ["x", "mean"], ["a"]),
      node("Div", ["a", "std"], ["b"]),
    ),
    1,
  );
  assertImageNet(
    await found(
      node("Mul", ["scale", "x"], ["a"]),
      node("Identity", ["a"], ["b"]),
      node("Add", ["b", "shift"], ["c"]),
    ),
    1,
  );
});

Deno.test("imageNormalization() finds a range of 0 to 255", async () => {
  assertImageNet(
    await found(
      node("Div", ["x", "byte"], ["a"]),
      node("Sub", ["a", "mean"], ["b"]),
      node("Div", ["b", "std"], ["c"]),
    ),
    255,
  );
});

Deno.test("imageNormalization() finds what is turned round", async () => {
  const actual = await found(node("Sub", ["byte", "x"], ["a"]));
  assertEquals(actual, { mean: [255, 255, 255], std: [-1, -1, -1] });
});

Deno.test("imageNormalization() finds nothing where there is nothing", async () => {
  assertEquals(await found(), undefined);
  assertEquals(await found(node("Relu", ["x"], ["a"])), undefined);
  assertEquals(await found(node("Mul", ["x", "map"], ["a"])), undefined);
  assertEquals(await found(node("Div", ["std", "x"], ["a"])), undefined);
  assertEquals(
    await found(node("Add", ["x", "x"], ["a"])),
    undefined,
  );
});
