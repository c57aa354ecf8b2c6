/**
 * The spine of a network: the tensors that everything after them depends on
 * alone, and how far each is reduced against the image.
 *
 * @module
 */
import type { Graph, GraphNode } from "./graph.ts";
import { stridesOf } from "./strides.ts";
import {
  consumersOf,
  imageTensors,
  readsOf,
  removeUnused,
} from "./topology.ts";

/** A tensor on the spine, and how it came about. */
export interface SpinePoint {
  /** Name of the tensor. */
  readonly tensor: string;
  /** Operator that yields it. */
  readonly node: GraphNode;
  /** Image pixels per tensor pixel; `undefined` past global pooling. */
  readonly stride: number | undefined;
  /** Whether the operator joins branches, as a residual addition or a concatenation does. */
  readonly merges: boolean;
}

/**
 * The spine from the image to the deepest output, in order: every tensor that
 * all paths from image to output go through.
 */
export function spineOf(graph: Graph): SpinePoint[] {
  const main = removeUnused({ ...graph, outputs: [deepestOutput(graph)] });
  const strides = stridesOf(graph);
  const computed = imageTensors(main.inputs[0]?.name ?? "", main.nodes);
  const consumers = consumersOf(main.nodes);
  const pending = new Map<string, number>();
  const open = new Set<string>();
  const produce = (name: string): void => {
    const readers = consumers.get(name) ?? [];
    pending.set(name, readers.filter(({ op }) => op !== "Shape").length);
    open.add(name);
  };
  const read = (name: string): void => {
    const left = pending.get(name)! - 1;
    pending.set(name, left);
    if (left === 0) open.delete(name);
  };
  for (const { name } of main.inputs) produce(name);
  const spine: SpinePoint[] = [];
  for (const node of main.nodes) {
    const [tensor = ""] = node.outputs;
    if (!computed.has(tensor)) continue;
    const branches = readsOf(node).filter((name) => computed.has(name));
    branches.forEach(read);
    produce(tensor);
    if (open.size !== 1) continue;
    const joins = ["Add", "Concat"].includes(node.op) ||
      node.residual !== undefined;
    spine.push({
      tensor,
      node,
      stride: strides.get(tensor),
      merges: joins && new Set(branches).size > 1,
    });
  }
  return spine;
}

/** Outputs compared in full; of more, only those on the longest paths are. */
const COMPARED_OUTPUTS = 16;

/** The output that depends on the most operators. */
function deepestOutput(graph: Graph): string {
  const depths = new Map<string, number>();
  for (const node of graph.nodes) {
    let depth = 0;
    for (const name of readsOf(node)) {
      depth = Math.max(depth, depths.get(name) ?? 0);
    }
    for (const name of node.outputs) depths.set(name, depth + 1);
  }
  const depth = (name: string): number => depths.get(name) ?? 0;
  const longest = graph.outputs.length <= COMPARED_OUTPUTS
    ? graph.outputs
    : graph.outputs.toSorted((a, b) => depth(b) - depth(a))
      .slice(0, COMPARED_OUTPUTS);
  const sizes = longest.map((name) =>
    removeUnused({ ...graph, outputs: [name] }).nodes.length
  );
  return longest[sizes.indexOf(Math.max(...sizes))] ?? "";
}
