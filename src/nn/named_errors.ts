import type { GraphNode } from "./graph.ts";
import { nodeError, OnnxError } from "./onnx/errors.ts";

/**
 * Does what a node asks for, so that whatever goes wrong names the node.
 *
 * @throws {OnnxError} `invalid_node` in place of an error that is none.
 */
export function named<T>(node: GraphNode, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof OnnxError) throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    const error = nodeError(node, `it makes no sense (${problem})`);
    error.cause = cause;
    throw error;
  }
}
