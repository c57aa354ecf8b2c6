/**
 * Finds functions that exporters write as several operators: LayerNormalization,
 * GELU, quick GELU and SiLU.
 *
 * @module
 */
import { numberAttribute, numbersAttribute } from "../attributes.ts";
import type { Graph, GraphNode, HostTensor } from "../graph.ts";
import { numbersOf } from "../host_tensor.ts";
import type { Shape } from "../shape_rules.ts";
import { producersOf, removeUnused } from "../topology.ts";

/** Of an image's tensors: quick GELU and SiLU have no operator in ONNX. */
export const QUICK_GELU = "QuickGelu";
/** x · σ(x). */
export const SILU = "Silu";

/** How far a constant may be from the number it stands for. */
const NEAR = 1e-4;

/**
 * The graph with one operator for each such function.
 *
 * @param shapes Shapes of the tensors, as far as they are known.
 */
export function recogniseComposites(
  graph: Graph,
  shapes: ReadonlyMap<string, Shape>,
): Graph {
  const finder = new Finder(graph, shapes);
  const nodes = graph.nodes.map((node) => finder.composite(node) ?? node);
  return removeUnused({ ...graph, nodes });
}

class Finder {
  readonly #constants: ReadonlyMap<string, HostTensor>;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #producers: ReadonlyMap<string, GraphNode>;

  constructor(graph: Graph, shapes: ReadonlyMap<string, Shape>) {
    this.#constants = graph.constants;
    this.#shapes = shapes;
    this.#producers = producersOf(graph.nodes);
  }

  composite(node: GraphNode): GraphNode | undefined {
    if (node.op === "Add") return this.#layerNorm(node);
    return node.op === "Mul"
      ? this.#gelu(node) ?? this.#gated(node)
      : undefined;
  }

  #producer(name: string, op: string): GraphNode | undefined {
    const node = this.#producers.get(name);
    return node?.op === op ? node : undefined;
  }

  /** The one element of a constant. */
  #number(name: string): number | undefined {
    const tensor = this.#constants.get(name);
    return tensor?.data.length === 1 ? numbersOf(tensor)[0] : undefined;
  }

  /** The other input of a node that reads a tensor, or whichever fits. */
  #split(
    node: GraphNode,
    fits: (name: string) => boolean,
  ): readonly [string, string] | undefined {
    const [a = "", b = ""] = node.inputs;
    return fits(a) ? [a, b] : fits(b) ? [b, a] : undefined;
  }

  /** (x − mean) / √(variance + ε) · γ + β. */
  #layerNorm(node: GraphNode): GraphNode | undefined {
    const vector = (name: string): boolean => this.#constants.has(name);
    const [beta, scaled] = this.#split(node, vector) ?? [];
    const product = scaled && this.#producer(scaled, "Mul");
    const [gamma, quotient] = product && this.#split(product, vector) || [];
    const division = quotient && this.#producer(quotient, "Div");
    if (!division) return undefined;
    const [centred = "", deviation = ""] = division.inputs;
    const difference = this.#producer(centred, "Sub");
    const [x = "", mean = ""] = difference?.inputs ?? [];
    const root = this.#producer(deviation, "Sqrt");
    const stable = root && this.#producer(root.inputs[0]!, "Add");
    const [epsilonName, variance] = stable &&
        this.#split(stable, (name) => this.#number(name) !== undefined) || [];
    if (!difference || !variance || !epsilonName) return undefined;
    const fits = this.#isMeanOfLast(mean, (name) => name === x) &&
      this.#isMeanOfLast(variance, (name) => this.#isSquareOf(name, centred));
    const epsilon = this.#number(epsilonName)!;
    return fits && gamma && beta
      ? {
        ...node,
        op: "LayerNormalization",
        inputs: [x, gamma, beta],
        attributes: { axis: -1, epsilon },
      }
      : undefined;
  }

  #isMeanOfLast(name: string, of: (input: string) => boolean): boolean {
    const node = this.#producer(name, "ReduceMean");
    const [input = "", list = ""] = node?.inputs ?? [];
    if (!node || !of(input) || numberAttribute(node, "keepdims", 1) === 0) {
      return false;
    }
    const constant = this.#constants.get(list);
    const axes = numbersAttribute(node, "axes") ??
      (constant && numbersOf(constant));
    const rank = this.#shapes.get(input)?.length ?? 0;
    return axes?.length === 1 && (axes[0] === -1 || axes[0] === rank - 1);
  }

  #isSquareOf(name: string, of: string): boolean {
    const node = this.#producers.get(name);
    if (node?.inputs[0] !== of) return false;
    return node.op === "Pow" && this.#number(node.inputs[1] ?? "") === 2 ||
      node.op === "Mul" && node.inputs[1] === of;
  }

  /** Factors of nested products, numbers multiplied. */
  #factors(name: string, depth: number): { names: string[]; number: number } {
    const number = this.#number(name);
    if (number !== undefined) return { names: [], number };
    const node = depth > 0 ? this.#producer(name, "Mul") : undefined;
    if (!node) return { names: [name], number: 1 };
    const parts = node.inputs.map((input) => this.#factors(input, depth - 1));
    return {
      names: parts.flatMap(({ names }) => names),
      number: parts.reduce((product, part) => product * part.number, 1),
    };
  }

  /** x / 2 · (1 + erf(x / √2)). */
  #gelu(node: GraphNode): GraphNode | undefined {
    const parts = node.inputs.map((input) => this.#factors(input, 1));
    const names = parts.flatMap((part) => part.names);
    const number = parts.reduce((product, part) => product * part.number, 1);
    if (names.length !== 2 || Math.abs(number - 0.5) > NEAR) return undefined;
    for (const [x, sum] of [names, names.toReversed()]) {
      const add = this.#producer(sum!, "Add");
      const [, error] = add &&
          this.#split(add, (name) => this.#number(name) === 1) || [];
      const erf = error && this.#producer(error, "Erf");
      if (erf && this.#isTimes(erf.inputs[0]!, x!, Math.SQRT1_2)) {
        return { ...node, op: "Gelu", inputs: [x!], attributes: {} };
      }
    }
    return undefined;
  }

  #isTimes(name: string, x: string, factor: number): boolean {
    const node = this.#producers.get(name);
    if (node?.op === "Div" && node.inputs[0] === x) {
      const divisor = this.#number(node.inputs[1] ?? "") ?? NaN;
      return Math.abs(1 / divisor - factor) < NEAR;
    }
    const [number, other] = node?.op === "Mul" &&
        this.#split(node, (input) => this.#number(input) !== undefined) || [];
    return other === x && Math.abs(this.#number(number!)! - factor) < NEAR;
  }

  /** x · σ(x) and x · σ(1.702 x). */
  #gated(node: GraphNode): GraphNode | undefined {
    const [gate, x] =
      this.#split(node, (name) => !!this.#producer(name, "Sigmoid")) ?? [];
    if (!gate || !x) return undefined;
    const [inner = ""] = this.#producer(gate, "Sigmoid")!.inputs;
    const op = inner === x
      ? SILU
      : this.#isTimes(inner, x, 1.702)
      ? QUICK_GELU
      : undefined;
    return op && { ...node, op, inputs: [x], attributes: {} };
  }
}
