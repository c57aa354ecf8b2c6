/**
 * Writes operators as others that run and fuse.
 *
 * @module
 */
import { numberAttribute } from "./attributes.ts";
import { FreeNames } from "./free_names.ts";
import type { Graph, GraphNode, HostTensor } from "./graph.ts";
import { integerTensor, numbersOf } from "./host_tensor.ts";
import { resolveAxes, resolveAxis } from "./parameters.ts";
import type { Shape } from "./shape_rules.ts";
import { consumersOf } from "./topology.ts";

/** What a rewriting looks at and adds to. */
interface RewriteContext {
  readonly graph: Graph;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly consumers: ReadonlyMap<string, readonly GraphNode[]>;
  readonly constants: Map<string, HostTensor>;
  readonly names: FreeNames;
  /** Unsqueezes that undo what is no longer done. */
  readonly undone: Set<GraphNode>;
}

/**
 * The graph with Sum as Adds, PRelu of one slope as LeakyRelu, Max and Min with
 * a number as Clip, and Gather or
 * ReduceMean keeping the axis that an Unsqueeze behind them puts back.
 *
 * @param shapes Shapes of the tensors, as far as they are known.
 */
export function rewriteOperators(
  graph: Graph,
  shapes: ReadonlyMap<string, Shape>,
): Graph {
  const constants = new Map<string, HostTensor>(graph.constants);
  const context: RewriteContext = {
    graph,
    shapes,
    consumers: consumersOf(graph.nodes),
    constants,
    names: new FreeNames(graph),
    undone: new Set(),
  };
  const nodes = graph.nodes.flatMap((node) => {
    switch (node.op) {
      case "Sum":
        return sumAsAdds(node, context);
      case "Max":
      case "Min":
        return [boundAsClip(node, context)];
      case "PRelu":
        return [preluAsLeaky(node, context)];
      case "Gather":
        return [gatherKeepingAxis(node, context)];
      case "ReduceMean":
        return [meanKeepingAxes(node, context)];
      default:
        return [node];
    }
  }).map((node) =>
    context.undone.has(node)
      ? { ...node, op: "Identity", inputs: [node.inputs[0]!], attributes: {} }
      : node
  );
  return { ...graph, nodes, constants };
}

function sumAsAdds(node: GraphNode, { names }: RewriteContext): GraphNode[] {
  const [first = "", ...rest] = node.inputs;
  if (rest.length === 0) return [{ ...node, op: "Identity" }];
  const nodes: GraphNode[] = [];
  let sum = first;
  rest.forEach((input, i) => {
    const last = i === rest.length - 1;
    const output = last ? node.outputs[0]! : names.take(`${node.name}.sum`);
    nodes.push({
      name: last ? node.name : names.take(`${node.name}.add`),
      op: "Add",
      inputs: [sum, input],
      outputs: [output],
      attributes: {},
    });
    sum = output;
  });
  return nodes;
}

/** Since this operator set, Clip has its bounds as inputs. */
const CLIP_INPUTS_OPSET = 11;

function boundAsClip(
  node: GraphNode,
  { graph, constants, shapes }: RewriteContext,
): GraphNode {
  const known = node.inputs.filter((name) => constants.has(name));
  const [bound = ""] = known;
  const [input = ""] = node.inputs.filter((name) => name !== bound);
  const tensor = constants.get(bound);
  const rank = shapes.get(input)?.length ?? 0;
  const single = node.inputs.length === 2 && known.length === 1 &&
    tensor?.dtype === "float32" && tensor.data.length === 1 &&
    tensor.shape.length <= rank;
  if (!single) return node;
  const side = node.op === "Max" ? "min" : "max";
  if (graph.opset < CLIP_INPUTS_OPSET) {
    const attributes = { [side]: tensor.data[0]! };
    return { ...node, op: "Clip", inputs: [input], attributes };
  }
  const inputs = side === "min" ? [input, bound] : [input, "", bound];
  return { ...node, op: "Clip", inputs, attributes: {} };
}

function preluAsLeaky(
  node: GraphNode,
  { constants, shapes }: RewriteContext,
): GraphNode {
  const [input = "", name = ""] = node.inputs;
  const slope = constants.get(name);
  const rank = shapes.get(input)?.length ?? 0;
  const single = slope?.dtype === "float32" && slope.data.length === 1 &&
    slope.shape.length <= rank;
  return single
    ? {
      ...node,
      op: "LeakyRelu",
      inputs: [input],
      attributes: { alpha: slope.data[0]! },
    }
    : node;
}

/** A Gather of one index drops its axis; where an Unsqueeze puts it back, it stays. */
function gatherKeepingAxis(
  node: GraphNode,
  context: RewriteContext,
): GraphNode {
  const [input = "", name = ""] = node.inputs;
  const { shapes, constants, names } = context;
  const rank = shapes.get(input)?.length;
  const index = constants.get(name);
  if (rank === undefined || index?.shape.length !== 0) return node;
  const axis = resolveAxis(node, numberAttribute(node, "axis", 0), rank);
  if (!undo(node, [axis], rank, context)) return node;
  const list = names.take(`${node.name}.list`);
  constants.set(list, integerTensor(numbersOf(index)));
  return { ...node, inputs: [input, list] };
}

function meanKeepingAxes(node: GraphNode, context: RewriteContext): GraphNode {
  const { shapes, constants } = context;
  const rank = shapes.get(node.inputs[0] ?? "")?.length;
  const keeps = numberAttribute(node, "keepdims", 1) !== 0;
  if (keeps || rank === undefined) return node;
  const [, list = ""] = node.inputs;
  if (list !== "" && !constants.has(list)) return node;
  const axes = resolveAxes(node, rank, constants) ?? [];
  return axes.length > 0 && undo(node, axes, rank, context)
    ? { ...node, attributes: { ...node.attributes, keepdims: 1 } }
    : node;
}

/** Marks the Unsqueezes that put axes back, if all that read a node's result do. */
function undo(
  node: GraphNode,
  axes: readonly number[],
  rank: number,
  { consumers, graph, constants, undone }: RewriteContext,
): boolean {
  const [output = ""] = node.outputs;
  const readers = consumers.get(output) ?? [];
  const wanted = axes.toSorted((a, b) => a - b).join();
  const all = readers.length > 0 && !graph.outputs.includes(output) &&
    readers.every((reader) => {
      const [, list = ""] = reader.inputs;
      if (reader.op !== "Unsqueeze") return false;
      if (list !== "" && !constants.has(list)) return false;
      const back = resolveAxes(reader, rank, constants) ?? [];
      return back.toSorted((a, b) => a - b).join() === wanted;
    });
  if (all) { for (const reader of readers) undone.add(reader); }
  return all;
}
