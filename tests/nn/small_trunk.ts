/** A small network of three levels, to put things before, into and behind it. */
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { type Attribute, node } from "./model_builder.ts";
import { constant } from "./model_case.ts";

const HALVING = { strides: [2, 2], pads: [1, 1, 1, 1], kernel_shape: [3, 3] };

/** What comes between the second and the third convolution, from a tensor at stride 4 to another. */
export interface Middle {
  /** The operators, the first reading `level1`. */
  readonly nodes: readonly NodeMessage[];
  /** What they read. */
  readonly constants?: readonly TensorMessage[];
  /** What the third convolution reads. */
  readonly output: string;
}

/**
 * Convolutions to strides 2, 4 (`level1`), 8 (`level2`) and 16 (`level3`), and
 * a head that ends in `logits` `[N, 5]`.
 *
 * @param input What the first one reads, three channels.
 */
export function trunkNodes(input = "x", middle?: Middle): NodeMessage[] {
  const conv = (x: string, w: string, y: string): NodeMessage =>
    node("Conv", [x, w], [y], HALVING);
  return [
    conv(input, "w0", "stem"),
    conv("stem", "w1", "level1"),
    ...middle?.nodes ?? [],
    conv(middle?.output ?? "level1", "w2", "level2"),
    conv("level2", "w3", "level3"),
    node("GlobalAveragePool", ["level3"], ["pooled"]),
    node("Flatten", ["pooled"], ["row"]),
    node("Gemm", ["row", "fc"], ["logits"]),
  ];
}

/** The weights of {@linkcode trunkNodes}, with those of its middle. */
export function trunkWeights(middle?: Middle): TensorMessage[] {
  return [
    constant("w0", [8, 3, 3, 3]),
    constant("w1", [8, 8, 3, 3]),
    constant("w2", [16, 8, 3, 3]),
    constant("w3", [16, 16, 3, 3]),
    constant("fc", [16, 5]),
    ...middle?.constants ?? [],
  ];
}

/** A node of the middle. */
export function between(
  op: string,
  input: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): NodeMessage {
  return node(op, input, [output], attributes);
}
