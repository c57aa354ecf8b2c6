import type { GraphNode } from "./graph.ts";
import { nodeError, type OnnxError } from "./onnx/errors.ts";
import type { KnownValues } from "./parameters.ts";

/** The error about an operator that does what it does while a network learns. */
export function inTraining(node: GraphNode): OnnxError {
  return nodeError(
    node,
    "it is in training mode",
    "unsupported_operator",
    "export the network after calling eval()",
  );
}

/** Whether a Dropout drops anything: in training mode, unless its ratio is 0. */
export function drops(node: GraphNode, values: KnownValues): boolean {
  const [, ratio = "", training = ""] = node.inputs;
  if (training === "") return false;
  const mode = values.get(training);
  if (mode && Number(mode.data[0]) === 0) return false;
  const share = values.get(ratio);
  return !share || Number(share.data[0]) !== 0;
}
