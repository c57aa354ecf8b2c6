/**
 * Takes fused nodes apart again, for files that any ONNX program can read.
 *
 * @module
 */
import type { Activation, GraphNode, HostTensor } from "../graph.ts";
import { floatTensor } from "../host_tensor.ts";

/**
 * The standard operators that a node stands for, the last with its result.
 *
 * @param constants Gets the constants that the new operators need.
 */
export function unfuse(
  node: GraphNode,
  constants: Map<string, HostTensor>,
): GraphNode[] {
  const { activation, residual, ...rest } = node;
  const plain = node.op === "BatchNormalization" && node.inputs.length === 3
    ? restoreStatistics(rest, constants)
    : rest;
  const nodes: GraphNode[] = [plain];
  const [output = ""] = node.outputs;
  const append = (
    suffix: string,
    make: (input: string) => Omit<GraphNode, "name" | "outputs">,
  ): void => {
    const before = nodes.pop()!;
    const input = `${node.name}.before_${suffix}`;
    nodes.push({ ...before, outputs: [input] });
    nodes.push({
      ...make(input),
      name: `${node.name}.${suffix}`,
      outputs: [output],
    });
  };
  if (residual !== undefined) {
    append("add", (input) => ({
      op: "Add",
      inputs: [input, residual],
      attributes: {},
    }));
  }
  if (activation) {
    append(
      activation.kind,
      (input) => activationNode(activation, input, node.name, constants),
    );
  }
  return nodes;
}

/** A BatchNormalization of precomputed scale and shift as one with mean 0 and variance 1. */
function restoreStatistics(
  node: GraphNode,
  constants: Map<string, HostTensor>,
): GraphNode {
  const [, scale = ""] = node.inputs;
  const channels = constants.get(scale)?.shape[0] ?? 0;
  const zeros = `${node.name}.mean`;
  const ones = `${node.name}.variance`;
  constants.set(zeros, floatTensor([channels], new Float32Array(channels)));
  constants.set(
    ones,
    floatTensor([channels], new Float32Array(channels).fill(1)),
  );
  return {
    ...node,
    inputs: [...node.inputs, zeros, ones],
    attributes: { epsilon: 0 },
  };
}

function activationNode(
  activation: Activation,
  input: string,
  name: string,
  constants: Map<string, HostTensor>,
): Omit<GraphNode, "name" | "outputs"> {
  const bound = (suffix: string, value: number): string => {
    if (!Number.isFinite(value)) return "";
    constants.set(`${name}.${suffix}`, floatTensor([], [value]));
    return `${name}.${suffix}`;
  };
  switch (activation.kind) {
    case "relu":
      return { op: "Relu", inputs: [input], attributes: {} };
    case "clip": {
      const { min, max } = activation;
      const inputs = [input, bound("min", min), bound("max", max)];
      return { op: "Clip", inputs, attributes: {} };
    }
    case "leaky_relu": {
      const { alpha } = activation;
      return { op: "LeakyRelu", inputs: [input], attributes: { alpha } };
    }
    case "sigmoid":
      return { op: "Sigmoid", inputs: [input], attributes: {} };
    case "hard_swish":
      return { op: "HardSwish", inputs: [input], attributes: {} };
    case "hard_sigmoid": {
      const { alpha, beta } = activation;
      const attributes = { alpha, beta };
      return { op: "HardSigmoid", inputs: [input], attributes };
    }
  }
}
