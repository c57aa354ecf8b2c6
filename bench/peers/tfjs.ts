/**
 * A backbone on TensorFlow.js's WebGPU back end: convolutions with bias and
 * ReLU fused, as it does them fastest.
 *
 * @module
 */
import { numbersAttribute } from "../../src/nn/attributes.ts";
import type { Graph, GraphNode } from "../../src/nn/graph.ts";
import { toNhwc } from "../../src/nn/layout.ts";

interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Pair = readonly [number, number];

/** The part of `@tensorflow/tfjs-core` that is used. */
interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, order: readonly number[]): TfTensor;
  slice(
    x: TfTensor,
    begin: readonly number[],
    size: readonly number[],
  ): TfTensor;
  tidy<T>(work: () => T): T;
  pad(x: TfTensor, pads: readonly Pair[], value: number): TfTensor;
  maxPool(x: TfTensor, size: Pair, strides: Pair, pad: "valid"): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
  relu(x: TfTensor): TfTensor;
  readonly fused: {
    conv2d(options: Readonly<Record<string, unknown>>): TfTensor;
  };
}

/** What a measurement needs of it. */
export interface TfjsTrunk {
  /** Runs the backbone once and waits for the result. */
  run(): Promise<void>;
  /** The deepest output in ONNX order. */
  output(): Promise<Float32Array>;
}

/**
 * Uploads weights and images.
 *
 * @param graph An optimised graph of convolutions, poolings and sums.
 * @param images `[N, 3, H, W]`.
 * @param shape Those four sizes.
 * @param deepest Name of the output.
 * @throws {TypeError} If the graph has another operator, or groups.
 */
export async function tfjsTrunk(
  graph: Graph,
  images: Float32Array,
  shape: readonly number[],
  deepest: string,
): Promise<TfjsTrunk> {
  const tf = await import("@tensorflow/tfjs-core") as unknown as Tf;
  await import("@tensorflow/tfjs-backend-webgpu");
  await tf.setBackend("webgpu");
  await tf.ready();
  const [n = 1, channels = 3, height = 1, width = 1] = shape;
  const padded = toNhwc(images, shape);
  const data = new Float32Array(images.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = padded[Math.floor(i / channels) * 4 + i % channels]!;
  }
  const input = tf.tensor(data, [n, height, width, channels]);
  const weights = new Map<string, TfTensor>();
  for (const node of graph.nodes) {
    if (node.op !== "Conv") continue;
    const [, w = "", b = ""] = node.inputs;
    const filter = graph.constants.get(w)!;
    const given = tf.tensor(filter.data as Float32Array, [...filter.shape]);
    const ordered = tf.transpose(given, [2, 3, 1, 0]);
    await ordered.data();
    weights.set(w, ordered);
    if (b === "") continue;
    weights.set(
      b,
      tf.tensor(
        graph.constants.get(b)!.data as Float32Array,
        graph.constants.get(b)!.shape,
      ),
    );
  }
  const forward = (): TfTensor =>
    tf.tidy(() => {
      const values = new Map<string, TfTensor>([
        [graph.inputs[0]!.name, input],
      ]);
      for (const node of graph.nodes) {
        values.set(node.outputs[0]!, apply(tf, node, values, weights));
      }
      return values.get(deepest)!;
    });
  return {
    async run(): Promise<void> {
      const y = forward();
      await tf.slice(y, [0, 0, 0, 0], [1, 1, 1, 4]).data();
      y.dispose();
    },
    async output(): Promise<Float32Array> {
      return await tf.transpose(forward(), [0, 3, 1, 2]).data();
    },
  };
}

function apply(
  tf: Tf,
  node: GraphNode,
  values: ReadonlyMap<string, TfTensor>,
  weights: ReadonlyMap<string, TfTensor>,
): TfTensor {
  const [x = "", w = "", b = ""] = node.inputs;
  const relu = node.activation?.kind === "relu";
  const strides =
    (numbersAttribute(node, "strides") ?? [1, 1]) as unknown as Pair;
  const [top = 0, left = 0, bottom = 0, right = 0] =
    numbersAttribute(node, "pads") ?? [];
  if (node.op === "MaxPool") {
    const kernel = numbersAttribute(
      node,
      "kernel_shape",
    ) as unknown as unknown as Pair;
    const pad: readonly Pair[] = [[0, 0], [top, bottom], [left, right], [0, 0]];
    const edge = tf.pad(values.get(x)!, pad, -3e38);
    return tf.maxPool(edge, kernel, strides, "valid");
  }
  const filter = weights.get(w) as TfTensor | undefined;
  const groups = filter !== undefined &&
    filter.shape[2] !== values.get(x)!.shape[3];
  if (node.op !== "Conv" || filter === undefined || groups) {
    throw new TypeError(
      `Cannot run ${node.op} "${node.name}" on TensorFlow.js`,
    );
  }
  const { residual } = node;
  const bias = weights.get(b) as TfTensor | undefined;
  const sum = tf.fused.conv2d({
    x: values.get(x)!,
    filter,
    strides,
    pad: [[0, 0], [top, bottom], [left, right], [0, 0]],
    ...(bias && { bias }),
    activation: relu && residual === undefined ? "relu" : "linear",
  });
  if (residual === undefined) return sum;
  const added = tf.add(sum, values.get(residual)!);
  return relu ? tf.relu(added) : added;
}
