/** Runs a {@linkcode Graph} on the CPU, operator by operator. */
import type { Activation, Graph, HostTensor } from "../../src/nn/graph.ts";
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
  const tensors = new Map(graph.constants);
  for (const { name } of graph.inputs) tensors.set(name, image);
  for (const node of graph.nodes) {
    const run = (operators as unknown as Record<string, Operator>)[node.op];
    if (!run) throw new Error(`No reference for the operator ${node.op}`);
    const inputs = node.inputs.map((name) => {
      const tensor = tensors.get(name);
      if (name !== "" && !tensor) throw new Error(`No tensor "${name}"`);
      return tensor;
    });
    let result = run(inputs, node.attributes, graph.opset);
    if (node.residual !== undefined) {
      result = operators.Add([result, tensors.get(node.residual)]);
    }
    if (node.activation) result = activate(result, node.activation);
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
  }
}
