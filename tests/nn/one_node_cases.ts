/**
 * Small models for the GPU over boundary shapes: channels 1, 3, 5, 45 and 512,
 * sizes 1, 2, 7, 14 and 33. `operator_cases.ts` has the forms of each operator,
 * this file the shapes that tiles and padding get wrong.
 */
import { float, floats, integers, node } from "./model_builder.ts";
import {
  type Attributes,
  constant,
  type ModelCase,
  modelCase,
} from "./model_case.ts";

function conv(
  what: string,
  shape: readonly number[],
  weights: readonly number[],
  attributes: Attributes = {},
  bias = true,
): ModelCase {
  const inputs = bias ? ["x", "w", "b"] : ["x", "w"];
  return modelCase(
    `Conv ${what}`,
    shape,
    [node("Conv", inputs, ["y"], attributes)],
    [constant("w", weights), ...(bias ? [constant("b", [weights[0]!])] : [])],
  );
}

const same = { pads: [1, 1, 1, 1] };

const CONVOLUTIONS: readonly ModelCase[] = [
  conv("1x1", [1, 1, 1, 1], [1, 1, 1, 1], {}, false),
  conv("1x1", [3, 512, 1, 1], [45, 512, 1, 1]),
  conv("1x1", [2, 45, 14, 33], [5, 45, 1, 1], {}, false),
  conv("1x1 stride 2", [2, 45, 33, 14], [5, 45, 1, 1], { strides: [2, 2] }),
  conv("1x1 stride 2", [1, 512, 7, 7], [45, 512, 1, 1], { strides: [2, 2] }),
  conv("1x1 stride 2", [1, 1, 2, 1], [3, 1, 1, 1], { strides: [2, 2] }),
  conv("3x3", [1, 5, 1, 1], [5, 5, 3, 3], same),
  conv("3x3", [2, 3, 2, 7], [45, 3, 3, 3], same),
  conv("3x3 of many channels", [1, 512, 7, 2], [45, 512, 3, 3], same),
  conv("3x3 of many channels", [2, 45, 14, 14], [64, 45, 3, 3], same, false),
  conv("3x3 stride 2", [1, 45, 33, 7], [45, 45, 3, 3], {
    ...same,
    strides: [2, 2],
  }),
  conv("7x7 stride 2", [1, 3, 33, 33], [45, 3, 7, 7], {
    pads: [3, 3, 3, 3],
    strides: [2, 2],
  }),
  conv("of few channels, uneven pads", [2, 1, 7, 14], [5, 1, 3, 5], {
    pads: [0, 3, 2, 1],
    strides: [1, 3],
    dilations: [2, 1],
  }),
  conv("of few channels, columns left over", [2, 4, 5, 14], [45, 4, 2, 3], {
    strides: [2, 4],
  }),
  ...[[2, 3, 33, 7], [1, 5, 14, 2], [1, 45, 7, 7], [1, 512, 14, 14]].map(
    (shape) =>
      conv("depthwise", shape, [shape[1]!, 1, 3, 3], {
        ...same,
        group: shape[1]!,
      }),
  ),
  conv("depthwise stride 2", [2, 45, 14, 33], [45, 1, 5, 5], {
    pads: [2, 2, 2, 2],
    strides: [2, 2],
    group: 45,
  }),
  conv("depthwise, two filters a channel", [1, 3, 7, 7], [6, 1, 3, 3], {
    ...same,
    group: 3,
  }),
  conv("in 32 groups", [1, 512, 7, 7], [64, 16, 3, 3], { ...same, group: 32 }),
  conv("in 9 groups", [2, 45, 14, 7], [18, 5, 3, 3], { ...same, group: 9 }),
  conv("1x1 in 5 groups", [1, 45, 2, 2], [5, 9, 1, 1], { group: 5 }),
  conv("dilated", [1, 5, 33, 14], [3, 5, 3, 3], {
    dilations: [2, 3],
    pads: [2, 3, 2, 3],
  }),
  conv("dilated", [1, 45, 14, 14], [45, 45, 3, 3], { dilations: [2, 2] }),
  conv("dilated stride 2", [2, 3, 14, 33], [5, 3, 2, 3], {
    dilations: [3, 2],
    strides: [2, 2],
  }),
  conv("uneven pads", [1, 3, 7, 33], [5, 3, 3, 3], { pads: [0, 1, 2, 0] }),
  conv("uneven pads", [2, 5, 2, 2], [1, 5, 3, 3], { pads: [2, 0, 1, 2] }),
  conv("uneven pads", [1, 45, 14, 33], [64, 45, 3, 3], { pads: [0, 1, 2, 0] }),
  conv("wide pads", [1, 45, 2, 2], [45, 45, 3, 3], { pads: [2, 2, 2, 2] }),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((auto_pad) => [
    conv(auto_pad, [1, 3, 14, 33], [5, 3, 2, 2], { auto_pad }),
    conv(auto_pad, [2, 5, 7, 14], [45, 5, 3, 3], {
      auto_pad,
      strides: [2, 2],
    }),
    conv(auto_pad, [1, 45, 7, 7], [45, 45, 3, 3], { auto_pad }),
  ]),
];

const WINDOWS: readonly [readonly number[], Attributes][] = [
  [[1, 1, 2, 2], { kernel_shape: [2, 2] }],
  [[1, 3, 1, 1], { kernel_shape: [1, 1] }],
  [[2, 3, 33, 33], { kernel_shape: [3, 3], strides: [2, 2], ...same }],
  [[2, 3, 14, 33], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  [[1, 45, 14, 14], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  [[1, 512, 7, 7], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
  [[1, 5, 14, 7], {
    kernel_shape: [3, 2],
    strides: [3, 2],
    pads: [1, 0, 1, 1],
    ceil_mode: 1,
  }],
  [[1, 45, 7, 2], { kernel_shape: [3, 2], auto_pad: "SAME_LOWER" }],
];

const POOLING: readonly ModelCase[] = WINDOWS.flatMap(([shape, window]) => {
  const what = JSON.stringify(window);
  const all = { ...window, count_include_pad: 1 };
  return [
    modelCase(`MaxPool ${what}`, shape, [
      node("MaxPool", ["x"], ["y"], window),
    ]),
    modelCase(
      `AveragePool ${what}`,
      shape,
      [
        node("AveragePool", ["x"], ["y"], window),
      ],
      [],
      19,
    ),
    modelCase(
      `AveragePool, padding counted ${what}`,
      shape,
      [
        node("AveragePool", ["x"], ["y"], all),
      ],
      [],
      19,
    ),
  ];
});

const MATRICES: readonly [rows: number, inputs: number, outputs: number][] = [
  [1, 1, 1],
  [3, 5, 45],
  [2, 512, 3],
  [33, 45, 7],
  [14, 3, 512],
];

/** Nodes behind a Flatten, which makes rows of the image. */
function ofRows(op: string, attributes: Attributes, inputs: string[]) {
  return [
    node("Flatten", ["x"], ["rows"]),
    node(op, ["rows", ...inputs], ["y"], attributes),
  ];
}

const PRODUCTS: readonly ModelCase[] = MATRICES.flatMap(([n, k, m]) => {
  const shape = [n, k, 1, 1];
  const scaled = { alpha: float(0.5), beta: float(-2) };
  return [
    modelCase(`Gemm to ${m}`, shape, ofRows("Gemm", {}, ["w", "c"]), [
      constant("w", [k, m]),
      constant("c", [m]),
    ]),
    modelCase(
      `Gemm transB alpha beta to ${m}`,
      shape,
      ofRows("Gemm", { ...scaled, transB: 1 }, ["w", "c"]),
      [constant("w", [m, k]), constant("c", [1, m])],
    ),
    modelCase(
      `Gemm scalar C to ${m}`,
      shape,
      ofRows("Gemm", scaled, ["w", "c"]),
      [
        constant("w", [k, m]),
        constant("c", []),
      ],
    ),
    modelCase(`Gemm without C to ${m}`, shape, ofRows("Gemm", scaled, ["w"]), [
      constant("w", [k, m]),
    ]),
    modelCase(`MatMul to ${m}`, shape, ofRows("MatMul", {}, ["w"]), [
      constant("w", [k, m]),
    ]),
  ];
});

const IMAGES = [
  [1, 1, 1, 1],
  [2, 3, 7, 2],
  [1, 5, 14, 33],
  [3, 45, 2, 1],
  [1, 512, 7, 7],
];

const MAPS: readonly ModelCase[] = IMAGES.flatMap((shape) => {
  const channels = shape[1]!;
  const one = (
    op: string,
    attributes: Attributes = {},
    inputs = ["x"],
  ) => [node(op, inputs, ["y"], attributes)];
  const vector = constant("v", [channels, 1, 1], 0.5);
  const flip = ["v", "x"];
  return [
    modelCase("Relu", shape, one("Relu")),
    modelCase("Clip", shape, one("Clip", {}, ["x", "low", "high"]), [
      floats("low", [], [-0.5]),
      floats("high", [], [0.25]),
    ]),
    modelCase("LeakyRelu", shape, one("LeakyRelu", { alpha: float(0.2) })),
    modelCase("Sigmoid", shape, one("Sigmoid")),
    modelCase("HardSigmoid", shape, one("HardSigmoid")),
    modelCase("HardSwish", shape, one("HardSwish"), [], 14),
    modelCase("Softmax", shape, one("Softmax", { axis: 1 })),
    modelCase("GlobalAveragePool", shape, one("GlobalAveragePool")),
    modelCase("ReduceMean", shape, one("ReduceMean", { axes: [2, 3] })),
    modelCase(
      "ReduceMean",
      shape,
      one("ReduceMean", {
        axes: [-1, -2],
        keepdims: 0,
      }),
    ),
    modelCase("Flatten", shape, one("Flatten")),
    modelCase("Reshape", shape, one("Reshape", {}, ["x", "s"]), [
      integers("s", [0, -1]),
    ]),
    modelCase(
      "BatchNormalization",
      shape,
      one("BatchNormalization", {}, ["x", "scale", "shift", "mean", "var"]),
      [
        constant("scale", [channels]),
        constant("shift", [channels]),
        constant("mean", [channels]),
        constant("var", [channels], 0.1),
      ],
    ),
    modelCase("x + v", shape, one("Add", {}, ["x", "v"]), [vector]),
    modelCase("v + x", shape, one("Add", {}, flip), [vector]),
    modelCase("v - x", shape, one("Sub", {}, flip), [vector]),
    modelCase("x * v", shape, one("Mul", {}, ["x", "v"]), [vector]),
    modelCase("x / v", shape, one("Div", {}, ["x", "v"]), [vector]),
    modelCase("1 / (x + 3)", shape, [
      node("Add", ["x", "three"], ["t"]),
      node("Div", ["one", "t"], ["y"]),
    ], [floats("three", [], [3]), floats("one", [1], [1])]),
    modelCase("x * x", shape, one("Mul", {}, ["x", "x"])),
    modelCase("Concat", shape, [
      node("Relu", ["x"], ["r"]),
      node("Concat", ["r", "x", "r"], ["y"], { axis: -3 }),
    ]),
    ...["constant", "edge"].map((mode) =>
      modelCase(`Pad ${mode}`, shape, one("Pad", { mode }, ["x", "p", "c"]), [
        integers("p", [0, 0, 1, 2, 0, 0, 3, 0]),
        floats("c", [], [1.5]),
      ])
    ),
  ];
});

const CHAINS: readonly ModelCase[] = [
  modelCase("Div then Conv, where padding must not become NaN", [1, 3, 7, 7], [
    node("Div", ["x", "s"], ["d"]),
    node("Conv", ["d", "w"], ["y"], same),
  ], [constant("s", [3, 1, 1], 0.5), constant("w", [5, 3, 3, 3])]),
  modelCase("Sigmoid then Conv", [2, 5, 7, 2], [
    node("Sigmoid", ["x"], ["d"]),
    node("Conv", ["d", "w"], ["y"], same),
  ], [constant("w", [45, 5, 3, 3])]),
  modelCase("squeeze and excitation", [2, 45, 7, 2], [
    node("GlobalAveragePool", ["x"], ["mean"]),
    node("Conv", ["mean", "w"], ["c"]),
    node("Sigmoid", ["c"], ["s"]),
    node("Mul", ["s", "x"], ["y"]),
  ], [constant("w", [45, 45, 1, 1])]),
  modelCase("residual block", [2, 45, 14, 7], [
    node("Conv", ["x", "w"], ["a"], same),
    node("Relu", ["a"], ["r"]),
    node("Conv", ["r", "v", "b"], ["c"], same),
    node("Add", ["c", "x"], ["s"]),
    node("Relu", ["s"], ["y"]),
  ], [
    constant("w", [45, 45, 3, 3]),
    constant("v", [45, 45, 3, 3]),
    constant("b", [45]),
  ]),
  modelCase("Sub and Div of two tensors", [2, 5, 2, 2], [
    node("Relu", ["x"], ["r"]),
    node("Sub", ["r", "x"], ["d"]),
    node("Sigmoid", ["x"], ["s"]),
    node("Div", ["d", "s"], ["y"]),
  ]),
  modelCase("reflected Pad", [2, 5, 7, 14], [
    node("Pad", ["x", "p"], ["y"], { mode: "reflect" }),
  ], [integers("p", [0, 0, 3, 1, 0, 0, 2, 3])]),
  modelCase("cropping Pad", [1, 45, 14, 7], [
    node("Pad", ["x", "p"], ["y"]),
  ], [integers("p", [0, 0, -3, 1, 0, 0, -1, -2])]),
];

/** All cases. */
export const MODEL_CASES: readonly ModelCase[] = [
  ...CONVOLUTIONS,
  ...POOLING,
  ...PRODUCTS,
  ...MAPS,
  ...CHAINS,
];
