/**
 * The real layers of the networks that PatchCore runs to `layer3`, derived from
 * their architecture.
 */
import {
  type Architecture,
  buildGraph,
} from "../src/nn/architectures/architecture.ts";
import { architecture } from "../src/nn/architectures/catalogue.ts";
import { randomWeights } from "../src/nn/architectures/random_weights.ts";
import { cutGraph } from "../src/nn/cut.ts";
import type { Graph } from "../src/nn/graph.ts";
import { elementCount, floatTensor } from "../src/nn/host_tensor.ts";
import { inferShapes } from "../src/nn/shape_inference.ts";
import { resolveWindow } from "../src/nn/window.ts";

/** Networks whose layers are measured. */
export const MODELS = ["resnet18", "wide_resnet50_2"] as const;

/** The deepest tensor PatchCore taps. */
export const DEEPEST_TAP = "layer3";

/** One convolution of a network. */
export interface ConvLayer {
  /** Name of the first layer of this shape. */
  readonly name: string;
  /** Layers of this shape in the network. */
  readonly count: number;
  /** Images. */
  readonly images: number;
  /** Channels read. */
  readonly channels: number;
  /** Channels written. */
  readonly outputs: number;
  /** Height and width read. */
  readonly input: readonly [number, number];
  /** Height and width written. */
  readonly output: readonly [number, number];
  /** Window. */
  readonly kernel: readonly [number, number];
  /** Steps of the window. */
  readonly strides: readonly [number, number];
  /** Padding above and on the left. */
  readonly pads: readonly [number, number];
  /** Floating-point operations of one layer, two a multiplication. */
  readonly flops: number;
}

/** A network up to `layer3` with drawn weights, BatchNormalization still in it. */
export function trunk(name: string, seed = 0): Graph {
  const whole = architecture(name);
  const graph = buildGraph(whole, placeholders(whole));
  const { nodes, constants } = cutGraph(graph, [DEEPEST_TAP]);
  const parameters = whole.parameters.filter((p) => constants.has(p.name));
  const { weights, metadata } = randomWeights({ ...whole, parameters }, seed);
  return {
    ...graph,
    nodes,
    outputs: [DEEPEST_TAP],
    constants: weights,
    metadata,
  };
}

/** Zeros of every parameter's shape, all in one memory. */
function placeholders({ parameters }: Architecture) {
  const most = Math.max(...parameters.map(({ shape }) => elementCount(shape)));
  const zeros = new Float32Array(most);
  return new Map(parameters.map(({ name, shape }) => [
    name,
    floatTensor(shape, zeros.subarray(0, elementCount(shape))),
  ]));
}

/** The different convolutions of a network, in its order. */
export function convLayers(
  model: string,
  size: number,
  images: number,
): ConvLayer[] {
  const whole = architecture(model);
  const graph = cutGraph(buildGraph(whole, placeholders(whole)), [DEEPEST_TAP]);
  const shape = [images, 3, size, size];
  const { shapes } = inferShapes(graph, shape);
  const layers = new Map<string, ConvLayer>();
  for (const node of graph.nodes) {
    if (node.op !== "Conv") continue;
    const [, channels = 0, height = 0, width = 0] = shapes.get(
      node.inputs[0]!,
    )!;
    const [outputs = 0, inputs = 0, kernelHeight = 0, kernelWidth = 0] = graph
      .constants.get(node.inputs[1]!)!.shape;
    const input = [height, width] as const;
    const window = resolveWindow(node, input, [kernelHeight, kernelWidth]);
    const { kernel, strides, output, padsBegin: pads } = window;
    const key = [channels, outputs, input, kernel, strides].join();
    const count = (layers.get(key)?.count ?? 0) + 1;
    const name = layers.get(key)?.name ?? node.name;
    const flops = 2 * images * elementCount(output) * outputs * inputs *
      elementCount(kernel);
    layers.set(key, {
      ...{ name, count, images, channels, outputs, input, output },
      ...{ kernel, strides, pads, flops },
    });
  }
  return [...layers.values()];
}

/** What a layer does, e.g. `3×3/2 128→256 at 28`. */
export function describeLayer(layer: ConvLayer): string {
  const { kernel, strides, channels, outputs, output } = layer;
  const stride = strides[0] === 1 ? "" : `/${strides[0]}`;
  return `${kernel.join("×")}${stride} ${channels}→${outputs} at ${output[0]}`;
}
