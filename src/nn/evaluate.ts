/**
 * Operators evaluated on the CPU before the network runs: chains of integers
 * that compute shapes, and weights that the file computes from other weights.
 *
 * @module
 */
import { numberAttribute, tensorAttribute } from "./attributes.ts";
import type { DataType, GraphNode, HostTensor } from "./graph.ts";
import { elementCount, makeTensor, numbersOf } from "./host_tensor.ts";
import { nodeError } from "./onnx/errors.ts";
import {
  type KnownValues,
  resolveAxis,
  resolvePermutation,
  resolveSlice,
} from "./parameters.ts";
import { broadcastShapes, type Shape, SHAPE_RULES } from "./shape_rules.ts";

/** Computes a node's first result from its inputs and the result's shape. */
type Evaluator = (
  node: GraphNode,
  inputs: readonly HostTensor[],
  shape: Shape,
  values: KnownValues,
) => HostTensor;

/** Numbers of TensorProto.DataType that Cast may turn into. */
const CAST_TYPES: Readonly<Record<number, DataType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float32",
  11: "float32",
  16: "float32",
};

/** Results larger than this are left for the network to compute. */
const MAX_ELEMENTS = 2 ** 26;

/** Element type that Cast turns its input into. */
export function castType(node: GraphNode): DataType {
  const to = numberAttribute(node, "to", 0);
  const type = CAST_TYPES[to];
  if (type) return type;
  throw nodeError(
    node,
    `it casts to element type ${to}`,
    "unsupported_operator",
    "export the network in float32",
  );
}

/**
 * Computes a node whose inputs are all known.
 *
 * @returns The value of its only result, or `undefined` when the operator is
 * not among those evaluated here or the result is too large.
 */
export function evaluate(
  node: GraphNode,
  values: KnownValues,
): HostTensor | undefined {
  const evaluator = EVALUATORS[node.op];
  const rule = SHAPE_RULES[node.op];
  if (!evaluator || !rule) return undefined;
  if (node.activation || node.residual !== undefined) return undefined;
  if (node.outputs.slice(1).some((name) => name !== "")) return undefined;
  const inputs: HostTensor[] = [];
  for (const name of node.inputs) {
    const tensor = values.get(name);
    if (name !== "" && !tensor) return undefined;
    if (tensor) inputs.push(tensor);
  }
  const shapes = node.inputs.map((name) => values.get(name)?.shape);
  const shape = rule(node, { inputs: shapes, values });
  if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw nodeError(node, `its result would have shape [${shape}]`, "shape");
  }
  if (elementCount(shape) > MAX_ELEMENTS) return undefined;
  return evaluator(node, inputs, shape, values);
}

function elementsOf(tensor: HostTensor): ArrayLike<number> {
  return tensor.dtype === "int64" ? numbersOf(tensor) : tensor.data;
}

/** Elements `offset + Σ index · strides` of a tensor, for every index of `shape`. */
function strided(
  tensor: HostTensor,
  shape: Shape,
  strides: readonly number[],
  offset = 0,
): HostTensor {
  const source = elementsOf(tensor);
  const count = elementCount(shape);
  const result = new Float64Array(count);
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    result[i] = source[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return makeTensor(tensor.dtype, shape, result);
}

function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** The tensor repeated along axes of extent 1 until it has the given shape. */
function broadcast(tensor: HostTensor, shape: Shape): HostTensor {
  const missing = shape.length - tensor.shape.length;
  const own = stridesOf(tensor.shape);
  const strides = shape.map((_, axis) =>
    (tensor.shape[axis - missing] ?? 1) === 1 ? 0 : own[axis - missing]!
  );
  return strided(tensor, shape, strides);
}

function binary(apply: (a: number, b: number) => number): Evaluator {
  return (_node, [a, b], shape) => {
    const dtype = a!.dtype;
    const left = elementsOf(broadcast(a!, shape));
    const right = elementsOf(broadcast(b!, shape));
    const result = new Float64Array(left.length);
    const whole = dtype !== "float32";
    for (let i = 0; i < result.length; i++) {
      const value = apply(left[i]!, right[i]!);
      result[i] = whole ? Math.trunc(value) : value;
    }
    return makeTensor(dtype, shape, finite(_node, result, whole));
  };
}

function finite(
  node: GraphNode,
  values: Float64Array,
  whole: boolean,
): Float64Array {
  if (!whole || values.every(Number.isFinite)) return values;
  throw nodeError(node, "it divides an integer by zero");
}

function unary(apply: (value: number) => number): Evaluator {
  return (_node, [x], shape) =>
    makeTensor(
      x!.dtype,
      shape,
      Float64Array.from(elementsOf(x!), apply),
    );
}

const reshaped: Evaluator = (_node, [x], shape) => ({ ...x!, shape });

const Cast: Evaluator = (node, [x], shape) => {
  const type = castType(node);
  return type === x!.dtype ? x! : makeTensor(type, shape, elementsOf(x!));
};

const Concat: Evaluator = (node, inputs, shape) => {
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    shape.length,
  );
  const result = new Float64Array(elementCount(shape));
  const row = elementCount(shape.slice(axis));
  let at = 0;
  for (const input of inputs) {
    const source = elementsOf(input);
    const length = elementCount(input.shape.slice(axis));
    for (let i = 0; i < source.length; i++) {
      result[Math.floor(i / length) * row + at + i % length] = source[i]!;
    }
    at += length;
  }
  return makeTensor(inputs[0]!.dtype, shape, result);
};

const Constant: Evaluator = (node, _inputs, shape) => {
  const tensor = tensorAttribute(node, "value");
  if (tensor) return tensor;
  for (const [name, value] of Object.entries(node.attributes)) {
    const dtype = name.startsWith("value_int") ? "int64" : "float32";
    if (typeof value === "number") return makeTensor(dtype, [], [value]);
    if (Array.isArray(value)) return makeTensor(dtype, shape, value);
  }
  throw nodeError(node, "it has no value");
};

const ConstantOfShape: Evaluator = (node, _inputs, shape) => {
  const tensor = tensorAttribute(node, "value");
  const value = tensor ? numbersOf(tensor)[0]! : 0;
  const values = new Float64Array(elementCount(shape)).fill(value);
  return makeTensor(tensor?.dtype ?? "float32", shape, values);
};

const Gather: Evaluator = (node, [x, indices], shape) => {
  const axis = resolveAxis(
    node,
    numberAttribute(node, "axis", 0),
    x!.shape.length,
  );
  const source = elementsOf(x!);
  const extent = x!.shape[axis]!;
  const inner = elementCount(x!.shape.slice(axis + 1));
  const picks = numbersOf(indices!).map((i) => i < 0 ? i + extent : i);
  const outside = picks.find((i) => i < 0 || i >= extent);
  if (outside !== undefined) {
    throw nodeError(node, `index ${outside} is outside of ${extent} elements`);
  }
  const result = new Float64Array(elementCount(shape));
  for (let i = 0; i < result.length; i++) {
    const pick = picks[Math.floor(i / inner) % picks.length]!;
    const outer = Math.floor(i / (inner * picks.length));
    result[i] = source[(outer * extent + pick) * inner + i % inner]!;
  }
  return makeTensor(x!.dtype, shape, result);
};

const Slice: Evaluator = (node, [x], shape, values) => {
  const { starts, steps } = resolveSlice(node, x!.shape, values);
  const own = stridesOf(x!.shape);
  const offset = starts.reduce((sum, at, axis) => sum + at * own[axis]!, 0);
  return strided(x!, shape, own.map((s, axis) => s * steps[axis]!), offset);
};

const Transpose: Evaluator = (node, [x], shape) => {
  const own = stridesOf(x!.shape);
  const order = resolvePermutation(node, shape.length);
  return strided(x!, shape, order.map((axis) => own[axis]!));
};

const EVALUATORS: Readonly<Record<string, Evaluator>> = {
  Add: binary((a, b) => a + b),
  Cast,
  Ceil: unary(Math.ceil),
  Concat,
  Constant,
  ConstantOfShape,
  Div: binary((a, b) => a / b),
  Flatten: reshaped,
  Floor: unary(Math.floor),
  Gather,
  Identity: reshaped,
  Mul: binary((a, b) => a * b),
  Neg: unary((value) => -value),
  Reshape: reshaped,
  Slice,
  Sqrt: unary(Math.sqrt),
  Squeeze: reshaped,
  Sub: binary((a, b) => a - b),
  Transpose,
  Unsqueeze: reshaped,
};

/** The per-channel vector of a constant that broadcasts over `[N, C, H, W]`, if it is one. */
export function channelVector(
  tensor: HostTensor,
  channels: number,
): HostTensor | undefined {
  const target = [1, channels, 1, 1];
  const fits = broadcastShapes(tensor.shape, target)?.join() === target.join();
  return fits && tensor.dtype === "float32"
    ? { ...broadcast(tensor, target), shape: [channels] } as HostTensor
    : undefined;
}
