/** Runs a {@linkcode Graph} on the CPU, operator by operator. */
import type { Activation, Graph, HostTensor } from "../../src/nn/graph.ts";
import { inferShapes } from "../../src/nn/shape_inference.ts";
import { TOKEN_OPERATORS } from "../../src/nn/transformer/token_operators.ts";
import { TOKEN_REFERENCES } from "./operators_tokens.ts";
import { tensor } from "./operands.ts";
import * as operators from "./operators.ts";

type Operator = (
  inputs: readonly (HostTensor | undefined)[],
  attributes?: Graph["nodes"][number]["attributes"],
  opset?: number,
) => HostTensor;

/** All tensors of the graph after one run on the given image `[N, 3, H, W]`. */
export function interpret(
  graph: Graph,
  image: HostTensor,
): Map<string, HostTensor> {
  // What follows from the image's size is the planner's, tested by itself.
  const { values, nodes } = graph.transformer
    ? inferShapes(graph, image.shape)
    : { values: graph.constants, nodes: graph.nodes };
  const tensors = new Map(values);
  for (const { name } of graph.inputs) tensors.set(name, image);
  for (const node of nodes) {
    const known = { ...operators, ...TOKEN_REFERENCES };
    const run = (known as unknown as Record<string, Operator>)[node.op];
    if (!run) throw new Error(`No reference for the operator ${node.op}`);
    const inputs = node.inputs.map((name) => {
      const tensor = tensors.get(name);
      if (name !== "" && !tensor) throw new Error(`No tensor "${name}"`);
      return tensor;
    });
    const gate = node.op === TOKEN_OPERATORS.linear ? inputs[4] : undefined;
    const read = gate ? inputs.with(4, undefined) : inputs;
    let result = run(read, node.attributes, graph.opset);
    if (node.residual !== undefined) {
      result = operators.Add([result, tensors.get(node.residual)]);
    }
    if (node.activation) result = activate(result, node.activation);
    if (gate) result = operators.Mul([result, gate]);
    tensors.set(node.outputs[0]!, result);
  }
  return tensors;
}

/** A fused activation, by the operator it came from. */
export function activate(x: HostTensor, activation: Activation): HostTensor {
  switch (activation.kind) {
    case "relu":
      return operators.Relu([x]);
    case "clip": {
      const { min, max } = activation;
      return operators.Clip([x], { min, max });
    }
    case "leaky_relu":
      return operators.LeakyRelu([x], { alpha: activation.alpha });
    case "sigmoid":
      return operators.Sigmoid([x]);
    case "hard_swish":
      return operators.HardSwish([x]);
    case "hard_sigmoid": {
      const { alpha, beta } = activation;
      return operators.HardSigmoid([x], { alpha, beta });
    }
    case "gelu":
      return operators.Gelu([x]);
    case "quick_gelu":
      return operators.Mul([x, operators.Sigmoid([times(x, 1.702)])]);
    case "silu":
      return operators.Mul([x, operators.Sigmoid([x])]);
  }
}

function times(x: HostTensor, factor: number): HostTensor {
  return operators.Mul([x, tensor([], [factor])]);
}
