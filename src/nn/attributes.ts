/**
 * Typed access to node attributes, with ONNX's defaults given by the caller.
 *
 * @module
 */
import type { GraphNode, HostTensor } from "./graph.ts";
import { nodeError } from "./onnx/errors.ts";

/** An integer or float attribute. */
export function numberAttribute(
  node: GraphNode,
  name: string,
  fallback: number,
): number {
  const value = node.attributes[name] ?? fallback;
  if (typeof value !== "number") throw wrongType(node, name, "a number");
  return value;
}

/** A string attribute. */
export function stringAttribute(
  node: GraphNode,
  name: string,
  fallback: string,
): string {
  const value = node.attributes[name] ?? fallback;
  if (typeof value !== "string") throw wrongType(node, name, "a string");
  return value;
}

/** A list of numbers, or `undefined` when the node does not set it. */
export function numbersAttribute(
  node: GraphNode,
  name: string,
): readonly number[] | undefined {
  const value = node.attributes[name];
  if (value === undefined) return undefined;
  const fits = Array.isArray(value) &&
    value.every((item) => typeof item === "number");
  if (!fits) throw wrongType(node, name, "a list of numbers");
  return value;
}

/** A tensor attribute, or `undefined` when the node does not set it. */
export function tensorAttribute(
  node: GraphNode,
  name: string,
): HostTensor | undefined {
  const value = node.attributes[name];
  if (value === undefined) return undefined;
  if (typeof value !== "object" || !("dtype" in value)) {
    throw wrongType(node, name, "a tensor");
  }
  return value;
}

function wrongType(node: GraphNode, name: string, expected: string): Error {
  return nodeError(node, `attribute "${name}" is not ${expected}`);
}
