/**
 * Operators over tokens `[N, D, T, 1]`, which lie in memory as images do. No
 * operator of ONNX has such a name.
 *
 * @module
 */
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { nodeError } from "../onnx/errors.ts";

type Shape = readonly number[];

/** Names of the operators, and what they read. */
export const TOKEN_OPERATORS = {
  /** `qkv [N, 3·H·head, T, 1]` → `[N, H·head, T, 1]`. */
  attention: "tokens:Attention",
  /** `patches [N, D, h, w]`, `offset [1, T, D]` → `[N, D, T, 1]`. */
  embed: "tokens:Embed",
  /** A batch → its first image, of which the shape alone counts. */
  firstImage: "tokens:FirstImage",
  /** `x, weights [inputs, outputs], bias, scale, gate, cos, sin`. */
  linear: "tokens:Linear",
  /** `x, patches` → the patches' tokens as a map `[N, D, h, w]`. */
  map: "tokens:Map",
  /** `x, gamma, beta` and, for a map of the patches alone, `patches`. */
  norm: "tokens:Norm",
} as const;

/** Shape of a node's result, from those of its inputs. */
type Rule = (node: GraphNode, inputs: readonly (Shape | undefined)[]) => Shape;

function mapAt(
  node: GraphNode,
  inputs: readonly (Shape | undefined)[],
  index: number,
): readonly [number, number, number, number] {
  const shape = inputs[index];
  if (shape?.length === 4) {
    return shape as unknown as readonly [number, number, number, number];
  }
  throw nodeError(
    node,
    `its input ${index} has shape [${shape ?? ""}], expected [N, D, T, 1]`,
    "shape",
  );
}

const attention: Rule = (node, inputs) => {
  const [images, channels, ...tokens] = mapAt(node, inputs, 0);
  const head = channels / 3 / numberAttribute(node, "heads", 1);
  if (Number.isInteger(head)) return [images, channels / 3, ...tokens];
  throw nodeError(node, `${channels} channels are not those of its heads`);
};

const embed: Rule = (node, inputs) => {
  const [images, channels, height, width] = mapAt(node, inputs, 0);
  const [one, tokens = 0, own] = inputs[1] ?? [];
  if (one === 1 && own === channels && tokens >= height * width) {
    return [images, channels, tokens, 1];
  }
  throw nodeError(
    node,
    `its positions have shape [${inputs[1] ?? ""}], its patches [${inputs[0]}]`,
    "shape",
    "the model may be fixed to one image size, use that size",
  );
};

const linear: Rule = (node, inputs) => {
  const [images, channels, ...tokens] = mapAt(node, inputs, 0);
  const [rows, outputs, ...more] = inputs[1] ?? [];
  if (rows === channels && outputs !== undefined && more.length === 0) {
    return [images, outputs, ...tokens];
  }
  throw nodeError(
    node,
    `cannot multiply ${channels} channels with weights [${inputs[1] ?? ""}]`,
    "shape",
  );
};

const map: Rule = (node, inputs) => {
  const [images, channels] = mapAt(node, inputs, 0);
  const [, , height, width] = mapAt(node, inputs, 1);
  return [images, channels, height, width];
};

/** Shapes of the results of the operators over tokens. */
export const TOKEN_RULES: Readonly<Record<string, Rule>> = {
  [TOKEN_OPERATORS.attention]: attention,
  [TOKEN_OPERATORS.embed]: embed,
  [TOKEN_OPERATORS.firstImage]: (_, [shape = []]) => [1, ...shape.slice(1)],
  [TOKEN_OPERATORS.linear]: linear,
  [TOKEN_OPERATORS.map]: map,
  [TOKEN_OPERATORS.norm]: (node, inputs) =>
    inputs[3] ? map(node, [inputs[0], inputs[3]]) : mapAt(node, inputs, 0),
};
