/** Small files that ask for much are refused, or read in linear time. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { planNetwork } from "../../src/nn/plan.ts";
import { inferShapes } from "../../src/nn/shape_inference.ts";
import { findTaps } from "../../src/nn/taps.ts";
import { floats, graph, integers, model, node } from "./model_builder.ts";
import { trunkNodes, trunkWeights } from "./small_trunk.ts";

const LARGE: readonly (readonly [
  what: string,
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[],
])[] = [
  ["a constant of a huge shape", [
    node("ConstantOfShape", ["s"], ["c"]),
    node("Gather", ["c", "zero"], ["g"]),
    node("Add", ["x", "g"], ["y"]),
  ], [integers("s", [1 << 26]), integers("zero", [0])]],
  ["constants that grow by each other", [
    ...Array.from(
      { length: 30 },
      (_, i) => node("Concat", [`c${i}`, `c${i}`], [`c${i + 1}`], { axis: 0 }),
    ),
    node("Gather", ["c30", "zero"], ["g"]),
    node("Add", ["x", "g"], ["y"]),
  ], [floats("c0", [2], [1, 2]), integers("zero", [0])]],
  ["many constants of some size", [
    ...Array.from({ length: 40 }, (_, i) => [
      node("ConstantOfShape", ["s"], [`c${i}`]),
      node("Gather", [`c${i}`, "zero"], [`g${i}`]),
      node("Add", [i === 0 ? "x" : `y${i - 1}`, `g${i}`], [`y${i}`]),
    ]).flat(),
    node("Relu", ["y39"], ["y"]),
  ], [integers("s", [1 << 18]), integers("zero", [0])]],
  ["an outer product", [
    node("Mul", ["row", "column"], ["c"]),
    node("Gather", ["c", "zero"], ["g"]),
    node("Add", ["x", "g"], ["y"]),
  ], [
    floats("row", [1, 5000], new Float32Array(5000)),
    floats("column", [5000, 1], new Float32Array(5000)),
    integers("zero", [0]),
  ]],
  ["a tensor expanded", [
    node("Expand", ["one", "s"], ["c"]),
    node("Gather", ["c", "zero"], ["g"]),
    node("Add", ["x", "g"], ["y"]),
  ], [
    floats("one", [1], [1]),
    integers("s", [1 << 25]),
    integers("zero", [0]),
  ]],
];

for (const [what, nodes, constants] of LARGE) {
  Deno.test(`optimizeGraph() refuses ${what}, naming the operator`, async () => {
    const network = await readOnnx(model(graph(nodes, constants)));
    const error = assertThrows(() => optimizeGraph(network), OnnxError);
    assertEquals(error.kind, "too_large");
    assert(/^Cannot run \w+ "\w+": with its result of/.test(error.message));
  });
}

Deno.test("inferShapes() refuses constants that grow with the image", async () => {
  const network = await readOnnx(model(graph(
    [
      node("Shape", ["x"], ["s"]),
      node("ConstantOfShape", ["s"], ["c"]),
      node("Mul", ["c", "c"], ["d"]),
      node("Mul", ["d", "d"], ["e"]),
      node("Add", ["x", "e"], ["y"]),
    ],
  )));
  assertEquals(inferShapes(network, [1, 3, 64, 64]).nodes.length, 1);
  const error = assertThrows(
    () => inferShapes(network, [1, 3, 1024, 1024]),
    OnnxError,
  );
  assertEquals(error.kind, "too_large");
});

const nameless = (count: number, outputs: (i: number) => string[]) =>
  Array.from(
    { length: count },
    (_, i) => ({ ...node("Relu", ["level3"], outputs(i)), name: "" }),
  );

Deno.test("readOnnx() names 60,000 operators without names in linear time", async () => {
  const network = await readOnnx(model(graph(
    [
      ...trunkNodes(),
      ...nameless(60_000, () => []),
      node("Relu", ["logits"], ["y"]),
    ],
    trunkWeights(),
  )));
  const names = network.nodes.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  assert(names.includes("Relu_") && names.includes("Relu__60000"));
  assertEquals(findTaps(network).length, 3);
});

Deno.test("readOnnx() keeps names that operators have, whatever others without are called", async () => {
  const relu = (name: string, output: string): NodeMessage => ({
    ...node("Relu", ["x"], [output]),
    name,
  });
  const { nodes } = await readOnnx(model(graph([
    relu("", "a"),
    relu("Relu_a", "b"),
    relu("same", "c"),
    relu("same", "d"),
    relu("same_2", "y"),
  ])));
  assertEquals(nodes.map(({ name }) => name), [
    "Relu_a_2",
    "Relu_a",
    "same",
    "same_3",
    "same_2",
  ]);
});

Deno.test("readOnnx() refuses more operators than any network has", async () => {
  const bytes = model(graph([
    node("Relu", ["x"], ["y"]),
    ...nameless(2 ** 17, () => []),
  ]));
  const error = await assertRejects(
    () => readOnnx(bytes),
    OnnxError,
    "131073 operators, at most 131072",
  );
  assertEquals(error.kind, "too_large");
});

Deno.test("planNetwork() refuses more operators than a GPU should run", async () => {
  const count = 2 ** 13 + 1;
  const network = await readOnnx(model(graph(
    Array.from(
      { length: count },
      (_, i) =>
        node("Neg", [i === 0 ? "x" : `y${i - 1}`], [
          i === count - 1 ? "y" : `y${i}`,
        ]),
    ),
  )));
  const target = { tile: "direct", precision: "f32" } as const;
  const error = assertThrows(
    () => planNetwork(network, [1, 3, 8, 8], target),
    OnnxError,
    "8193 operators would have to run, at most 8192",
  );
  assertEquals(error.kind, "too_large");
});
