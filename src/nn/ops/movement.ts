import { concat } from "../../wgsl/concat.ts";
import { flatten } from "../../wgsl/flatten.ts";
import { gatherChannels } from "../../wgsl/gather_channels.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { pad2d } from "../../wgsl/pad2d.ts";
import { slice, type SliceAxes } from "../../wgsl/slice.ts";
import { numberAttribute } from "../attributes.ts";
import type { GraphNode } from "../graph.ts";
import { packVector } from "../layout.ts";
import { nodeError } from "../onnx/errors.ts";
import {
  knownInput,
  resolveAxis,
  resolvePadding,
  resolveSlice,
  resolveSplit,
  type SliceRange,
} from "../parameters.ts";
import type { PlanContext } from "../plan_context.ts";
import { drops, inTraining } from "../training_mode.ts";
import type { Operator } from "./operator.ts";

/** ONNX Identity: shares its input's memory. */
export const Identity: Operator = (node, context) =>
  context.alias(node, node.inputs[0]);
/** ONNX Dropout at inference: nothing. */
export const Dropout: Operator = (node, context) => {
  if (drops(node, context.values)) throw inTraining(node);
  context.alias(node, node.inputs[0]);
};
/** ONNX Flatten, keeping images apart. */
export const Flatten: Operator = rearrange;
/** ONNX Reshape that flattens images, or changes nothing in memory. */
export const Reshape: Operator = rearrange;
/** ONNX Squeeze of pixels. */
export const Squeeze: Operator = rearrange;
/** ONNX Unsqueeze to pixels. */
export const Unsqueeze: Operator = rearrange;

function rearrange(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const from = context.extent(x);
  const to = context.extent(node.outputs[0]);
  const sameImages = from.images === to.images;
  if (sameImages && from.channels === to.channels) {
    return context.alias(node, x);
  }
  if (sameImages && to.pixels === 1) {
    return context.emit(node, flatten, from, { x: context.value(node, x) });
  }
  throw nodeError(
    node,
    `cannot rearrange [${context.shape(x)}] to [${
      context.shape(node.outputs[0])
    }]`,
    "unsupported_operator",
    "only flattening each image is supported; tap an earlier layer",
  );
}

/** ONNX Concat on the channel axis. */
export function Concat(node: GraphNode, context: PlanContext): void {
  const output = context.shape(node.outputs[0]);
  const axis = numberAttribute(node, "axis", 1);
  if (resolveAxis(node, axis, output.length) !== 1) {
    throw nodeError(
      node,
      `axis is ${axis}, only channels (1) are supported`,
      "unsupported_operator",
    );
  }
  const { images, channels, pixels } = context.extent(node.outputs[0]);
  let offset = 0;
  for (const x of node.inputs) {
    const count = context.extent(x).channels;
    context.emit(node, concat, {
      pixels: images * pixels,
      count,
      offset,
      total: channels,
    }, { x: context.value(node, x) });
    offset += count;
  }
}

/** ONNX Pad of height and width: constant, reflect or edge. */
export function Pad(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const { mode, begin, end, value } = resolvePadding(node, 4, context.values);
  const input = context.imageSize(node, x);
  const inner = [begin[0], begin[1], end[0], end[1]];
  if (inner.some((pad) => pad !== 0) || mode === "wrap") {
    throw nodeError(
      node,
      `mode "${mode}" with pads [${begin}, ${end}] is not supported, only height and width with constant, reflect or edge are`,
      "unsupported_operator",
    );
  }
  const { images, channels } = context.extent(x);
  context.emit(node, pad2d, {
    images,
    channels,
    input,
    output: context.imageSize(node, node.outputs[0]),
    pads: [begin[2], begin[3]],
    mode: mode as "constant" | "reflect" | "edge",
    value,
  }, { x: context.value(node, x) });
}

/** ONNX Split: a slice for each result that has a name. */
export function Split(node: GraphNode, context: PlanContext): void {
  const [x] = node.inputs;
  const shape = context.shape(x);
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    shape.length,
  );
  const sizes = resolveSplit(node, shape[axis], context.values);
  let from = 0;
  node.outputs.forEach((name, i) => {
    const starts = shape.map((_, at) => at === axis ? from : 0);
    const counts = shape.with(axis, sizes[i]);
    from += sizes[i];
    if (name === "") return;
    const steps = shape.map(() => 1);
    emitSlice(node, context, { starts, steps, counts }, name);
  });
}

/**
 * ONNX Gather of constant channels, rows or columns: a slice where they are
 * equally far apart.
 */
export function Gather(node: GraphNode, context: PlanContext): void {
  const [x, list] = node.inputs;
  const shape = context.shape(x);
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    shape.length,
  );
  const extent = shape[axis];
  const picks = (knownInput(node, 1, context.values) ?? [])
    .map((pick) => pick < 0 ? pick + extent : pick);
  const outside = picks.find((pick) => pick < 0 || pick >= extent);
  if (outside !== undefined) {
    throw nodeError(node, `index ${outside} is outside of ${extent} elements`);
  }
  if (context.shape(list).length !== 1) {
    throw nodeError(
      node,
      `its indices have shape [${
        context.shape(list)
      }], only a list is supported`,
      "unsupported_operator",
      "tap an earlier layer",
    );
  }
  const step = picks.length > 1 ? picks[1] - picks[0] : 1;
  const even = step !== 0 &&
    picks.every((pick, i) => pick === picks[0] + i * step);
  if (even) {
    const starts = shape.map((_, at) => at === axis ? picks[0] : 0);
    const steps = shape.map((_, at) => at === axis ? step : 1);
    const counts = shape.with(axis, picks.length);
    return emitSlice(node, context, { starts, steps, counts });
  }
  if (axis !== 1) {
    throw nodeError(
      node,
      `it picks [${picks}] along axis ${axis}, only channels (1) may be picked in any order`,
      "unsupported_operator",
      "tap an earlier layer",
    );
  }
  const { images, channels, pixels } = context.extent(x);
  const count = picks.length;
  context.emit(node, gatherChannels, {
    pixels: images * pixels,
    channels,
    count,
  }, {
    x: context.value(node, x),
    picks: context.constant(
      node,
      context.role("picks", list),
      roundUp(count, 4),
      () => packVector(Float32Array.from(picks), count),
    ),
  });
}

/** ONNX Slice of channels, height and width. */
export function Slice(node: GraphNode, context: PlanContext): void {
  const shape = context.shape(node.inputs[0]);
  emitSlice(node, context, resolveSlice(node, shape, context.values));
}

function emitSlice(
  node: GraphNode,
  context: PlanContext,
  { starts, steps, counts }: SliceRange,
  output?: string,
): void {
  const [x] = node.inputs;
  const shape = context.shape(x);
  const [images = 1] = shape;
  if (shape.length > 4 || counts[0] !== images || steps[0] < 0) {
    throw nodeError(
      node,
      `it takes [${counts}] of [${shape}], only channels, height and width of [N, C, H, W] are supported`,
      "unsupported_operator",
      "tap an earlier layer",
    );
  }
  const axes = (list: readonly number[], missing: number): SliceAxes => [
    list[1] ?? missing,
    list[2] ?? missing,
    list[3] ?? missing,
  ];
  context.emit(
    node,
    slice,
    {
      images,
      input: axes(shape, 1),
      output: axes(counts, 1),
      starts: axes(starts, 0),
      steps: axes(steps, 1),
    },
    { x: context.value(node, x) },
    output,
  );
}
