/**
 * Protobuf nodes to {@linkcode GraphNode}s.
 *
 * @module
 */
import type { AttributeValue, GraphNode, Unreadable } from "../graph.ts";
import { nodeError, OnnxError } from "./errors.ts";
import type { AttributeMessage, GraphMessage, NodeMessage } from "./proto.ts";
import { readInlineTensor, toInteger } from "./tensor_data.ts";

/** More nodes than this are no network for images. */
const MAX_NODES = 2 ** 17;

/** A model's nodes, and the tensors of those that cannot be read. */
export interface NodesRead {
  /** The nodes in the file's order, with unique names. */
  readonly nodes: readonly GraphNode[];
  /** Results of nodes with attributes of unsupported types. */
  readonly unreadable: ReadonlyMap<string, Unreadable>;
}

/**
 * Reads nodes. What the subgraphs of an operator read from outside is among
 * its inputs, after its own.
 *
 * @throws {OnnxError} `too_large` for too many, `invalid_node` and those of
 * tensors for attributes that are damaged.
 */
export function readNodes(messages: readonly NodeMessage[]): NodesRead {
  if (messages.length > MAX_NODES) {
    throw new OnnxError(
      "too_large",
      `Cannot read ONNX model: it has ${messages.length} operators, at most ${MAX_NODES} are read`,
      { hint: "the file is no network for images" },
    );
  }
  const unreadable = new Map<string, Unreadable>();
  const named = uniqueNames(messages);
  const nodes = messages.flatMap((message, i) => {
    const node = {
      name: named[i]!,
      op: operatorOf(message),
      inputs: [...message.input ?? [], ...capturedBy(message)],
      outputs: [...message.output ?? []],
    };
    try {
      return [{ ...node, attributes: readAttributes(message, node) }];
    } catch (error) {
      if (!(error instanceof OnnxError) || error.kind !== "tensor_type") {
        throw error;
      }
      for (const name of node.outputs) {
        unreadable.set(name, {
          kind: "tensor_type",
          problem:
            `${node.op} "${node.name}" holds a type of tensor that is not supported`,
          hint: "tap a layer before it",
        });
      }
      return [];
    }
  });
  return { nodes, unreadable };
}

function operatorOf({ domain, opType }: NodeMessage): string {
  return !domain || domain === "ai.onnx"
    ? opType ?? ""
    : `${domain}.${opType ?? ""}`;
}

/** A name for every node, its own where it has one that no other has. */
function uniqueNames(messages: readonly NodeMessage[]): string[] {
  const given = new Set(messages.map(({ name }) => name || ""));
  const taken = new Set<string>();
  const counters = new Map<string, number>();
  return messages.map((message) => {
    const own = message.name || "";
    const base = own ||
      `${operatorOf(message)}_${message.output?.[0] ?? ""}`;
    let name = base;
    let next = counters.get(base) ?? 2;
    while (taken.has(name) || name !== own && given.has(name)) {
      name = `${base}_${next++}`;
    }
    counters.set(base, next);
    taken.add(name);
    return name;
  });
}

/** Tensors from outside that the subgraphs of an operator (If, Loop, Scan) read. */
function capturedBy(message: NodeMessage): string[] {
  const captured = new Set<string>();
  for (const { g, graphs } of message.attribute ?? []) {
    for (const graph of [...g ? [g] : [], ...graphs ?? []]) {
      for (const name of freeNames(graph)) captured.add(name);
    }
  }
  return [...captured];
}

/** Names that a subgraph reads and does not define. */
function freeNames(graph: GraphMessage): Set<string> {
  const own = new Set<string>([
    ...(graph.input ?? []).map(({ name }) => name ?? ""),
    ...(graph.initializer ?? []).map(({ name }) => name ?? ""),
    ...(graph.node ?? []).flatMap(({ output }) => output ?? []),
  ]);
  const read = [
    ...(graph.node ?? []).flatMap((node) => [
      ...node.input ?? [],
      ...capturedBy(node),
    ]),
    ...(graph.output ?? []).map(({ name }) => name ?? ""),
  ];
  return new Set(read.filter((name) => name !== "" && !own.has(name)));
}

function readAttributes(
  message: NodeMessage,
  node: { readonly name: string; readonly op: string },
): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {};
  for (const attribute of message.attribute ?? []) {
    const value = readAttribute(attribute, node);
    if (value !== undefined) attributes[attribute.name ?? ""] = value;
  }
  return attributes;
}

/** The attribute's value; `undefined` for subgraphs and other kinds no supported operator has. */
function readAttribute(
  attribute: AttributeMessage,
  node: { readonly name: string; readonly op: string },
): AttributeValue | undefined {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  switch (attribute.type) {
    case 1:
      return attribute.f ?? 0;
    case 2:
      return toInteger(attribute.i);
    case 3:
      return text(attribute.s ?? new Uint8Array());
    case 4:
      if (!attribute.t) {
        throw nodeError(
          node,
          `attribute "${attribute.name}" has no tensor`,
        );
      }
      return readInlineTensor(attribute.t);
    case 6:
      return [...attribute.floats ?? []];
    case 7:
      return (attribute.ints ?? []).map(toInteger);
    case 8:
      return (attribute.strings ?? []).map(text);
    default:
      return undefined;
  }
}
