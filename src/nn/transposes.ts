/**
 * Moves Transposes through the operators behind them until they meet their
 * inverse, as exporters of channels-last networks leave them.
 *
 * @module
 */
import { numberAttribute, numbersAttribute } from "./attributes.ts";
import { FreeNames } from "./free_names.ts";
import type { Graph, GraphNode, HostTensor } from "./graph.ts";
import { resolveAxis, resolvePermutation } from "./parameters.ts";
import type { Shape } from "./shape_rules.ts";
import { rowMajorStrides, strided } from "./strided.ts";

/** A tensor that is another one with its axes in another order. */
interface Reordered {
  readonly base: string;
  /** Axis of the base for each axis. */
  readonly order: readonly number[];
  /** Name of the Transpose that yields it, where that is the network's own. */
  readonly node?: string;
}

const UNARY: readonly string[] = [
  "Cast",
  "Clip",
  "Dropout",
  "HardSigmoid",
  "HardSwish",
  "Identity",
  "LeakyRelu",
  "Neg",
  "Relu",
  "Sigmoid",
];

const BINARY: readonly string[] = ["Add", "Div", "Mul", "PRelu", "Sub"];

/**
 * The graph in which a Transpose is done as late as possible, and two that undo
 * each other not at all.
 *
 * @param shapes Shapes of the tensors, as far as they are known.
 */
export function sinkTransposes(
  graph: Graph,
  shapes: ReadonlyMap<string, Shape>,
): Graph {
  return graph.nodes.some(({ op }) => op === "Transpose")
    ? new Sinking(graph, shapes).run()
    : graph;
}

class Sinking {
  readonly #graph: Graph;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #names: FreeNames;
  readonly #constants: Map<string, HostTensor>;
  readonly #reordered = new Map<string, Reordered>();
  readonly #aliases = new Map<string, string>();
  readonly #nodes: GraphNode[] = [];
  /** Reordered tensors that exist as well. */
  readonly #written = new Set<string>();

  constructor(graph: Graph, shapes: ReadonlyMap<string, Shape>) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#names = new FreeNames(graph);
    this.#constants = new Map(graph.constants);
  }

  run(): Graph {
    const outputs = new Set(this.#graph.outputs);
    for (const original of this.#graph.nodes) {
      const node = {
        ...original,
        inputs: original.inputs.map((name) => this.#aliases.get(name) ?? name),
      };
      if (!this.#sink(node)) {
        for (const name of node.inputs) this.#transpose(name);
        this.#nodes.push(node);
      }
      for (const name of node.outputs) {
        if (outputs.has(name)) this.#keep(name);
      }
    }
    return {
      ...this.#graph,
      nodes: this.#nodes,
      constants: this.#constants,
    };
  }

  /** Notes a node whose result is another one's reordered; false when it has to run as it is. */
  #sink(node: GraphNode): boolean {
    const [output = ""] = node.outputs;
    const rank = this.#shapes.get(output)?.length;
    if (rank === undefined || node.outputs.length > 1 || node.activation) {
      return false;
    }
    if (node.op === "Transpose") return this.#compose(node, output, rank);
    const sources = node.inputs.map((name) => this.#reordered.get(name));
    const source = sources.find((item) => item !== undefined);
    if (!source || source.order.length !== rank) return false;
    const same = (name: string): string | undefined => {
      const other = this.#reordered.get(name);
      return other && other.order.join() === source.order.join()
        ? other.base
        : undefined;
    };
    const moved = UNARY.includes(node.op) && sources[0]
      ? { ...node, inputs: [sources[0].base, ...node.inputs.slice(1)] }
      : BINARY.includes(node.op)
      ? withInputs(node, (name) => same(name) ?? this.#constant(name, source))
      : node.op === "Concat"
      ? withInputs(withAxis(node, source.order, rank), same)
      : node.op === "ReduceMean"
      ? withAxes(node, source, rank)
      : undefined;
    if (!moved) return false;
    const base = this.#names.take(`${output}.untransposed`);
    this.#nodes.push({ ...moved, outputs: [base] });
    this.#reordered.set(output, { base, order: source.order });
    return true;
  }

  #compose(node: GraphNode, output: string, rank: number): boolean {
    const [input = ""] = node.inputs;
    const order = resolvePermutation(node, rank);
    const source = this.#reordered.get(input);
    const base = source?.base ?? input;
    const composed = order.map((axis) => source?.order[axis] ?? axis);
    if (composed.every((axis, i) => axis === i)) {
      this.#aliases.set(output, base);
    } else {
      const { name } = node;
      this.#reordered.set(output, { base, order: composed, node: name });
    }
    return true;
  }

  /** A constant in the order of axes of a reordered tensor's base. */
  #constant(name: string, { order }: Reordered): string | undefined {
    const tensor = this.#constants.get(name);
    if (!tensor || tensor.shape.length > order.length) return undefined;
    if (tensor.data.length === 1) return name;
    const missing = order.length - tensor.shape.length;
    const shape = order.map((_, axis) => tensor.shape[axis - missing] ?? 1);
    const strides = rowMajorStrides(shape);
    const place = (axis: number): number => order.indexOf(axis);
    const base = this.#names.take(`${name}.untransposed`);
    this.#constants.set(
      base,
      strided(
        tensor,
        order.map((_, axis) => shape[place(axis)]!),
        order.map((_, axis) => strides[place(axis)]!),
      ),
    );
    return base;
  }

  /** Transposes a tensor that is needed as it was. */
  #transpose(name: string): void {
    const source = this.#reordered.get(name);
    if (!source || this.#written.has(name)) return;
    this.#written.add(name);
    this.#nodes.push({
      name: source.node ?? this.#names.take(`${name}.transpose`),
      op: "Transpose",
      inputs: [source.base],
      outputs: [name],
      attributes: { perm: source.order },
    });
  }

  /** Computes an output under its own name. */
  #keep(name: string): void {
    this.#transpose(name);
    const base = this.#aliases.get(name);
    if (base === undefined) return;
    this.#aliases.delete(name);
    this.#nodes.push({
      name: this.#names.take(`${name}.identity`),
      op: "Identity",
      inputs: [base],
      outputs: [name],
      attributes: {},
    });
  }
}

/** A node with other inputs, if there is one for each. */
function withInputs(
  node: GraphNode | undefined,
  map: (name: string) => string | undefined,
): GraphNode | undefined {
  const inputs = node?.inputs.map(map) ?? [];
  return node && inputs.every((name) => name !== undefined)
    ? { ...node, inputs: inputs as string[] }
    : undefined;
}

function withAxis(
  node: GraphNode,
  order: readonly number[],
  rank: number,
): GraphNode {
  const axis = resolveAxis(node, numberAttribute(node, "axis", 0), rank);
  return { ...node, attributes: { ...node.attributes, axis: order[axis]! } };
}

/** A ReduceMean that keeps its axes, over those of the base. */
function withAxes(
  node: GraphNode,
  { base, order }: Reordered,
  rank: number,
): GraphNode | undefined {
  const axes = numbersAttribute(node, "axes");
  const keeps = numberAttribute(node, "keepdims", 1) !== 0;
  if (!axes || !keeps) return undefined;
  const moved = axes.map((axis) => order[resolveAxis(node, axis, rank)]!);
  return {
    ...node,
    inputs: [base],
    attributes: { ...node.attributes, axes: moved },
  };
}
