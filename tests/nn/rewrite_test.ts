import { assertEquals } from "@std/assert";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { randomFloats } from "../testing.ts";
import { floats, integers, node } from "./model_builder.ts";
import { optimizedOperators } from "./optimized_operators.ts";

const random = (name: string, shape: readonly number[]): TensorMessage =>
  floats(
    name,
    shape,
    randomFloats(name.length, shape.reduce((a, b) => a * b, 1)),
  );
const weights = random("w", [4, 3, 3, 3]);
const conv = (input: string, output: string): NodeMessage =>
  node("Conv", [input, "w"], [output], { pads: [1, 1, 1, 1] });
const toLast = { perm: [0, 2, 3, 1] };
const toFirst = { perm: [0, 3, 1, 2] };

const CASES: readonly (readonly [
  what: string,
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[],
  operators: readonly string[],
  outputs?: readonly string[],
])[] = [
  [
    "a Sum of two as the residual of a convolution",
    [
      conv("x", "a"),
      conv("x", "b"),
      node("Sum", ["a", "b"], ["c"]),
      node("Relu", ["c"], ["y"]),
    ],
    [weights],
    ["Conv", "Conv+add+relu"],
  ],
  [
    "a Sum of three as two additions",
    [
      conv("x", "a"),
      conv("x", "b"),
      conv("x", "c"),
      node("Sum", ["a", "b", "c"], ["y"]),
    ],
    [weights],
    ["Conv", "Conv+add", "Conv+add"],
  ],
  [
    "a Sum of one as nothing",
    [
      node("Sum", ["x"], ["a"]),
      conv("a", "y"),
    ],
    [weights],
    ["Conv"],
  ],
  [
    "a PRelu of one slope as part of a convolution",
    [
      conv("x", "a"),
      node("PRelu", ["a", "slope"], ["y"]),
    ],
    [weights, floats("slope", [1, 1, 1], [0.25])],
    ["Conv+leaky_relu"],
  ],
  [
    "a PRelu of a slope for each channel as it is",
    [
      conv("x", "a"),
      node("PRelu", ["a", "slope"], ["y"]),
    ],
    [weights, random("slope", [4, 1, 1])],
    ["Conv", "PRelu"],
  ],
  [
    "a Max and a Min with a number as Clips",
    [
      conv("x", "a"),
      node("Max", ["zero", "a"], ["b"]),
      node("Min", ["b", "half"], ["y"]),
    ],
    [weights, floats("zero", [], [0]), floats("half", [1], [0.5])],
    ["Conv+clip", "Clip"],
  ],
  [
    "a picked channel whose axis comes back",
    [
      node("Gather", ["x", "two"], ["a"], { axis: 1 }),
      node("Unsqueeze", ["a", "axis"], ["b"]),
      node("Relu", ["b"], ["y"]),
    ],
    [integers("two", [2], []), integers("axis", [1])],
    ["Gather", "Relu"],
  ],
  [
    "a mean of channels whose axis comes back",
    [
      node("ReduceMean", ["x"], ["a"], { axes: [-3], keepdims: 0 }),
      node("Unsqueeze", ["a", "axis"], ["b"]),
      node("Mul", ["x", "b"], ["y"]),
    ],
    [integers("axis", [1])],
    ["ReduceMean", "Mul"],
  ],
  [
    "two Transposes that undo each other",
    [
      node("Transpose", ["x"], ["a"], toLast),
      node("Transpose", ["a"], ["b"], toFirst),
      conv("b", "y"),
    ],
    [weights],
    ["Conv"],
  ],
  [
    "three Transposes that undo each other",
    [
      node("Transpose", ["x"], ["a"], { perm: [1, 0, 2, 3] }),
      node("Transpose", ["a"], ["b"], { perm: [1, 0, 3, 2] }),
      node("Transpose", ["b"], ["c"], { perm: [0, 1, 3, 2] }),
      conv("c", "y"),
    ],
    [weights],
    ["Conv"],
  ],
  ["Transposes around element-wise operators", [
    node("Transpose", ["x"], ["a"], toLast),
    node("Sub", ["a", "mean"], ["b"]),
    node("Div", ["b", "map"], ["c"]),
    node("Relu", ["c"], ["d"]),
    node("Mul", ["d", "b"], ["e"]),
    node("Transpose", ["e"], ["f"], toFirst),
    conv("f", "y"),
  ], [
    weights,
    random("mean", [3]),
    floats("map", [5, 1], [1, 2, 3, 4, 5]),
  ], ["Sub", "Div", "Relu", "Mul", "Conv"]],
  [
    "Transposes around joined and averaged channels",
    [
      node("Transpose", ["x"], ["a"], toLast),
      node("Relu", ["a"], ["b"]),
      node("Concat", ["a", "b"], ["c"], { axis: -1 }),
      node("ReduceMean", ["c"], ["d"], { axes: [3] }),
      node("Transpose", ["d"], ["y"], toFirst),
    ],
    [],
    ["Relu", "Concat", "ReduceMean"],
  ],
  [
    "a Transpose that is an output, once",
    [
      node("Transpose", ["x"], ["t"], toLast),
      node("Transpose", ["t"], ["y"], toFirst),
      node("Relu", ["t"], ["z"]),
    ],
    [],
    ["Transpose", "Identity", "Relu", "Transpose"],
    ["y", "t", "z"],
  ],
  [
    "a Cast whose constant comes first",
    [
      node("Mul", ["k", "x"], ["a"]),
      node("Cast", ["a"], ["b"], { to: 1 }),
      conv("b", "y"),
    ],
    [weights, floats("k", [], [0.5])],
    ["Mul", "Conv"],
  ],
  ["quantised weights", [
    node("DequantizeLinear", ["q", "scale", "zero"], ["w8"], { axis: 0 }),
    node("Conv", ["x", "w8"], ["y"]),
  ], [
    {
      name: "q",
      dims: [4, 3, 1, 1],
      dataType: 3,
      int32Data: [1, -2, 3, 4, -5, 6, 127, -128, 9, 0, 1, 2],
    },
    floats("scale", [4], [0.5, 0.25, 0.01, 2]),
    { name: "zero", dims: [4], dataType: 3, int32Data: [0, 1, -1, 3] },
  ], ["Conv"]],
  [
    "weights standardised by the network",
    [
      node("ReduceMean", ["w"], ["mean"], { axes: [1, 2, 3] }),
      node("Sub", ["w", "mean"], ["centred"]),
      node("Pow", ["centred", "two"], ["squares"]),
      node("ReduceMean", ["squares"], ["variance"], { axes: [1, 2, 3] }),
      node("Add", ["variance", "eps"], ["safe"]),
      node("Sqrt", ["safe"], ["deviation"]),
      node("Reciprocal", ["deviation"], ["factor"]),
      node("Mul", ["centred", "factor"], ["standard"]),
      node("Conv", ["x", "standard"], ["y"]),
    ],
    [weights, floats("two", [], [2]), floats("eps", [], [1e-5])],
    ["Conv"],
  ],
];

for (const [what, nodes, constants, operators, outputs] of CASES) {
  Deno.test(`optimizeGraph() writes ${what}`, async () => {
    assertEquals(
      await optimizedOperators(nodes, constants, outputs),
      operators,
    );
  });
}
