import { assertEquals } from "@std/assert";
import type { Graph, GraphNode } from "../../../src/nn/graph.ts";
import { floatTensor } from "../../../src/nn/host_tensor.ts";
import { recogniseComposites } from "../../../src/nn/transformer/composites.ts";

type Step = readonly [op: string, inputs: string, output: string];

/** A graph of steps; inputs that are numbers are constants. */
function graphOf(steps: readonly Step[]): Graph {
  const nodes: GraphNode[] = steps.map(([op, inputs, output]) => ({
    name: output,
    op,
    inputs: inputs.split(" "),
    outputs: [output],
    attributes: op === "ReduceMean" ? { axes: [-1] } : {},
  }));
  const constants = nodes.flatMap(({ inputs }) => inputs)
    .filter((name) => Number.isFinite(Number(name)))
    .map((name) => [name, floatTensor([], [Number(name)])] as const);
  return {
    name: "",
    inputs: [{ name: "x", dtype: "float32", shape: [1, 5, 8] }],
    outputs: ["y"],
    nodes,
    constants: new Map([
      ...constants,
      ["gamma", floatTensor([8], new Float32Array(8))],
      ["beta", floatTensor([8], new Float32Array(8))],
    ]),
    opset: 14,
    metadata: new Map(),
    producer: "",
  };
}

function found(steps: readonly Step[]): string[] {
  const shapes = new Map([["x", [1, 5, 8]], ["square", [1, 5, 8]]]);
  return recogniseComposites(graphOf(steps), shapes).nodes
    .map(({ op, inputs }) => `${op} ${inputs.join(" ")}`);
}

const NORM: readonly Step[] = [
  ["ReduceMean", "x", "mean"],
  ["Sub", "x mean", "centred"],
  ["Pow", "centred 2", "square"],
  ["ReduceMean", "square", "variance"],
  ["Add", "variance 1e-6", "stable"],
  ["Sqrt", "stable", "deviation"],
  ["Div", "centred deviation", "quotient"],
  ["Mul", "quotient gamma", "scaled"],
  ["Add", "scaled beta", "y"],
];

Deno.test("recogniseComposites() finds LayerNormalization, its factors either way round", () => {
  const swapped = NORM.map(([op, inputs, output]): Step =>
    ["Mul", "Add"].includes(op)
      ? [op, inputs.split(" ").toReversed().join(" "), output]
      : op === "Pow"
      ? ["Mul", "centred centred", output]
      : [op, inputs, output]
  );
  for (const steps of [NORM, swapped]) {
    assertEquals(found(steps), ["LayerNormalization x gamma beta"]);
  }
});

Deno.test("recogniseComposites() leaves what is no LayerNormalization", () => {
  const cube = NORM.with(2, ["Pow", "centred 3", "square"]);
  assertEquals(found(cube).length, NORM.length);
});

const ERF: readonly Step[] = [
  ["Div", "x 1.4142135", "z"],
  ["Erf", "z", "erf"],
  ["Add", "erf 1", "sum"],
];

Deno.test.each<[string, readonly Step[]]>([
  ["x · (1 + erf) · ½", [
    ...ERF,
    ["Mul", "x sum", "product"],
    ["Mul", "product 0.5", "y"],
  ]],
  ["(½ · x) · (1 + erf)", [
    ...ERF,
    ["Mul", "0.5 x", "half"],
    ["Mul", "half sum", "y"],
  ]],
  ["x · (½ · (erf(x · 0.7071) + 1))", [
    ["Mul", "x 0.70710677", "z"],
    ["Erf", "z", "erf"],
    ["Add", "1 erf", "sum"],
    ["Mul", "0.5 sum", "half"],
    ["Mul", "x half", "y"],
  ]],
])("recogniseComposites() finds GELU as %s", (_, steps) => {
  assertEquals(found(steps), ["Gelu x"]);
});

Deno.test("recogniseComposites() tells SiLU from quick GELU and other gates", () => {
  assertEquals(found([["Sigmoid", "x", "s"], ["Mul", "x s", "y"]]), ["Silu x"]);
  const scaled = (factor: string): readonly Step[] => [
    ["Mul", `x ${factor}`, "scaled"],
    ["Sigmoid", "scaled", "s"],
    ["Mul", "s x", "y"],
  ];
  assertEquals(found(scaled("1.702")), ["QuickGelu x"]);
  assertEquals(found(scaled("1.5")).length, 3);
});
