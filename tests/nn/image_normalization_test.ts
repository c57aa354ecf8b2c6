import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  imageLevels,
  imageNormalization,
} from "../../src/nn/image_normalization.ts";
import type { Graph } from "../../src/nn/graph.ts";
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
  floats("ones", [3], [1, 1, 1]),
  floats("small", [3], [0.01, -0.02, 0.03]),
  floats("bytes", [3], [123, 117, 104]),
  floats("spread", [3], [3400, 3260, 3290]),
  floats("map", [1, 2], [1, 2]),
  floats("w", [4, 3, 1, 1], new Float32Array(12)),
];

async function read(...nodes: NodeMessage[]): Promise<Graph> {
  const end = node("Conv", [nodes.at(-1)?.output?.[0] ?? "x", "w"], ["y"]);
  return await readOnnx(model(graph([...nodes, end], constants)));
}

async function found(
  ...nodes: NodeMessage[]
): Promise<ReturnType<typeof imageNormalization>> {
  return imageNormalization(await read(...nodes));
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

Deno.test("imageLevels() tells which levels a network wants", async () => {
  const norm = (mean: string, variance: string) =>
    node("BatchNormalization", ["x", "ones", "small", mean, variance], ["a"]);
  const centre = [
    node("Sub", ["x", "mean"], ["a"]),
    node("Div", ["a", "std"], ["b"]),
  ];
  const cases: readonly (readonly [string, readonly NodeMessage[]])[] = [
    ["imagenet", []],
    ["imagenet", [node("Relu", ["x"], ["a"])]],
    ["imagenet", [norm("small", "ones")]],
    ["unit", centre],
    ["bytes", [node("Div", ["x", "byte"], ["a"])]],
    ["bytes", [norm("bytes", "spread")]],
  ];
  for (const [expected, nodes] of cases) {
    assertEquals(imageLevels(await read(...nodes)), expected);
  }
});
