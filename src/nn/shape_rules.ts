/**
 * The shape of each operator's results, one rule an operator. The operators
 * listed here are those a network may use before its deepest tap.
 *
 * @module
 */
import { numberAttribute, tensorAttribute } from "./attributes.ts";
import type { GraphNode } from "./graph.ts";
import { elementCount } from "./host_tensor.ts";
import { nodeError } from "./onnx/errors.ts";
import {
  knownInput,
  type KnownValues,
  resolveAxes,
  resolveAxis,
  resolvePadding,
  resolvePermutation,
  resolveReshape,
  resolveSlice,
  resolveSplit,
} from "./parameters.ts";
import { ELEMENTWISE, REDUCTIONS, SAME_SHAPE } from "./operator_kinds.ts";
import { TOKEN_RULES } from "./transformer/token_operators.ts";
import { resolveResize } from "./resize.ts";
import { resolveWindow } from "./window.ts";

/** A tensor shape. */
export type Shape = readonly number[];

/** What a {@linkcode ShapeRule} knows of a node. */
interface ShapeContext {
  /** Shapes of the inputs by position; `undefined` where one is omitted. */
  readonly inputs: readonly (Shape | undefined)[];
  /** Constants and values computed from shapes. */
  readonly values: KnownValues;
}

/** Shape of a node's first result. */
type ShapeRule = (node: GraphNode, context: ShapeContext) => Shape;

/** Shape of two tensors combined as NumPy and ONNX broadcast. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

function shapeAt(node: GraphNode, context: ShapeContext, index: number): Shape {
  const shape = context.inputs[index];
  if (!shape) throw nodeError(node, `its input ${index} is missing`);
  return shape;
}

function imageAt(
  node: GraphNode,
  context: ShapeContext,
): [number, number, number, number] {
  const [n, c, h, w, ...rest] = shapeAt(node, context, 0);
  if (w === undefined || rest.length > 0) {
    throw nodeError(
      node,
      `input has shape [${context.inputs[0]}], expected [N, C, H, W]`,
      "shape",
    );
  }
  return [n!, c!, h!, w];
}

const same: ShapeRule = (node, context) => shapeAt(node, context, 0);

const elementwise: ShapeRule = (node, context) => {
  const a = shapeAt(node, context, 0);
  const b = shapeAt(node, context, 1);
  const shape = broadcastShapes(a, b);
  if (shape) return shape;
  throw nodeError(node, `cannot combine shapes [${a}] and [${b}]`, "shape");
};

const PRelu: ShapeRule = (node, context) => {
  const shape = elementwise(node, context);
  const x = shapeAt(node, context, 0);
  if (shape.join() === x.join()) return x;
  throw nodeError(
    node,
    `its slope of shape [${context.inputs[1]}] does not stretch over [${x}]`,
    "shape",
  );
};

/** Any number of inputs, broadcast together. */
const variadic: ShapeRule = (node, context) => {
  let shape = shapeAt(node, context, 0);
  for (let i = 1; i < node.inputs.length; i++) {
    const other = shapeAt(node, context, i);
    const joined = broadcastShapes(shape, other);
    if (!joined) {
      throw nodeError(
        node,
        `cannot combine shapes [${shape}] and [${other}]`,
        "shape",
      );
    }
    shape = joined;
  }
  return shape;
};

const Conv: ShapeRule = (node, context) => {
  const [n, channels, h, w] = imageAt(node, context);
  const weight = shapeAt(node, context, 1);
  const group = numberAttribute(node, "group", 1);
  const [filters, perGroup, kernelH, kernelW] = weight;
  if (weight.length !== 4) {
    throw nodeError(
      node,
      `weights have shape [${weight}], expected [M, C / group, kH, kW]`,
      "shape",
    );
  }
  if (channels !== perGroup! * group) {
    throw nodeError(
      node,
      `input has ${channels} channels, weights expect ${perGroup! * group}`,
      "shape",
    );
  }
  if (group < 1 || filters! % group !== 0) {
    throw nodeError(
      node,
      `${filters} filters do not split into ${group} groups`,
    );
  }
  const bias = context.inputs[2];
  if (bias && (bias.length !== 1 || bias[0] !== filters)) {
    throw nodeError(
      node,
      `bias has shape [${bias}], expected [${filters}]`,
      "shape",
    );
  }
  const { output } = resolveWindow(node, [h, w], [kernelH!, kernelW!]);
  return [n, filters!, ...output];
};

const BatchNormalization: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const vector = context.inputs.slice(1).find((other) =>
    other && (other.length !== 1 || other[0] !== shape[1])
  );
  if (!vector) return shape;
  throw nodeError(
    node,
    `input has ${shape[1]} channels, its statistics have shape [${vector}]`,
    "shape",
  );
};

const pool: ShapeRule = (node, context) => {
  const [n, c, h, w] = imageAt(node, context);
  return [n, c, ...resolveWindow(node, [h, w]).output];
};

const GlobalAveragePool: ShapeRule = (node, context) => {
  const [n, c] = imageAt(node, context);
  return [n, c, 1, 1];
};

const ReduceMean: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const axes = resolveAxes(node, shape.length, context.values);
  if (!axes && numberAttribute(node, "noop_with_empty_axes", 0) !== 0) {
    return shape;
  }
  const reduced = (axis: number): boolean =>
    !axes || axes.length === 0 || axes.includes(axis);
  return numberAttribute(node, "keepdims", 1) !== 0
    ? shape.map((extent, axis) => reduced(axis) ? 1 : extent)
    : shape.filter((_, axis) => !reduced(axis));
};

const Concat: ShapeRule = (node, context) => {
  const first = [...shapeAt(node, context, 0)];
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    first.length,
  );
  for (let i = 1; i < node.inputs.length; i++) {
    const shape = shapeAt(node, context, i);
    const fits = shape.length === first.length &&
      shape.every((extent, j) => j === axis || extent === first[j]);
    if (!fits) {
      throw nodeError(
        node,
        `cannot join shapes [${
          context.inputs[0]
        }] and [${shape}] along axis ${axis}`,
        "shape",
      );
    }
    first[axis]! += shape[axis]!;
  }
  return first;
};

const Pad: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const { begin, end } = resolvePadding(node, shape.length, context.values);
  return shape.map((extent, i) => extent + begin[i]! + end[i]!);
};

const Flatten: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const axis = numberAttribute(node, "axis", 1);
  const at = axis < 0 ? axis + shape.length : axis;
  if (at < 0 || at > shape.length) {
    throw nodeError(
      node,
      `axis ${axis} is outside of ${shape.length} dimensions`,
    );
  }
  return [elementCount(shape.slice(0, at)), elementCount(shape.slice(at))];
};

const Squeeze: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const axes = resolveAxes(node, shape.length, context.values);
  const bad = axes?.find((axis) => shape[axis] !== 1);
  if (bad !== undefined) {
    throw nodeError(node, `axis ${bad} of [${shape}] is not 1`, "shape");
  }
  return shape.filter((extent, i) => axes ? !axes.includes(i) : extent !== 1);
};

const Unsqueeze: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const given = resolveAxes(node, 2 ** 31, context.values) ?? [];
  const rank = shape.length + given.length;
  const axes = resolveAxes(node, rank, context.values) ?? [];
  const rest = [...shape];
  return Array.from(
    { length: rank },
    (_, i) => axes.includes(i) ? 1 : rest.shift()!,
  );
};

const Gather: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const indices = shapeAt(node, context, 1);
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    shape.length,
  );
  return [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)];
};

const Gemm: ShapeRule = (node, context) => {
  const a = shapeAt(node, context, 0);
  const b = shapeAt(node, context, 1);
  const [m, k] = numberAttribute(node, "transA", 0) ? a.toReversed() : a;
  const [k2, n] = numberAttribute(node, "transB", 0) ? b.toReversed() : b;
  if (a.length !== 2 || b.length !== 2 || k !== k2) {
    throw nodeError(node, `cannot multiply shapes [${a}] and [${b}]`, "shape");
  }
  return [m!, n!];
};

const MatMul: ShapeRule = (node, context) => {
  const a = shapeAt(node, context, 0);
  const b = shapeAt(node, context, 1);
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  if (!batch || left.at(-1) !== right.at(-2)) {
    throw nodeError(node, `cannot multiply shapes [${a}] and [${b}]`, "shape");
  }
  return [
    ...batch,
    ...(a.length === 1 ? [] : [left.at(-2)!]),
    ...(b.length === 1 ? [] : [right.at(-1)!]),
  ];
};

const Expand: ShapeRule = (node, context) => {
  const shape = shapeAt(node, context, 0);
  const target = knownInput(node, 1, context.values) ?? [];
  const result = broadcastShapes(shape, target);
  if (result) return result;
  throw nodeError(node, `cannot expand [${shape}] to [${target}]`, "shape");
};

const Range: ShapeRule = (node, { values }) => {
  const [start, limit, step] = [0, 1, 2].map((i) =>
    knownInput(node, i, values)?.[0]
  );
  const count = Math.ceil((limit! - start!) / step!);
  if (Number.isFinite(count)) return [Math.max(count, 0)];
  throw nodeError(
    node,
    `it counts from ${start} to ${limit} in steps of ${step}`,
  );
};

const Resize: ShapeRule = (node, context) =>
  resolveResize(node, shapeAt(node, context, 0), context.values).output;

/** Shape of Split's first result; {@linkcode splitShapes} gives all. */
const Split: ShapeRule = (node, context) => splitShapes(node, context)[0]!;

/** Shapes of all results of Split. */
export function splitShapes(node: GraphNode, context: ShapeContext): Shape[] {
  const shape = shapeAt(node, context, 0);
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    shape.length,
  );
  return resolveSplit(node, shape[axis]!, context.values)
    .map((size) => shape.with(axis, size));
}

/** Value of a Constant node, whichever attribute holds it. */
const Constant: ShapeRule = (node) => {
  const tensor = tensorAttribute(node, "value");
  if (tensor) return tensor.shape;
  const list = node.attributes["value_ints"] ?? node.attributes["value_floats"];
  return Array.isArray(list) ? [list.length] : [];
};

function each(
  operators: readonly string[],
  rule: ShapeRule,
): Record<string, ShapeRule> {
  return Object.fromEntries(operators.map((op) => [op, rule]));
}

/** Shape rules by operator. */
export const SHAPE_RULES: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(
    Object.entries(TOKEN_RULES).map(([op, rule]): [string, ShapeRule] => [
      op,
      (node, { inputs }) => rule(node, inputs),
    ]),
  ),
  ...each(SAME_SHAPE, same),
  ...each(ELEMENTWISE, elementwise),
  ...each(REDUCTIONS, ReduceMean),
  ...each(["Max", "Mean", "Min", "Sum", "Where"], variadic),
  AveragePool: pool,
  BatchNormalization,
  Concat,
  Constant,
  ConstantOfShape: (node, { values }) => knownInput(node, 0, values) ?? [],
  Conv,
  Expand,
  Flatten,
  Gather,
  Gemm,
  GlobalAveragePool,
  GlobalMaxPool: GlobalAveragePool,
  MatMul,
  MaxPool: pool,
  PRelu,
  Pad,
  Range,
  Resize,
  Reshape: (node, context) =>
    resolveReshape(node, shapeAt(node, context, 0), context.values),
  Shape: (node, context) => {
    const rank = shapeAt(node, context, 0).length;
    const [start, end] = shapeRange(node, rank);
    return [end - start];
  },
  Size: () => [],
  Slice: (node, context) =>
    resolveSlice(node, shapeAt(node, context, 0), context.values).counts,
  Split,
  Squeeze,
  Transpose: (node, context) => {
    const shape = shapeAt(node, context, 0);
    return resolvePermutation(node, shape.length).map((axis) => shape[axis]!);
  },
  Tile: (node, context) => {
    const repeats = knownInput(node, 1, context.values) ?? [];
    return shapeAt(node, context, 0).map((extent, i) => extent * repeats[i]!);
  },
  Unsqueeze,
};

/** The extents that Shape returns: from which to before which axis. */
export function shapeRange(node: GraphNode, rank: number): [number, number] {
  const clamp = (axis: number): number =>
    Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank);
  const start = clamp(numberAttribute(node, "start", 0));
  return [start, Math.max(clamp(numberAttribute(node, "end", rank)), start)];
}
