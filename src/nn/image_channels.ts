/**
 * Follows the image through the operators that do nothing but scale, shift and
 * reorder its channels, in whatever spelling.
 *
 * @module
 */
import { numberAttribute, numbersAttribute } from "./attributes.ts";
import { evaluate } from "./evaluate.ts";
import { FoldingBudget } from "./folding_budget.ts";
import type { Graph, GraphNode, HostTensor } from "./graph.ts";
import { numbersOf } from "./host_tensor.ts";
import { OnnxError } from "./onnx/errors.ts";
import {
  resolveAxes,
  resolveAxis,
  resolveClip,
  resolvePermutation,
  resolveSlice,
  resolveSplit,
} from "./parameters.ts";
import { drops } from "./training_mode.ts";
import { producersOf, removeUnused } from "./topology.ts";

/** What one channel of a tensor is: `scale · image + shift`, of one of the image's channels. */
export interface ImageChannel {
  /** Channel of the image. */
  readonly source: number;
  /** Factor. */
  readonly scale: number;
  /** Added to it. */
  readonly shift: number;
}

/** A tensor that is made of nothing but the image's channels. */
interface ImageView {
  readonly rank: number;
  /** Axis of the channels; `undefined` for a single one without an axis. */
  readonly axis: number | undefined;
  readonly channels: readonly ImageChannel[];
}

/** Where the first operators that do something else find the image. */
export interface ImageUse {
  /** What the network computes with: the channels that an operator reads, once for each operator. */
  readonly uses: readonly {
    /** The operator. */
    readonly node: GraphNode;
    /** The channels as it reads them. */
    readonly channels: readonly ImageChannel[];
  }[];
  /** Upper ends of the range that the image is clipped to, in its own levels. */
  readonly limits: readonly number[];
}

/** How the network uses its image, after what only scales, shifts and reorders channels. */
export function imageUse(graph: Graph): ImageUse {
  return new ImageWalk(removeUnused(graph)).run();
}

/** Constants further than this many operators from the file's own are not looked at. */
const MAX_DEPTH = 16;
const CHANNELS = 3;
/** Extent of axes that slicing channels does not depend on. */
const ANY_EXTENT = 2 ** 20;

class ImageWalk {
  readonly #graph: Graph;
  readonly #producers: ReadonlyMap<string, GraphNode>;
  readonly #budget: FoldingBudget;
  readonly #values: Map<string, HostTensor>;
  readonly #views = new Map<string, ImageView>();
  readonly #uses: { node: GraphNode; channels: readonly ImageChannel[] }[] = [];
  readonly #limits: number[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#producers = producersOf(graph.nodes);
    this.#values = new Map(graph.constants);
    this.#budget = new FoldingBudget(graph.constants);
  }

  run(): ImageUse {
    const image = this.#graph.inputs[0]?.name ?? "";
    const channels = Array.from(
      { length: CHANNELS },
      (_, source) => ({ source, scale: 1, shift: 0 }),
    );
    this.#views.set(image, { rank: 4, axis: 1, channels });
    for (const node of this.#graph.nodes) {
      if (node.op !== "Shape") this.#visit(node);
    }
    return { uses: this.#uses, limits: this.#limits };
  }

  #visit(node: GraphNode): void {
    const read = node.inputs.flatMap((name) => this.#views.get(name) ?? []);
    if (read.length === 0) return;
    const results = this.#tolerant(() => this.#results(node));
    if (!results) {
      for (const { channels } of read) this.#uses.push({ node, channels });
      return;
    }
    results.forEach((view, i) => {
      const name = node.outputs[i];
      if (name) this.#views.set(name, view);
    });
  }

  /** The views that a node yields, or `undefined` when it does something else. */
  #results(node: GraphNode): readonly ImageView[] | undefined {
    if (node.op === "Concat") return this.#concatenated(node);
    const [a = "", b = ""] = node.inputs;
    const [left, right] = [this.#views.get(a), this.#views.get(b)];
    if (left && right) return undefined;
    if (node.op === "Max" || node.op === "Min") return this.#bounded(node);
    if (!left && right) return this.#arithmetic(node, right, a, true);
    if (!left) return undefined;
    switch (node.op) {
      case "Identity":
      case "AveragePool":
      case "Pad":
      case "Resize":
      case "Upsample":
        return [left];
      case "Cast":
        return [1, 10, 11, 16].includes(numberAttribute(node, "to", 0))
          ? [left]
          : undefined;
      case "Dropout":
        for (const name of node.inputs.slice(1)) this.#value(name);
        return drops(node, this.#values) ? undefined : [left];
      case "Neg":
        return [mapped(left, ({ scale, shift }) => [-scale, -shift])];
      case "Clip":
        return this.#clipped(node, left);
      case "BatchNormalization":
        return this.#normalised(node, left);
      case "Conv":
        return this.#convolved(node, left);
      case "Add":
      case "Sub":
      case "Mul":
      case "Div":
        return this.#arithmetic(node, left, b, false);
      default:
        return this.#moved(node, left);
    }
  }

  /** Arithmetic with one value a channel; of a mean image that is subtracted, the mean counts. */
  #arithmetic(
    node: GraphNode,
    view: ImageView,
    name: string,
    reversed: boolean,
  ): readonly ImageView[] | undefined {
    const constant = this.#value(name);
    const means = constant && channelMeans(constant, view);
    if (!means || means.varies && !["Add", "Sub"].includes(node.op)) {
      return undefined;
    }
    const { values } = means;
    switch (node.op) {
      case "Add":
        return [mapped(view, ({ scale, shift }, c) => [
          scale,
          shift + values[c]!,
        ])];
      case "Sub":
        return [
          mapped(
            view,
            ({ scale, shift }, c) =>
              reversed
                ? [-scale, values[c]! - shift]
                : [scale, shift - values[c]!],
          ),
        ];
      case "Mul":
        return [mapped(view, ({ scale, shift }, c) => [
          scale * values[c]!,
          shift * values[c]!,
        ])];
      case "Div":
        return reversed ? undefined : [mapped(view, ({ scale, shift }, c) => [
          scale / values[c]!,
          shift / values[c]!,
        ])];
      default:
        return undefined;
    }
  }

  /** Max or Min with one number, which is half a Clip. */
  #bounded(node: GraphNode): readonly ImageView[] | undefined {
    const [view, ...more] = node.inputs
      .flatMap((name) => this.#views.get(name) ?? []);
    const bounds = node.inputs.filter((name) => !this.#views.has(name))
      .map((name) => numbersOf(this.#value(name) ?? NOTHING));
    const [bound, ...others] = bounds.flat();
    if (!view || more.length + others.length > 0 || bound === undefined) {
      return undefined;
    }
    return node.op === "Max"
      ? this.#limited(view, bound, Infinity)
      : this.#limited(view, -Infinity, bound);
  }

  #clipped(node: GraphNode, view: ImageView): readonly ImageView[] {
    for (const name of node.inputs.slice(1)) this.#value(name);
    const { min, max } = resolveClip(node, this.#values);
    return this.#limited(view, min, max);
  }

  #limited(view: ImageView, min: number, max: number): readonly ImageView[] {
    for (const { scale, shift } of view.channels) {
      const end = ((scale > 0 ? max : min) - shift) / scale;
      if (Number.isFinite(end)) this.#limits.push(end);
    }
    return [view];
  }

  #normalised(
    node: GraphNode,
    view: ImageView,
  ): readonly ImageView[] | undefined {
    const vectors = node.inputs.slice(1, 5).map((name) =>
      numbersOf(this.#value(name) ?? NOTHING)
    );
    const fits = view.axis === 1 && vectors.length === 4 &&
      vectors.every(({ length }) => length === view.channels.length);
    if (!fits) return undefined;
    const [gamma, beta, mean, variance] = vectors as [
      number[],
      number[],
      number[],
      number[],
    ];
    const epsilon = numberAttribute(node, "epsilon", 1e-5);
    return [mapped(view, ({ scale, shift }, c) => {
      const factor = gamma[c]! / Math.sqrt(variance[c]! + epsilon);
      return [scale * factor, (shift - mean[c]!) * factor + beta[c]!];
    })];
  }

  /** A convolution with one pixel whose every filter reads one channel. */
  #convolved(
    node: GraphNode,
    view: ImageView,
  ): readonly ImageView[] | undefined {
    const weights = this.#value(node.inputs[1] ?? "");
    const bias = node.inputs[2] ? this.#value(node.inputs[2]) : undefined;
    const [filters = 0, inputs = 0, height, width] = weights?.shape ?? [];
    const group = numberAttribute(node, "group", 1);
    const plain = ["strides", "pads"].every((name) =>
      (numbersAttribute(node, name) ?? []).every((extent) =>
        extent === (name === "pads" ? 0 : 1)
      )
    );
    const fits = weights && height === 1 && width === 1 && plain &&
      view.axis === 1 && view.channels.length === inputs * group &&
      filters === view.channels.length;
    if (!fits || (node.inputs[2] && !bias)) return undefined;
    const values = numbersOf(weights);
    const channels: ImageChannel[] = [];
    for (let filter = 0; filter < filters; filter++) {
      const row = values.slice(filter * inputs, (filter + 1) * inputs);
      const only = row.findIndex((weight) => weight !== 0);
      if (row.filter((weight) => weight !== 0).length !== 1) return undefined;
      const first = Math.floor(filter / (filters / group)) * inputs;
      const channel = view.channels[first + only]!;
      channels.push({
        source: channel.source,
        scale: channel.scale * row[only]!,
        shift: channel.shift * row[only]! + Number(bias?.data[filter] ?? 0),
      });
    }
    const distinct = new Set(channels.map(({ source }) => source));
    return distinct.size === filters ? [{ ...view, channels }] : undefined;
  }

  #concatenated(node: GraphNode): readonly ImageView[] | undefined {
    const views = node.inputs.map((name) => this.#views.get(name));
    const [first] = views;
    if (!first || views.some((view) => view?.axis !== first.axis)) {
      return undefined;
    }
    const axis = resolveAxis(
      node,
      numberAttribute(node, "axis", 0),
      first.rank,
    );
    if (axis !== first.axis) return undefined;
    const channels = views.flatMap((view) => view?.channels ?? []);
    return [{ ...first, channels }];
  }

  /** Operators that pick or reorder channels. */
  #moved(
    node: GraphNode,
    view: ImageView,
  ): readonly ImageView[] | undefined {
    const { rank, axis, channels } = view;
    for (const name of node.inputs.slice(1)) this.#value(name);
    const along = (fallback: number): number =>
      resolveAxis(node, numberAttribute(node, "axis", fallback), rank);
    const shape = Array.from(
      { length: rank },
      (_, i) => i === axis ? channels.length : ANY_EXTENT,
    );
    switch (node.op) {
      case "Gather": {
        const list = this.#value(node.inputs[1] ?? "");
        if (!list || axis === undefined || along(0) !== axis) return undefined;
        const picked = numbersOf(list).map((pick) => channels.at(pick)!);
        if (list.shape.length > 1 || picked.includes(undefined!)) {
          return undefined;
        }
        return list.shape.length === 1
          ? [{ ...view, channels: picked }]
          : [{ rank: rank - 1, axis: undefined, channels: picked }];
      }
      case "Slice": {
        const { starts, steps, counts } = resolveSlice(
          node,
          shape,
          this.#values,
        );
        if (axis === undefined) return [view];
        const picked = Array.from(
          { length: counts[axis]! },
          (_, i) => channels[starts[axis]! + i * steps[axis]!]!,
        );
        return [{ ...view, channels: picked }];
      }
      case "Split": {
        if (along(0) !== axis) return undefined;
        let from = 0;
        return resolveSplit(node, channels.length, this.#values)
          .map((size) => ({
            ...view,
            channels: channels.slice(from, from += size),
          }));
      }
      case "Transpose": {
        if (axis === undefined) return [view];
        const order = resolvePermutation(node, rank);
        return [{ ...view, axis: order.indexOf(axis) }];
      }
      case "Unsqueeze": {
        const axes = resolveAxes(node, rank + 1, this.#values) ?? [];
        if (axes.length !== 1) return undefined;
        const [added] = axes as [number];
        const moved = axis === undefined
          ? added
          : axis >= added
          ? axis + 1
          : axis;
        return [{ ...view, rank: rank + 1, axis: moved }];
      }
      case "Squeeze": {
        const axes = resolveAxes(node, rank, this.#values) ?? [];
        if (axes.length !== 1) return undefined;
        const [removed] = axes as [number];
        const moved = axis === undefined || axis === removed
          ? undefined
          : axis > removed
          ? axis - 1
          : axis;
        return [{ ...view, rank: rank - 1, axis: moved }];
      }
      default:
        return undefined;
    }
  }

  /** A constant, computed from others where it has to be. */
  #value(name: string, depth = 0): HostTensor | undefined {
    const known = this.#values.get(name);
    if (known || name === "" || depth > MAX_DEPTH) return known;
    const node = this.#producers.get(name);
    if (!node || node.outputs[0] !== name) return undefined;
    for (const input of node.inputs) {
      if (input !== "" && !this.#value(input, depth + 1)) return undefined;
    }
    const value = this.#tolerant(() =>
      evaluate(node, this.#values, this.#budget)
    );
    if (value) this.#values.set(name, value);
    return value;
  }

  /** What an invalid node would yield is nobody's view; whoever runs it says so. */
  #tolerant<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (error instanceof OnnxError) return undefined;
      throw error;
    }
  }
}

const NOTHING: HostTensor = {
  dtype: "float32",
  shape: [0],
  data: new Float32Array(),
};

function mapped(
  view: ImageView,
  map: (channel: ImageChannel, index: number) => [number, number],
): ImageView {
  const channels = view.channels.map((channel, c) => {
    const [scale, shift] = map(channel, c);
    return { source: channel.source, scale, shift };
  });
  return { ...view, channels };
}

/** Mean of a constant over all pixels, for each channel it meets. */
function channelMeans(
  tensor: HostTensor,
  { rank, axis, channels }: ImageView,
): { values: readonly number[]; varies: boolean } | undefined {
  if (tensor.dtype !== "float32" || tensor.shape.length > rank) {
    return undefined;
  }
  const own = axis === undefined ? -1 : axis - rank + tensor.shape.length;
  const extent = own < 0 ? 1 : tensor.shape[own]!;
  if (extent !== 1 && extent !== channels.length) return undefined;
  const inner = own < 0
    ? 1
    : tensor.shape.slice(own + 1).reduce((a, b) => a * b, 1);
  const sums = new Array<number>(extent).fill(0);
  tensor.data.forEach((value, i) => {
    sums[Math.floor(i / inner) % extent]! += value;
  });
  const count = tensor.data.length / extent;
  const values = channels.map((_, c) => sums[extent === 1 ? 0 : c]! / count);
  return { values, varies: count > 1 };
}
