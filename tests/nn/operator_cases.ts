/**
 * One-node models: every operator the engine knows, in the forms that ONNX's
 * operator sets gave it over time.
 */
import type { TensorMessage } from "../../src/nn/onnx/proto.ts";
import { randomFloats } from "../testing.ts";
import {
  type Attribute,
  float,
  floats,
  graph,
  integers,
  model,
  node,
  value,
} from "./model_builder.ts";

/** A one-node model and what to feed it with. */
export interface OperatorCase {
  /** Operator and what is special about the case. */
  readonly name: string;
  /** The model: `x` to `y`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Shape of `x`. */
  readonly shape: readonly number[];
  /** Elements of `x`. */
  readonly x: Float32Array<ArrayBuffer>;
}

type Extra = TensorMessage | "";

let seed = 0;

function one(
  op: string,
  what: string,
  shape: readonly number[],
  attributes: Readonly<Record<string, Attribute>> = {},
  extras: readonly Extra[] = [],
  opset = 13,
): OperatorCase {
  const inputs = ["x", ...extras.map((extra) => extra && (extra.name ?? ""))];
  const bytes = model(
    graph(
      [node(op, inputs, ["y"], attributes)],
      extras.filter((extra) => extra !== ""),
      { inputs: [value("x", shape)] },
    ),
    { opset },
  );
  return { name: `${op} ${what}`, bytes, shape, x: randomImage(shape) };
}

/** A Split in two, of which the first part is wanted. */
function split(
  what: string,
  shape: readonly number[],
  attributes: Readonly<Record<string, Attribute>>,
  extras: readonly TensorMessage[] = [],
  opset = 13,
): OperatorCase {
  const inputs = ["x", ...extras.map(({ name }) => name ?? "")];
  const nodes = [node("Split", inputs, ["y", "rest"], attributes)];
  const bytes = model(
    graph(nodes, extras, { inputs: [value("x", shape)] }),
    { opset },
  );
  return { name: `Split ${what}`, bytes, shape, x: randomImage(shape) };
}

function randomImage(shape: readonly number[]): Float32Array<ArrayBuffer> {
  const count = shape.reduce((a, b) => a * b, 1);
  return randomFloats(++seed, count).map((v) => v * 4);
}

function random(name: string, shape: readonly number[]): TensorMessage {
  const count = shape.reduce((a, b) => a * b, 1);
  return floats(name, shape, randomFloats(++seed, count));
}

function positive(name: string, shape: readonly number[]): TensorMessage {
  const count = shape.reduce((a, b) => a * b, 1);
  return floats(name, shape, randomFloats(++seed, count).map((v) => v + 1.5));
}

const image = [2, 4, 7, 6];
const maximum = 2n ** 63n - 1n;

/** All cases; the order fixes the random numbers. */
export const OPERATOR_CASES: readonly OperatorCase[] = [
  one("Conv", "3x3 with bias", image, { pads: [1, 1, 1, 1] }, [
    random("w", [5, 4, 3, 3]),
    random("b", [5]),
  ]),
  one("Conv", "1x1 with stride", image, { strides: [2, 2] }, [
    random("w", [3, 4, 1, 1]),
  ]),
  one("Conv", "in groups", image, { group: 2, pads: [1, 0, 1, 0] }, [
    random("w", [6, 2, 3, 2]),
    random("b", [6]),
  ]),
  one("Conv", "depthwise", image, {
    group: 4,
    strides: [2, 1],
    pads: [1, 1, 1, 1],
  }, [random("w", [4, 1, 3, 3])]),
  one("Conv", "dilated with uneven pads", image, {
    dilations: [2, 1],
    pads: [0, 1, 3, 2],
    strides: [1, 2],
  }, [random("w", [2, 4, 3, 3])]),
  one(
    "Conv",
    "SAME_UPPER",
    image,
    { auto_pad: "SAME_UPPER", strides: [2, 2] },
    [
      random("w", [2, 4, 3, 3]),
    ],
  ),
  one(
    "Conv",
    "SAME_LOWER",
    image,
    { auto_pad: "SAME_LOWER", strides: [2, 2] },
    [
      random("w", [2, 4, 2, 2]),
    ],
  ),
  one("Conv", "VALID", image, { auto_pad: "VALID" }, [
    random("w", [2, 4, 3, 3]),
  ]),
  one("BatchNormalization", "", image, { epsilon: float(1e-3) }, [
    random("scale", [4]),
    random("shift", [4]),
    random("mean", [4]),
    positive("var", [4]),
  ]),
  one("Relu", "", image),
  one(
    "Clip",
    "with attributes",
    image,
    { min: float(-1), max: float(2) },
    [],
    7,
  ),
  one("Clip", "with inputs", image, {}, [
    floats("min", [], [-0.5]),
    floats("max", [], [1.5]),
  ]),
  one("Clip", "from above", image, {}, ["", floats("max", [], [0.25])]),
  one("LeakyRelu", "", image, { alpha: float(0.2) }),
  one("LeakyRelu", "by default", image),
  one("Sigmoid", "", image),
  one("HardSwish", "", image, {}, [], 14),
  one("HardSigmoid", "", image, { alpha: float(1 / 6) }),
  one("HardSigmoid", "by default", image),
  one("Add", "of equal shapes", image, {}, [random("b", image)]),
  one("Add", "of a channel vector", image, {}, [random("b", [4, 1, 1])]),
  one("Sub", "of a scalar", image, {}, [random("b", [])]),
  one("Mul", "of a row", image, {}, [random("b", [6])]),
  one("Mul", "that grows", [1, 4, 1, 1], {}, [random("b", [2, 4, 3, 5])]),
  one("Div", "of a map", image, {}, [positive("b", [7, 1])]),
  one("MaxPool", "3x3", image, {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  one("MaxPool", "ceil_mode", [1, 2, 8, 8], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    ceil_mode: 1,
  }),
  one("MaxPool", "dilated", [1, 2, 9, 8], {
    kernel_shape: [2, 3],
    dilations: [3, 2],
  }),
  one("MaxPool", "SAME_UPPER", image, {
    kernel_shape: [2, 2],
    strides: [2, 2],
    auto_pad: "SAME_UPPER",
  }),
  one("AveragePool", "without padding", image, {
    kernel_shape: [2, 2],
    strides: [2, 2],
  }),
  one("AveragePool", "padding left out", image, {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  }),
  one("AveragePool", "padding counted", image, {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
    strides: [2, 2],
    count_include_pad: 1,
  }),
  one(
    "AveragePool",
    "ceil_mode",
    [1, 2, 8, 7],
    {
      kernel_shape: [3, 3],
      strides: [2, 2],
      ceil_mode: 1,
    },
    [],
    19,
  ),
  one(
    "AveragePool",
    "ceil_mode, padding counted",
    [1, 2, 8, 7],
    {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
      count_include_pad: 1,
    },
    [],
    19,
  ),
  one("GlobalAveragePool", "", image),
  one("ReduceMean", "axes as attribute", image, { axes: [2, 3] }),
  one("ReduceMean", "axes as input", image, { keepdims: 0 }, [
    integers("axes", [-1, -2]),
  ], 18),
  one("ReduceMean", "over all", image),
  one("Concat", "of channels", image, { axis: 1 }, [random("b", [2, 3, 7, 6])]),
  one("Concat", "of columns", image, { axis: -1 }, [random("b", [2, 4, 7, 2])]),
  one(
    "Pad",
    "as attribute",
    image,
    {
      pads: [0, 0, 1, 2, 0, 0, 0, 1],
      value: float(1.5),
    },
    [],
    7,
  ),
  one("Pad", "as input", image, {}, [
    integers("pads", [0, 0, 1, 2, 0, 0, 3, 0]),
    floats("value", [], [-2]),
  ]),
  one("Pad", "reflected", image, { mode: "reflect" }, [
    integers("pads", [0, 0, 2, 1, 0, 0, 1, 2]),
  ]),
  one("Pad", "repeated", image, { mode: "edge" }, [
    integers("pads", [0, 0, 2, 1, 0, 0, 1, 2]),
  ]),
  one("Pad", "that crops", image, {}, [
    integers("pads", [0, 0, -1, 1, 0, 0, 0, -2]),
  ]),
  one("Pad", "of given axes", image, {}, [
    integers("pads", [1, 2, 0, 1]),
    "",
    integers("axes", [-1, 2]),
  ], 18),
  one("Flatten", "", image),
  one("Flatten", "at a negative axis", image, { axis: -2 }),
  one("Flatten", "at axis 0", image, { axis: 0 }),
  one("Reshape", "with 0 and -1", image, {}, [integers("shape", [0, -1])]),
  one("Reshape", "to five axes", image, {}, [
    integers("shape", [0, 2, 2, 7, -1]),
  ]),
  one("Squeeze", "as attribute", [2, 3, 1, 1], { axes: [2, 3] }, [], 11),
  one("Squeeze", "as input", [2, 3, 1, 1], {}, [integers("axes", [-1])]),
  one("Squeeze", "of all", [2, 3, 1, 1]),
  one("Unsqueeze", "as attribute", image, { axes: [0, 3] }, [], 11),
  one("Unsqueeze", "as input", image, {}, [integers("axes", [-1, 1])]),
  one("Transpose", "to channels last", image, { perm: [0, 2, 3, 1] }),
  one("Transpose", "by default", image),
  one(
    "Slice",
    "as attribute",
    image,
    {
      starts: [1, 0],
      ends: [3, -1],
      axes: [1, 3],
    },
    [],
    9,
  ),
  one("Slice", "as input", image, {}, [
    integers("starts", [1, 2]),
    integers("ends", [maximum, 7]),
    integers("axes", [1, 2]),
    integers("steps", [2, 3]),
  ]),
  one("Slice", "backwards", image, {}, [
    integers("starts", [-1]),
    integers("ends", [-maximum]),
    integers("axes", [3]),
    integers("steps", [-2]),
  ]),
  one("Gather", "along channels", image, { axis: 1 }, [
    integers("indices", [3, -4, 1]),
  ]),
  one("Gather", "of a scalar", image, { axis: 2 }, [
    integers("indices", [-1], []),
  ]),
  one("Cast", "to float", image, { to: 1 }),
  one("MatMul", "of stacks", image, {}, [random("b", [4, 6, 3])]),
  one("MatMul", "of a vector", image, {}, [random("b", [6])]),
  one("Softmax", "along the last axis", image),
  one("Softmax", "along channels", image, { axis: 1 }),
  one("Softmax", "of old", image, {}, [], 11),
  one("Dropout", "", image, {}, [], 12),
  one("Identity", "", image),
  one("PRelu", "of one slope", image, {}, [floats("slope", [1, 1, 1], [0.25])]),
  one("PRelu", "of a slope for each channel", image, {}, [
    random("slope", [4, 1, 1]),
  ]),
  one("PRelu", "of a slope for each element", image, {}, [
    random("slope", image),
  ]),
  one("Sum", "of one", image),
  one("Sum", "of three", image, {}, [
    random("b", [4, 1, 1]),
    random("c", image),
  ]),
  one("Add", "of a map for all channels", image, {}, [
    random("b", [2, 1, 7, 6]),
  ]),
  one("Mul", "of a map for all images", image, {}, [random("b", [4, 7, 6])]),
  one("Sub", "of a column for each channel", image, {}, [
    random("b", [1, 4, 7, 1]),
  ]),
  one("ReduceMean", "over channels", image, { axes: [1] }),
  one("ReduceMean", "over rows", image, { axes: [-2] }),
  one("ReduceMean", "over columns", image, { axes: [3], keepdims: 0 }),
  one("ReduceMean", "over channels and columns", image, { axes: [1, 3] }),
  one("ReduceMean", "of each image", image, { axes: [1, 2, 3] }),
  one("ReduceMean", "that drops channels", image, { axes: [1], keepdims: 0 }),
  one("Gather", "backwards along channels", image, { axis: 1 }, [
    integers("indices", [3, 2, 1, 0]),
  ]),
  one("Gather", "of channels in any order", image, { axis: -3 }, [
    integers("indices", [2, -1, 0, 0, 1]),
  ]),
  one("Gather", "of every other row", image, { axis: 2 }, [
    integers("indices", [0, 2, 4, 6]),
  ]),
  one("Gather", "of rows in any order", image, { axis: 2 }, [
    integers("indices", [0, 3, 1]),
  ]),
  split("in half", image, { axis: 1 }),
  split("as attribute", image, { axis: 2, split: [3, 4] }, [], 11),
  split("as input", image, { axis: -3 }, [integers("sizes", [1, 3])]),
  split(
    "of rows that are left over",
    image,
    { axis: 2, num_outputs: 2 },
    [],
    18,
  ),
  one("Max", "of a number", image, {}, [floats("b", [], [0.5])]),
  one("Max", "of a map", image, {}, [random("b", image)]),
  one("Min", "of a number", image, {}, [floats("b", [1], [0.5])], 8),
];
