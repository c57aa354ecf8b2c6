/**
 * Follows a transformer's rows through the operators of a file. What only moves
 * elements becomes a view, so that it does not matter in which order an exporter
 * splits, reshapes and transposes queries, keys and values.
 *
 * @module
 */
import { BFLOAT16 } from "../cast_type.ts";
import { numberAttribute, stringAttribute } from "../attributes.ts";
import type { FloatTensor, Graph, GraphNode, HostTensor } from "../graph.ts";
import { elementCount, numbersOf } from "../host_tensor.ts";
import { OnnxError } from "../onnx/errors.ts";
import { resolveAxis } from "../parameters.ts";
import type { Shape } from "../shape_rules.ts";
import { QUICK_GELU, SILU } from "./composites.ts";
import {
  isPlain,
  type Linear,
  type RowActivation,
  type Rows,
} from "./expression.ts";
import { attend, type Heads, headsOf } from "./heads.ts";
import { movedViews } from "./movement.ts";
import {
  turnedPart,
  type Turning,
  turningOf,
  weighed,
  withPrefix,
} from "./rotation.ts";
import { Refusal } from "./refusal.ts";
import type { RowsView } from "./rows_view.ts";
import { reshapedView, sameView, wholeView } from "./view.ts";
import { biased, like, scaled, wholeRows } from "./whole_rows.ts";

/** Scores of queries and keys, or their softmax. */
interface Scores {
  readonly kind: "scores";
  readonly queries: Heads;
  readonly keys: Heads;
  readonly scale: number;
  readonly isSoftmax: boolean;
}

/** Where a softmax is no number: it never is. */
interface NanMask {
  readonly kind: "nan";
}

/** What a tensor of the file is. */
type Meaning = RowsView | Turning | Scores | NanMask;

/** Why the rows could not be followed beyond an operator. */
export interface BodyProblem {
  /** The operator. */
  readonly node: GraphNode;
  /** A clause about it. */
  readonly problem: string;
}

/** What was found behind the embedding. */
export interface Body {
  /** Rows that tensors hold, in the order in which they are computed. */
  readonly rows: readonly Rows[];
  /** What was not understood, first things first. */
  readonly problems: readonly BodyProblem[];
}

const ACTIVATIONS: Readonly<Record<string, RowActivation>> = {
  Gelu: "gelu",
  Relu: "relu",
  [QUICK_GELU]: "quick_gelu",
  [SILU]: "silu",
};

/** Operators that change at most the shape. */
const RESHAPING: readonly string[] = [
  "Cast",
  "Dropout",
  "Expand",
  "Flatten",
  "Identity",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
];

/** What {@linkcode followBody} knows beforehand. */
export interface BodyStart {
  /** The tensor that the first block reads. */
  readonly tensor: string;
  /** What it is. */
  readonly rows: Rows;
  /** Shapes for one image of some size. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Constants, and what follows from the image's size. */
  readonly values: ReadonlyMap<string, HostTensor>;
}

/** Follows the rows of the first block to the end of the graph. */
export function followBody(graph: Graph, start: BodyStart): Body {
  return new Follower(graph, start).run();
}

class Follower {
  readonly #graph: Graph;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #values: ReadonlyMap<string, HostTensor>;
  readonly #meanings = new Map<string, Meaning>();
  readonly #lost = new Set<string>();
  readonly #rows = new Set<Rows>();
  readonly #problems: BodyProblem[] = [];

  constructor(graph: Graph, { tensor, rows, shapes, values }: BodyStart) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#values = values;
    const view = wholeView(shapes.get(tensor)!);
    this.#set(tensor, { kind: "rows", of: rows, view, factor: 1 });
  }

  run(): Body {
    for (const node of this.#graph.nodes) {
      if (node.op === "Shape") continue;
      if (node.inputs.some((name) => this.#lost.has(name))) {
        for (const name of node.outputs) this.#lost.add(name);
      } else if (node.inputs.some((name) => this.#meanings.has(name))) {
        this.#visit(node);
      }
    }
    return { rows: [...this.#rows], problems: this.#problems };
  }

  #visit(node: GraphNode): void {
    try {
      this.#results(node).forEach((meaning, i) =>
        this.#set(node.outputs[i]!, meaning)
      );
    } catch (error) {
      const known = error instanceof Refusal || error instanceof OnnxError;
      if (!known) throw error;
      this.#problems.push({ node, problem: error.message });
      for (const name of node.outputs) this.#lost.add(name);
    }
  }

  #set(name: string, meaning: Meaning): void {
    this.#meanings.set(name, meaning);
    if (meaning.kind === "rows") this.#rows.add(meaning.of);
  }

  #shape(name: string): Shape {
    const shape = this.#shapes.get(name);
    if (shape) return shape;
    throw new Refusal(`the shape of "${name}" is not known`);
  }

  #meaning(name: string | undefined): Meaning | undefined {
    return this.#meanings.get(name ?? "");
  }

  #value(name: string | undefined): HostTensor | undefined {
    return this.#values.get(name ?? "");
  }

  #number(name: string | undefined): number | undefined {
    const value = this.#value(name);
    return value?.data.length === 1 ? numbersOf(value)[0] : undefined;
  }

  #view(name: string | undefined): RowsView {
    const meaning = this.#meaning(name);
    if (meaning?.kind === "rows") return meaning;
    throw new Refusal(`its input "${name}" is no tensor of tokens`);
  }

  #results(node: GraphNode): readonly Meaning[] {
    if (RESHAPING.includes(node.op)) return [this.#reshaped(node)];
    if (Object.hasOwn(ACTIVATIONS, node.op)) return [this.#activated(node)];
    switch (node.op) {
      case "Add":
        return [this.#added(node)];
      case "Mul":
        return [this.#multiplied(node)];
      case "Div":
        return [this.#divided(node)];
      case "Neg": {
        const view = this.#view(node.inputs[0]);
        return [{ ...view, factor: -view.factor }];
      }
      case "LayerNormalization":
        return [this.#normed(node)];
      case "MatMul":
        return [this.#product(node)];
      case "Gemm":
        return [this.#gemm(node)];
      case "Softmax":
        return [this.#softmax(node)];
      case "IsNaN": {
        const scores = this.#meaning(node.inputs[0]);
        if (scores?.kind === "scores" && scores.isSoftmax) {
          return [{ kind: "nan" }];
        }
        throw new Refusal("it looks at what is no softmax");
      }
      case "Where": {
        const [mask, , scores] = node.inputs.map((name) => this.#meaning(name));
        if (mask?.kind === "nan" && scores?.kind === "scores") return [scores];
        throw new Refusal("it chooses between tensors");
      }
      case "Transpose":
      case "Slice":
      case "Split":
      case "Gather":
        return movedViews(node, this.#view(node.inputs[0]), {
          values: this.#values,
          output: this.#shape(node.outputs[0]!),
        });
      case "Concat":
        return [this.#joined(node)];
      default:
        throw new Refusal(`the operator ${node.op} is not supported there`);
    }
  }

  #reshaped(node: GraphNode): Meaning {
    const [input] = node.inputs;
    const meaning = this.#meaning(input)!;
    if (numberAttribute(node, "to", 1) === BFLOAT16 && node.op === "Cast") {
      throw new Refusal("it rounds to bfloat16");
    }
    if (meaning.kind !== "rows") {
      if (this.#shape(input!).join() === this.#shape(node.outputs[0]!).join()) {
        return meaning;
      }
      throw new Refusal("it reshapes what is no tensor of tokens");
    }
    const shape = this.#shape(node.outputs[0]!);
    const view = reshapedView(meaning.view, shape);
    if (view) return { ...meaning, view };
    throw new Refusal(`it mixes tokens and channels to [${shape}]`);
  }

  /** A product alone, for what becomes a part of it. */
  #plain(view: RowsView, what: string): Linear {
    const rows = wholeRows(view);
    if (isPlain(rows)) return rows;
    throw new Refusal(`${what} what is no product with weights`);
  }

  #normed(node: GraphNode): RowsView {
    const [input = "", gamma = "", beta = ""] = node.inputs;
    const { view } = this.#view(input);
    const x = wholeRows(this.#view(input));
    const axis = numberAttribute(node, "axis", -1);
    const constant = [gamma, ...beta ? [beta] : []].every((name) =>
      this.#value(name)?.data.length === x.channels
    );
    if (axis !== -1 && axis !== view.shape.length - 1 || !constant) {
      throw new Refusal("it normalises other axes than the channels");
    }
    const epsilon = numberAttribute(node, "epsilon", 1e-5);
    const { channels } = x;
    return like(view, {
      kind: "normed",
      ...{ channels, node, x, gamma, beta, epsilon },
    });
  }

  #product(node: GraphNode): Meaning {
    const [left, right] = node.inputs;
    const [a, b] = [this.#meaning(left), this.#meaning(right)];
    if (a && b) {
      const output = this.#shape(node.outputs[0]!);
      if (a.kind === "scores" && b.kind === "rows" && a.isSoftmax) {
        return attend(node, { ...a, values: headsOf(b, "keys"), output });
      }
      const queries = headsOf(turnedPart(a), "keys");
      const keys = headsOf(turnedPart(b), "dimensions");
      return { kind: "scores", queries, keys, scale: 1, isSoftmax: false };
    }
    const weights = this.#value(right);
    if (!a || weights?.dtype !== "float32" || weights.shape.length !== 2) {
      throw new Refusal("its weights are no matrix of constants");
    }
    return this.#linear(node, weights, { outputsFirst: false });
  }

  #gemm(node: GraphNode): RowsView {
    const [, w, c] = node.inputs;
    const weights = this.#value(w);
    if (
      weights?.dtype !== "float32" || numberAttribute(node, "transA", 0) !== 0
    ) {
      throw new Refusal("its weights are no matrix of constants");
    }
    const outputsFirst = numberAttribute(node, "transB", 0) !== 0;
    const rows = this.#linear(node, weights, { outputsFirst });
    const linear = rows.of as Linear;
    const alpha = numberAttribute(node, "alpha", 1);
    const product = alpha === 1
      ? linear
      : scaled(linear, new Float64Array(linear.channels).fill(alpha));
    if (!c) return { ...rows, of: product };
    const bias = this.#vector(c, linear.channels);
    if (!bias) throw new Refusal("its bias is no vector of constants");
    const beta = numberAttribute(node, "beta", 1);
    return { ...rows, of: biased(product, bias.map((v) => v * beta)) };
  }

  #linear(
    node: GraphNode,
    tensor: FloatTensor,
    { outputsFirst }: { readonly outputsFirst: boolean },
  ): RowsView {
    const rows = this.#view(node.inputs[0]);
    const x = wholeRows(rows);
    const [inputs, channels] = outputsFirst
      ? tensor.shape.toReversed()
      : tensor.shape;
    if (inputs !== x.channels) {
      throw new Refusal(
        `its weights have shape [${tensor.shape}], its tokens ${x.channels} channels`,
      );
    }
    const name = node.inputs[1]!;
    const matrix = { tensor, name, outputsFirst };
    return like(rows.view, {
      kind: "linear",
      ...{ channels: channels!, node, x, matrix },
    });
  }

  #activated(node: GraphNode): RowsView {
    if (stringAttribute(node, "approximate", "none") !== "none") {
      throw new Refusal(
        "it approximates GELU, only the exact one is supported",
      );
    }
    const rows = this.#view(node.inputs[0]);
    const linear = this.#plain(rows, "it is applied to");
    return like(rows.view, {
      ...linear,
      activation: ACTIVATIONS[node.op]!,
    });
  }

  /** One number for each channel, from a constant of any rank. */
  #vector(
    name: string | undefined,
    channels: number,
  ): Float64Array | undefined {
    const tensor = this.#value(name);
    if (!tensor) return undefined;
    const numbers = numbersOf(tensor);
    if (numbers.length === 1) {
      return new Float64Array(channels).fill(numbers[0]);
    }
    const fits = numbers.length === channels &&
      tensor.shape.at(-1) === channels;
    return fits ? Float64Array.from(numbers) : undefined;
  }

  /** The tensor and the constant of a node that has one of each. */
  #withConstant(
    node: GraphNode,
  ): { readonly input: string; readonly constant: string } | undefined {
    const [a = "", b = ""] = node.inputs;
    if (this.#values.has(b)) return { input: a, constant: b };
    return this.#values.has(a) ? { input: b, constant: a } : undefined;
  }

  #added(node: GraphNode): Meaning {
    const pair = this.#withConstant(node);
    if (pair) {
      const meaning = this.#meaning(pair.input)!;
      if (meaning.kind === "scores") {
        return this.#masked(meaning, pair.constant);
      }
      const rows = this.#view(pair.input);
      const linear = this.#plain(rows, "it adds a constant to");
      const bias = this.#vector(pair.constant, linear.channels);
      if (!bias) throw new Refusal("it adds other constants than a bias");
      return like(rows.view, biased(linear, bias));
    }
    const [a, b] = node.inputs.map((name) => this.#meaning(name));
    if (a?.kind === "weighed" && b?.kind === "weighed") return turningOf(a, b);
    const [left, right] = node.inputs.map((name) => this.#view(name)) as [
      RowsView,
      RowsView,
    ];
    const of = [wholeRows(left), wholeRows(right)] as const;
    const view = like(left.view, of[0]).view;
    if (!sameView(view, like(right.view, of[1]).view)) {
      throw new Refusal("it adds tensors whose tokens are in another order");
    }
    const [x, y] = of;
    const { channels } = x;
    if (isPlain(y)) return { ...left, of: { ...y, residual: x }, view };
    if (isPlain(x)) return { ...left, of: { ...x, residual: y }, view };
    return { ...left, of: { kind: "sum", channels, node, of }, view };
  }

  #masked(scores: Scores, constant: string): Scores {
    const mask = this.#value(constant)!;
    if (numbersOf(mask).every((value) => value === 0)) return scores;
    throw new Refusal("it masks tokens");
  }

  #multiplied(node: GraphNode): Meaning {
    const pair = this.#withConstant(node);
    if (!pair) {
      const [a, b] = node.inputs.map((name) => this.#view(name)) as [
        RowsView,
        RowsView,
      ];
      const of = [wholeRows(a), wholeRows(b)] as const;
      const views = [like(a.view, of[0]), like(b.view, of[1])] as const;
      const open = of.findIndex((rows) =>
        rows.kind === "linear" && !rows.residual && !rows.gate
      );
      const gated = of[open];
      if (gated?.kind !== "linear" || !sameView(views[0].view, views[1].view)) {
        throw new Refusal("neither of its inputs is a product with weights");
      }
      return { ...views[0], of: { ...gated, gate: of[1 - open]! } };
    }
    const meaning = this.#meaning(pair.input)!;
    const factor = this.#number(pair.constant);
    if (meaning.kind === "scores" && factor !== undefined) {
      if (meaning.isSoftmax) throw new Refusal("it scales a softmax");
      return { ...meaning, scale: meaning.scale * factor };
    }
    if (meaning.kind === "rows" && factor !== undefined) {
      return { ...meaning, factor: meaning.factor * factor };
    }
    if (meaning.kind === "rows") {
      const scale = this.#vector(pair.constant, meaning.of.channels);
      if (scale) {
        const linear = this.#plain(meaning, "it scales the channels of");
        return like(meaning.view, scaled(linear, scale));
      }
    }
    if (meaning.kind === "scores" || meaning.kind === "nan") {
      throw new Refusal("it multiplies scores by other things than a number");
    }
    const count = elementCount(this.#value(pair.constant)!.shape);
    return weighed(meaning, pair.constant, count);
  }

  #divided(node: GraphNode): Meaning {
    const [input, divisor] = node.inputs;
    const meaning = this.#meaning(input);
    const number = this.#number(divisor);
    if (number !== undefined && meaning?.kind === "rows") {
      return { ...meaning, factor: meaning.factor / number };
    }
    if (number !== undefined && meaning?.kind === "scores") {
      return { ...meaning, scale: meaning.scale / number };
    }
    throw new Refusal("it divides by other things than a number");
  }

  #softmax(node: GraphNode): Scores {
    const scores = this.#meaning(node.inputs[0]);
    const rank = this.#shape(node.outputs[0]!).length;
    const axis = numberAttribute(node, "axis", this.#graph.opset < 13 ? 1 : -1);
    if (scores?.kind !== "scores" || axis !== -1 && axis !== rank - 1) {
      throw new Refusal("it is no softmax of scores of queries and keys");
    }
    return { ...scores, isSoftmax: true };
  }

  #joined(node: GraphNode): Meaning {
    const parts = node.inputs.map((name) => this.#meaning(name));
    const [a, b] = parts;
    if (parts.length !== 2 || a?.kind !== "rows" || !b) {
      throw new Refusal("it joins tensors behind the embedding");
    }
    const rank = this.#shape(node.outputs[0]!).length;
    const axis = resolveAxis(node, numberAttribute(node, "axis", 0), rank);
    return withPrefix(a, b, axis);
  }
}
