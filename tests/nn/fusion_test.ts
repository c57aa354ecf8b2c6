import { assertEquals, assertThrows } from "@std/assert";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { randomFloats } from "../testing.ts";
import { optimizedOperators } from "./optimized_operators.ts";
import {
  float,
  floats,
  graph,
  integers,
  model,
  node,
} from "./model_builder.ts";

const weight = floats("w", [4, 3, 3, 3], randomFloats(1, 108));
const same = { pads: [1, 1, 1, 1] };
const conv = node("Conv", ["x", "w"], ["c"], same);

/** As {@linkcode optimizedOperators}, with the convolution's weights unless others are given. */
function operators(
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[] = [weight],
  outputs: readonly string[] = ["y"],
  opset = 13,
): Promise<string[]> {
  return optimizedOperators(nodes, constants, outputs, opset);
}

function batchNorm(input: string, output: string): NodeMessage {
  return node("BatchNormalization", [input, "g", "h", "m", "v"], [output]);
}

const statistics = [
  floats("g", [4], [1, -0.5, 2, 0.1]),
  floats("h", [4], [0.1, 0.2, -0.3, 0]),
  floats("m", [4], [0.5, -0.25, 0, 1]),
  floats("v", [4], [1, 0.5, 2, 0.25]),
];

const hardSwish = [
  floats("zero", [], [0]),
  floats("three", [], [3]),
  floats("six", [], [6]),
];

const FUSIONS: readonly (readonly [
  what: string,
  expected: readonly string[],
  nodes: readonly NodeMessage[],
  constants?: readonly TensorMessage[],
  outputs?: readonly string[],
  opset?: number,
])[] = [
  ["Conv and Relu", ["Conv+relu"], [conv, node("Relu", ["c"], ["y"])]],
  ["Conv and Clip", ["Conv+clip"], [
    conv,
    node("Clip", ["c", "low", "high"], ["y"]),
  ], [weight, floats("low", [], [0]), floats("high", [], [6])]],
  [
    "Conv and old Clip",
    ["Conv+clip"],
    [
      conv,
      node("Clip", ["c"], ["y"], { min: float(0), max: float(0.5) }),
    ],
    [weight],
    ["y"],
    9,
  ],
  ["Conv and LeakyRelu", ["Conv+leaky_relu"], [
    conv,
    node("LeakyRelu", ["c"], ["y"], { alpha: float(0.3) }),
  ]],
  [
    "Conv and HardSwish",
    ["Conv+hard_swish"],
    [
      conv,
      node("HardSwish", ["c"], ["y"]),
    ],
    [weight],
    ["y"],
    14,
  ],
  ["x · HardSigmoid(x) into HardSwish", ["Conv+hard_swish"], [
    conv,
    node("HardSigmoid", ["c"], ["g"], { alpha: float(1 / 6) }),
    node("Mul", ["g", "c"], ["y"]),
  ]],
  ["x · relu6(x + 3) / 6 into HardSwish", ["Conv+hard_swish"], [
    conv,
    node("Add", ["c", "three"], ["a"]),
    node("Clip", ["a", "zero", "six"], ["b"]),
    node("Mul", ["c", "b"], ["d"]),
    node("Div", ["d", "six"], ["y"]),
  ], [weight, ...hardSwish]],
  [
    "x · (relu6(x + 3) / 6) into HardSwish",
    ["Conv+hard_swish"],
    [
      conv,
      node("Add", ["c", "three"], ["a"]),
      node("Clip", ["a"], ["b"], { min: float(0), max: float(6) }),
      node("Div", ["b", "six"], ["d"]),
      node("Mul", ["d", "c"], ["y"]),
    ],
    [weight, ...hardSwish],
    ["y"],
    10,
  ],
  ["no HardSwish of another slope", ["Conv", "HardSigmoid", "Mul"], [
    conv,
    node("HardSigmoid", ["c"], ["g"]),
    node("Mul", ["g", "c"], ["y"]),
  ]],
  ["Conv and HardSigmoid", ["Conv+hard_sigmoid"], [
    conv,
    node("HardSigmoid", ["c"], ["y"]),
  ]],
  ["Conv and Sigmoid, not their product", ["Conv", "Sigmoid", "Mul"], [
    conv,
    node("Sigmoid", ["c"], ["s"]),
    node("Mul", ["c", "s"], ["y"]),
  ]],
  ["one activation only", ["Conv+relu", "Sigmoid"], [
    conv,
    node("Relu", ["c"], ["r"]),
    node("Sigmoid", ["r"], ["y"]),
  ]],
  [
    "nothing into a tap",
    ["Conv", "Relu"],
    [
      conv,
      node("Relu", ["c"], ["y"]),
    ],
    [weight],
    ["c", "y"],
  ],
  ["BatchNormalization into Conv", ["Conv+relu"], [
    conv,
    batchNorm("c", "b"),
    node("Relu", ["b"], ["y"]),
  ], [weight, ...statistics]],
  ["BatchNormalization into Conv with bias in groups", ["Conv", "Conv"], [
    conv,
    node("Conv", ["c", "w2", "bias"], ["d"], { ...same, group: 2 }),
    batchNorm("d", "y"),
  ], [
    weight,
    floats("w2", [4, 2, 3, 3], randomFloats(2, 72)),
    floats("bias", [4], [1, 2, -3, 4]),
    ...statistics,
  ]],
  [
    "BatchNormalization not into a Conv that others read",
    [
      "Conv",
      "BatchNormalization",
      "Add",
    ],
    [conv, batchNorm("c", "b"), node("Add", ["b", "c"], ["y"])],
    [
      weight,
      ...statistics,
    ],
  ],
  [
    "BatchNormalization not into a tap",
    ["Conv", "BatchNormalization+relu"],
    [
      conv,
      batchNorm("c", "b"),
      node("Relu", ["b"], ["y"]),
    ],
    [weight, ...statistics],
    ["c", "y"],
  ],
  ["weights that Convs share, each its own", ["Conv", "Conv+add"], [
    conv,
    node("Conv", ["x", "w"], ["d"], same),
    batchNorm("d", "e"),
    node("Add", ["c", "e"], ["y"]),
  ], [weight, ...statistics]],
  ["a residual addition into the later Conv", ["Conv+relu", "Conv+add+relu"], [
    conv,
    node("Relu", ["c"], ["r"]),
    node("Conv", ["r", "w2"], ["d"], same),
    node("Add", ["r", "d"], ["s"]),
    node("Relu", ["s"], ["y"]),
  ], [weight, floats("w2", [4, 4, 3, 3], randomFloats(3, 144))]],
  ["no broadcasting addition", ["GlobalAveragePool", "Conv", "Add+relu"], [
    node("GlobalAveragePool", ["x"], ["p"]),
    node("Conv", ["x", "w3"], ["d"]),
    node("Add", ["d", "p"], ["s"]),
    node("Relu", ["s"], ["y"]),
  ], [floats("w3", [3, 3, 1, 1], randomFloats(4, 9))]],
  ["no sum of a Conv with itself", ["Conv", "Add"], [
    conv,
    node("Add", ["c", "c"], ["y"]),
  ]],
  ["no sum with a constant", ["Conv", "Add"], [
    conv,
    node("Add", ["c", "k"], ["y"]),
  ], [weight, floats("k", [4, 1, 1], [1, 2, 3, 4])]],
  [
    "a sum that is a tap, not its Relu",
    ["Conv", "Conv+add", "Relu"],
    [
      conv,
      node("Conv", ["x", "w"], ["d"], same),
      node("Add", ["c", "d"], ["s"]),
      node("Relu", ["s"], ["y"]),
    ],
    [weight],
    ["s", "y"],
  ],
  ["no-ops away", ["Conv"], [
    node("Identity", ["x"], ["i"]),
    node("Dropout", ["i"], ["j"]),
    node("Cast", ["j"], ["k"], { to: 1 }),
    node("Conv", ["k", "w"], ["c"], same),
    node("Concat", ["c"], ["l"], { axis: 1 }),
    node("Pad", ["l", "p"], ["m"]),
    node("Identity", ["m"], ["y"]),
  ], [weight, integers("p", [0, 0, 0, 0, 0, 0, 0, 0])]],
  [
    "not an Identity between two taps",
    ["Conv", "Identity"],
    [
      conv,
      node("Identity", ["c"], ["y"]),
    ],
    [weight],
    ["c", "y"],
  ],
  ["zero padding into Convs", ["Conv", "Conv", "Conv", "Conv+add"], [
    node("Pad", ["x", "p"], ["q"]),
    node("Conv", ["q", "w"], ["c"], { pads: [1, 0, 0, 0] }),
    node("Conv", ["q", "w"], ["e"], { auto_pad: "VALID" }),
    node("Conv", ["e", "w2"], ["d"], { pads: [1, 0, 0, 0] }),
    node("Add", ["d", "c2"], ["y"]),
    node("Conv", ["c", "w4"], ["c2"], { strides: [1, 1], pads: [0, 1, 0, 1] }),
  ], [
    weight,
    integers("p", [0, 0, 1, 2, 0, 0, 1, 0]),
    floats("w2", [4, 4, 1, 1], randomFloats(6, 16)),
    floats("w4", [4, 4, 1, 3], randomFloats(7, 48)),
  ]],
  ["zero padding into AveragePool", ["AveragePool"], [
    node("Pad", ["x", "p"], ["q"]),
    node("AveragePool", ["q"], ["y"], {
      kernel_shape: [3, 3],
      strides: [2, 2],
    }),
  ], [integers("p", [0, 0, 1, 1, 0, 0, 2, 1])]],
  ["zero padding not into pooling that pads or rounds up itself", [
    "Pad",
    "AveragePool",
    "AveragePool",
    "Add",
  ], [
    node("Pad", ["x", "p"], ["q"]),
    node("AveragePool", ["q"], ["a"], {
      kernel_shape: [3, 3],
      pads: [1, 1, 0, 0],
    }),
    node("AveragePool", ["q"], ["b"], {
      kernel_shape: [2, 2],
      ceil_mode: 1,
    }),
    node("Add", ["a", "b"], ["y"]),
  ], [integers("p", [0, 0, 1, 1, 0, 0, 1, 1])]],
  ["not other padding", ["Pad", "Conv"], [
    node("Pad", ["x", "p", "v"], ["q"]),
    node("Conv", ["q", "w"], ["y"]),
  ], [
    weight,
    integers("p", [0, 0, 1, 1, 0, 0, 1, 1]),
    floats("v", [], [1]),
  ]],
  ["weights computed from weights", ["Conv"], [
    node("Constant", [], ["half"], {
      value: { tensor: floats("", [], [0.5]) },
    }),
    node("Mul", ["t", "half"], ["u"]),
    node("Transpose", ["u"], ["w"], { perm: [3, 2, 0, 1] }),
    node("Conv", ["x", "w"], ["y"], same),
  ], [floats("t", [3, 3, 3, 4], randomFloats(8, 108))]],
];

for (const [what, expected, ...rest] of FUSIONS) {
  Deno.test(`optimizeGraph() fuses ${what}`, async () => {
    assertEquals(await operators(...rest), expected);
  });
}

Deno.test("optimizeGraph() drops constants that folding made useless", async () => {
  const plain = await readOnnx(
    model(graph([conv, batchNorm("c", "y")], [weight, ...statistics])),
  );
  const { constants, nodes } = optimizeGraph(plain);
  assertEquals(
    [...constants.keys()].sort(),
    nodes[0]!.inputs.slice(1).toSorted(),
  );
});

Deno.test("optimizeGraph() refuses BatchNormalization in training mode", async () => {
  const training = node(
    "BatchNormalization",
    ["x", "g", "h", "m", "v"],
    ["y"],
    { training_mode: 1 },
  );
  const plain = await readOnnx(
    model(graph([training], statistics.map((t) => ({ ...t, dims: [4] }))), {
      opset: 14,
    }),
  );
  assertThrows(() => optimizeGraph(plain), OnnxError, "eval()");
});
