import { assertEquals, assertThrows } from "@std/assert";
import type { Graph, GraphNode } from "../../../src/nn/graph.ts";
import { OnnxError } from "../../../src/nn/onnx/errors.ts";
import { expandFusedOperators } from "../../../src/nn/transformer/fused_operators.ts";

function graphOf(node: Partial<GraphNode>): Graph {
  return {
    name: "",
    inputs: [{ name: "x", dtype: "float32", shape: [] }],
    outputs: ["y"],
    nodes: [{
      name: "fused",
      op: "",
      inputs: [],
      outputs: ["y"],
      attributes: {},
      ...node,
      ...(node.op && { op: `com.microsoft.${node.op}` }),
    }],
    constants: new Map(),
    opset: 14,
    metadata: new Map(),
    producer: "",
  };
}

function expanded(node: Partial<GraphNode>): string[] {
  const { nodes, constants } = expandFusedOperators(graphOf(node));
  return nodes.map(({ op, inputs, outputs }) => {
    const read = inputs.map((name) => constants.get(name)?.data[0] ?? name);
    return `${outputs[0]} = ${op} ${read.join(" ")}`;
  });
}

Deno.test.each<[string, Partial<GraphNode>, string[]]>([
  [
    "SkipLayerNormalization with its sum",
    {
      op: "SkipLayerNormalization",
      inputs: ["x", "skip", "gamma", "beta"],
      outputs: ["y", "", "", "sum"],
    },
    ["sum = Add x skip", "y = LayerNormalization sum gamma beta"],
  ],
  [
    "SkipLayerNormalization with a bias",
    {
      op: "SkipLayerNormalization",
      inputs: ["x", "skip", "gamma", "beta", "bias"],
    },
    [
      "fused.join = Add x skip",
      "fused.sum = Add fused.join bias",
      "y = LayerNormalization fused.sum gamma beta",
    ],
  ],
  [
    "BiasGelu",
    { op: "BiasGelu", inputs: ["x", "bias"] },
    ["fused.sum = Add x bias", "y = Gelu fused.sum"],
  ],
  ["Gelu", { op: "Gelu", inputs: ["x"] }, ["y = Gelu x"]],
  [
    "QuickGelu",
    { op: "QuickGelu", inputs: ["x"], attributes: { alpha: 1.5 } },
    [
      "fused.scaled = Mul x 1.5",
      "fused.gate = Sigmoid fused.scaled",
      "y = Mul x fused.gate",
    ],
  ],
  [
    "FusedMatMul",
    {
      op: "FusedMatMul",
      inputs: ["x", "k"],
      attributes: { transB: 1, alpha: 0.125 },
    },
    [
      "fused.transposed = Transpose k",
      "fused.product = MatMul x fused.transposed",
      "y = Mul fused.product 0.125",
    ],
  ],
])("expandFusedOperators() writes %s out", (_, node, steps) => {
  assertEquals(expanded(node), steps);
});

Deno.test("expandFusedOperators() leaves other operators", () => {
  assertEquals(expanded({ op: "Attention", inputs: ["x"] }), [
    "y = com.microsoft.Attention x",
  ]);
});

Deno.test.each<[string, Partial<GraphNode>]>([
  ["its mean or deviation is a result", {
    op: "SkipLayerNormalization",
    inputs: ["x", "skip", "gamma"],
    outputs: ["y", "mean"],
  }],
  ["transA is set", {
    op: "FusedMatMul",
    inputs: ["x", "k"],
    attributes: { transA: 1 },
  }],
])("expandFusedOperators() refuses where %s", (message, node) => {
  const error = assertThrows(() => expanded(node), OnnxError, message);
  assertEquals(error.node, "fused");
});
