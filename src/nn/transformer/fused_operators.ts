/**
 * ONNX Runtime's fused operators as the standard ones they stand for.
 *
 * @module
 */
import { numberAttribute } from "../attributes.ts";
import { FreeNames } from "../free_names.ts";
import type { Graph, GraphNode, HostTensor } from "../graph.ts";
import { floatTensor } from "../host_tensor.ts";
import { nodeError } from "../onnx/errors.ts";

/** Adds a constant and names it. */
type AddConstant = (value: number) => string;

/**
 * The graph without SkipLayerNormalization, BiasGelu, Gelu, QuickGelu,
 * FusedMatMul and LayerNormalization of the domain `com.microsoft`.
 *
 * @throws {OnnxError} `unsupported_operator` for a form of one that is none of
 * these sums and products.
 */
export function expandFusedOperators(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op.startsWith("com.microsoft."))) {
    return graph;
  }
  const names = new FreeNames(graph);
  const constants = new Map<string, HostTensor>(graph.constants);
  const add: AddConstant = (value) => {
    const name = names.take("fused.constant");
    constants.set(name, floatTensor([], [value]));
    return name;
  };
  const nodes = graph.nodes.flatMap((node) => expand(node, names, add));
  return { ...graph, nodes, constants };
}

function expand(
  node: GraphNode,
  names: FreeNames,
  constant: AddConstant,
): GraphNode[] {
  const { inputs, outputs } = node;
  const [output = ""] = outputs;
  const step = (
    op: string,
    reads: readonly string[],
    result: string,
    attributes: GraphNode["attributes"] = {},
  ): GraphNode => ({
    name: result === output ? node.name : names.take(`${node.name}.${op}`),
    op,
    inputs: reads,
    outputs: [result],
    attributes,
  });
  switch (node.op) {
    case "com.microsoft.SkipLayerNormalization": {
      const [x = "", skip = "", gamma = "", beta = "", bias = ""] = inputs;
      if (outputs[1] || outputs[2]) {
        throw nodeError(
          node,
          "its mean or deviation is a result",
          "unsupported_operator",
        );
      }
      const sum = outputs[3] || names.take(`${node.name}.sum`);
      const joined = bias === "" ? sum : names.take(`${node.name}.join`);
      const epsilon = numberAttribute(node, "epsilon", 1e-12);
      return [
        step("Add", [x, skip], joined),
        ...(bias === "" ? [] : [step("Add", [joined, bias], sum)]),
        step("LayerNormalization", [sum, gamma, beta], output, {
          axis: -1,
          epsilon,
        }),
      ];
    }
    case "com.microsoft.BiasGelu": {
      const [x = "", bias = ""] = inputs;
      const sum = names.take(`${node.name}.sum`);
      return [step("Add", [x, bias], sum), step("Gelu", [sum], output)];
    }
    case "com.microsoft.Gelu":
      return [{ ...node, op: "Gelu" }];
    case "com.microsoft.QuickGelu": {
      const gate = names.take(`${node.name}.gate`);
      const scaled = names.take(`${node.name}.scaled`);
      const [x = ""] = inputs;
      const alpha = constant(numberAttribute(node, "alpha", 1.702));
      return [
        step("Mul", [x, alpha], scaled),
        step("Sigmoid", [scaled], gate),
        step("Mul", [x, gate], output),
      ];
    }
    case "com.microsoft.FusedMatMul":
      return productSteps(node, step, names, constant);
    default:
      return [node];
  }
}

function productSteps(
  node: GraphNode,
  step: (
    op: string,
    reads: readonly string[],
    result: string,
    attributes?: GraphNode["attributes"],
  ) => GraphNode,
  names: FreeNames,
  constant: AddConstant,
): GraphNode[] {
  for (const name of ["transBatchA", "transBatchB", "transA"]) {
    if (numberAttribute(node, name, 0) === 0) continue;
    throw nodeError(node, `${name} is set`, "unsupported_operator");
  }
  const [a = "", b = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const nodes: GraphNode[] = [];
  let right = b;
  if (numberAttribute(node, "transB", 0) !== 0) {
    right = names.take(`${node.name}.transposed`);
    nodes.push(step("Transpose", [b], right, { perm: [0, 1, 3, 2] }));
  }
  const alpha = numberAttribute(node, "alpha", 1);
  const product = alpha === 1 ? output : names.take(`${node.name}.product`);
  nodes.push(step("MatMul", [a, right], product));
  if (alpha !== 1) nodes.push(step("Mul", [product, constant(alpha)], output));
  return nodes;
}
