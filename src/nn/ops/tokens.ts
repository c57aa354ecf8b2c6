import { attentionKernel } from "../../wgsl/attention.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { MOST_TEXELS } from "../../wgsl/kernel.ts";
import type { Conv2dSizes } from "../../wgsl/conv2d.ts";
import { layerNorm } from "../../wgsl/layer_norm.ts";
import { slice } from "../../wgsl/slice.ts";
import { tokens as tokensKernel } from "../../wgsl/tokens.ts";
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { packVector } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import type { Operand, PlanContext } from "../plan_context.ts";
import { TOKEN_OPERATORS } from "../transformer/token_operators.ts";
import type { Operator } from "./operator.ts";
import { emitProduct, floatConstant, PLAIN } from "./product.ts";

/** Patches with positions, behind other tokens. */
function embed(node: GraphNode, context: PlanContext): void {
  const [patches, offset] = node.inputs;
  const { images, channels, pixels } = context.extent(patches);
  const { shape, data } = floatConstant(node, context, offset);
  const [, tokens] = shape;
  context.emit(node, tokensKernel, {
    ...{ images, tokens, channels },
    prefix: tokens - pixels,
  }, {
    x: context.value(node, patches),
    offset: context.constant(
      node,
      context.role("offset", offset),
      tokens * roundUp(channels, 4),
      () => packRows(data, tokens, channels),
    ),
  });
}

/** LayerNormalization of tokens, or of the patches' alone as a map. */
function norm(node: GraphNode, context: PlanContext): void {
  const [x, gamma, beta, patches] = node.inputs;
  const { images, channels, pixels } = context.extent(x);
  const kept = patches ? context.extent(patches).pixels : pixels;
  const vector = (name: string, role: string): Operand => {
    const values = name === "" ? undefined : floatConstant(node, context, name);
    return context.constant(
      node,
      role,
      roundUp(channels, 4),
      () => packVector(values?.data, channels),
    );
  };
  context.emit(
    node,
    context.tile === "subgroup8" ? layerNorm.subgroup8 : layerNorm.portable,
    {
      ...{ images, channels },
      rows: pixels,
      skip: pixels - kept,
      epsilon: numberAttribute(node, "epsilon", 1e-5),
    },
    {
      x: context.value(node, x),
      gamma: vector(gamma, "gamma"),
      beta: vector(beta, "beta"),
    },
  );
}

/** The patches' tokens, as the map that they are. */
function map(node: GraphNode, context: PlanContext): void {
  const [x, patches] = node.inputs;
  const { images, channels, pixels } = context.extent(x);
  const kept = context.extent(patches).pixels;
  context.emit(node, slice, {
    images,
    input: [channels, pixels, 1],
    output: [channels, kept, 1],
    starts: [0, pixels - kept, 0],
    steps: [1, 1, 1],
  }, { x: context.value(node, x) });
}

/** A product with weights `[inputs, outputs]`, and what it ends in. */
function linear(node: GraphNode, context: PlanContext): void {
  const [x, w, b = "", s = "", gate = "", cos = "", sin = ""] = node.inputs;
  const { images, channels, pixels } = context.extent(x);
  const weights = floatConstant(node, context, w);
  const [, outputs] = weights.shape;
  const scale = s === "" ? undefined : floatConstant(node, context, s).data;
  const bias = b === "" ? undefined : floatConstant(node, context, b).data;
  const head = numberAttribute(node, "head", 0);
  const sizes: Conv2dSizes = {
    images,
    input: [1, pixels],
    inputChannels4: Math.ceil(channels / 4),
    output: [1, pixels],
    outputChannels4: Math.ceil(outputs / 4),
    ...(node.residual !== undefined && { residual: true }),
    ...(node.activation && { activation: node.activation }),
    ...(gate !== "" && { gate: true }),
    ...(cos !== "" && {
      turn: {
        tokens: pixels,
        head4: head / 4,
        columns4: outputs / 6,
      },
    }),
  };
  const choice = context.convChoice(sizes) ?? PLAIN;
  const biased = context.constant(
    node,
    "bias",
    roundUp(outputs, 4),
    () => packVector(bias && Float32Array.from(bias), outputs),
  );
  emitProduct(node, context, sizes, choice, {
    x: context.value(node, x),
    w: context.weights(
      node,
      choice,
      roundUp(channels, 4) * roundUp(outputs, 4),
      () => packMatrix(weights.data, channels, outputs, scale),
      context.role("weights", w),
    ),
    bias: biased,
    residual: node.residual !== undefined
      ? context.value(node, node.residual)
      : gate !== ""
      ? context.value(node, gate)
      : cos === ""
      ? biased
      : angles(node, context, { cos, sin, tokens: pixels, head }),
  });
}

/** Cosines and sines for the pairs of a head, 1 and 0 for tokens that are not turned. */
function angles(
  node: GraphNode,
  context: PlanContext,
  { cos, sin, tokens, head }: {
    readonly cos: string;
    readonly sin: string;
    readonly tokens: number;
    readonly head: number;
  },
): Operand {
  const [cosines, sines] = [cos, sin].map((name) =>
    floatConstant(node, context, name).data
  );
  const prefix = numberAttribute(node, "prefix", 0);
  if (cosines.length !== (tokens - prefix) * head) {
    throw nodeError(
      node,
      `its positions are of ${cosines.length / head} patches, the image has ${
        tokens - prefix
      }`,
      "shape",
      "the model may be fixed to one image size, use that size",
    );
  }
  return context.constant(
    node,
    context.role("angles", cos),
    tokens * head * 2,
    () => {
      const packed = new Float32Array(tokens * head * 2);
      for (let t = 0, at = 0; t < tokens; t++) {
        for (let c = 0; c < head; c += 4) {
          for (const [values, still] of [[cosines, 1], [sines, 0]] as const) {
            for (let i = c; i < c + 4; i++, at++) {
              const d = i % 2 * (head / 2) + (i >> 1);
              packed[at] = t < prefix ? still : values[(t - prefix) * head + d];
            }
          }
        }
      }
      return packed;
    },
  );
}

/** Softmax of scores times values, for each head. */
function attention(node: GraphNode, context: PlanContext): void {
  const [qkv] = node.inputs;
  const { images, channels, pixels } = context.extent(qkv);
  const heads = numberAttribute(node, "heads", 1);
  const head = channels / 3 / heads;
  const fits = images * pixels * channels <= 4 * MOST_TEXELS;
  const tile = context.tile === "shared" || context.tile === "subgroup8" && fits
    ? context.tile
    : "direct";
  context.emit(node, attentionKernel(tile, head), {
    ...{ images, heads, head },
    tokens: pixels,
    scale: numberAttribute(node, "scale", 1),
  }, { qkv: context.value(node, qkv) });
}

/** Rows of channels, each padded to a multiple of 4. */
function packRows(
  data: Float32Array,
  rows: number,
  channels: number,
): Float32Array<ArrayBuffer> {
  const stride = roundUp(channels, 4);
  const packed = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    const own = data.subarray(row * channels, (row + 1) * channels);
    packed.set(own, row * stride);
  }
  return packed;
}

/** A matrix `[inputs, outputs]`, both padded to a multiple of 4, its columns scaled. */
function packMatrix(
  data: Float32Array,
  inputs: number,
  outputs: number,
  scale: Float32Array | undefined,
): Float32Array<ArrayBuffer> {
  const packed = packRows(data, roundUp(inputs, 4), outputs);
  const stride = roundUp(outputs, 4);
  if (!scale) return packed;
  for (let row = 0; row < inputs; row++) {
    for (let o = 0; o < outputs; o++) packed[row * stride + o] *= scale[o];
  }
  return packed;
}

/** The operators over tokens, by name. */
export const TOKEN_PLANS: Readonly<Record<string, Operator>> = {
  [TOKEN_OPERATORS.attention]: attention,
  [TOKEN_OPERATORS.embed]: embed,
  [TOKEN_OPERATORS.firstImage]: (node, context) =>
    context.alias(node, node.inputs[0]),
  [TOKEN_OPERATORS.linear]: linear,
  [TOKEN_OPERATORS.map]: map,
  [TOKEN_OPERATORS.norm]: norm,
};
