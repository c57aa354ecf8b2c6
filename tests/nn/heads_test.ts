/** What comes behind the taps of a network matters to nobody. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { cutGraph } from "../../src/nn/cut.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import type {
  GraphMessage,
  NodeMessage,
  TensorMessage,
} from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { findTaps } from "../../src/nn/taps.ts";
import { float, floats, graph, model, node, value } from "./model_builder.ts";
import { trunkNodes, trunkWeights } from "./small_trunk.ts";

interface Head {
  readonly nodes: readonly NodeMessage[];
  readonly constants?: readonly TensorMessage[];
  readonly inputs?: readonly ReturnType<typeof value>[];
  readonly outputs: readonly string[];
  readonly fields?: Partial<GraphMessage>;
}

function withHead(
  { nodes, constants, inputs, outputs, fields }: Head,
): Uint8Array {
  return model({
    ...graph([...trunkNodes(), ...nodes], [
      ...trunkWeights(),
      ...constants ?? [],
    ], {
      inputs: [value("x", ["n", 3, "h", "w"]), ...inputs ?? []],
      outputs: outputs.map((name) => value(name, undefined)),
    }),
    ...fields,
  });
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const strings: TensorMessage = {
  name: "labels",
  dims: [2],
  dataType: 8,
  stringData: [text("good"), text("bad")],
};
const odd = (name: string, dataType: number, bytes: number): TensorMessage => ({
  name,
  dims: [2],
  dataType,
  rawData: new Uint8Array(bytes),
});
const branch = (name: string): GraphMessage => ({
  name,
  node: [node("Softmax", ["logits"], [`${name}.y`])],
  output: [value(`${name}.y`, undefined)],
});

const HEADS: readonly (readonly [what: string, Head])[] = [
  ["strings that an output shows", {
    nodes: [node("Identity", ["labels"], ["names"])],
    constants: [strings],
    outputs: ["logits", "names"],
  }],
  ["strings that the logits choose from", {
    nodes: [
      node("ArgMax", ["logits"], ["best"], { axis: 1 }),
      node("Gather", ["labels", "best"], ["name"]),
    ],
    constants: [strings],
    outputs: ["name"],
  }],
  ...([[4, "uint16", 4], [5, "int16", 4], [12, "uint32", 8], [
    13,
    "uint64",
    16,
  ], [17, "float8", 2]] as const).map((
    [type, name, bytes],
  ): [string, Head] => [`weights of ${name}`, {
    nodes: [node("Cast", ["odd"], ["cast"], { to: 1 })],
    constants: [odd("odd", type, bytes)],
    outputs: ["cast", "logits"],
  }]),
  ["an attribute of uint64", {
    nodes: [node("Constant", [], ["c"], {
      value: { tensor: odd("", 13, 16) },
    })],
    outputs: ["logits", "c"],
  }],
  ["a constant of strings", {
    nodes: [{
      ...node("Constant", [], ["c"]),
      attribute: [{ name: "value_strings", type: 8, strings: [text("a")] }],
    }],
    outputs: ["logits", "c"],
  }],
  ["sparse weights", {
    nodes: [node("MatMul", ["logits", "s"], ["y"])],
    outputs: ["y"],
    fields: {
      sparseInitializer: [{ dims: [5, 5], values: floats("s", [1], [1]) }],
    },
  }],
  ["a second input", {
    nodes: [node("Mul", ["size", "size"], ["area"])],
    inputs: [value("size", [1, 2])],
    outputs: ["logits", "area"],
  }],
  ["second inputs of odd types that meet the logits", {
    nodes: [
      node("Gather", ["logits", "at"], ["picked"]),
      node("Custom", ["picked", "words"], ["y"]),
    ],
    inputs: [value("at", [1], 7), value("words", ["n"], 8)],
    outputs: ["y"],
  }],
  ["a branch", {
    nodes: [{
      ...node("If", ["chosen"], ["y"]),
      attribute: [
        { name: "then_branch", type: 5, g: branch("then") },
        { name: "else_branch", type: 5, g: branch("else") },
      ],
    }],
    constants: [{
      name: "chosen",
      dims: [],
      dataType: 9,
      rawData: Uint8Array.of(1),
    }],
    outputs: ["y"],
  }],
  ["the shape of the image as an output", {
    nodes: [node("Shape", ["x"], ["size"])],
    outputs: ["size", "logits"],
  }],
  ["an infinite number that becomes whole", {
    nodes: [
      node("Cast", ["inf"], ["whole"], { to: 7 }),
      node("Cast", ["whole"], ["back"], { to: 1 }),
      node("Mul", ["logits", "back"], ["y"]),
    ],
    constants: [floats("inf", [1], [Infinity])],
    outputs: ["y"],
  }],
  ["operators of other domains", {
    nodes: [{ ...node("Decode", ["logits"], ["y"]), domain: "com.example" }],
    outputs: ["y"],
  }],
  ["thousands of outputs", {
    nodes: Array.from(
      { length: 20_000 },
      (_, i) => node("Relu", ["logits"], [`y${i}`]),
    ),
    outputs: Array.from({ length: 20_000 }, (_, i) => `y${i}`),
  }],
];

for (const [what, head] of HEADS) {
  Deno.test(`readOnnx() ignores a head with ${what}`, async () => {
    const network = await readOnnx(withHead(head));
    assertEquals(
      findTaps(network).map(({ name, tensor }) => [name, tensor]),
      [["layer1", "level1"], ["layer2", "level2"], ["layer3", "level3"]],
    );
    assertEquals(cutGraph(network, ["level3"]).nodes.length, 4);
  });
}

const NEEDED: readonly (readonly [
  what: string,
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[],
  message: string,
])[] = [
  [
    "strings",
    [node("Add", ["x", "labels"], ["y"])],
    [strings],
    'Cannot run Add "y": its input "labels" cannot be used: element type 8 (string) is not supported',
  ],
  [
    "float8",
    [node("Conv", ["x", "odd"], ["y"])],
    [odd("odd", 17, 2)],
    'Conv "y": its input "odd" cannot be used: element type 17 (float8)',
  ],
  [
    "a constant of an odd type",
    [
      node("Constant", [], ["c"], { value: { tensor: odd("", 13, 16) } }),
      node("Add", ["x", "c"], ["y"]),
    ],
    [],
    'Add "y": its input "c" cannot be used: Constant "c" holds a type',
  ],
  [
    "a second input",
    [node("Mul", ["x", "scale"], ["y"])],
    [],
    'Mul "y": its input "scale" cannot be used: it is a second input',
  ],
  [
    "infinity as a whole number",
    [
      node("Cast", ["inf"], ["whole"], { to: 7 }),
      node("Cast", ["whole"], ["back"], { to: 1 }),
      node("Mul", ["x", "back"], ["y"]),
    ],
    [floats("inf", [1], [Infinity])],
    'Cannot run Cast "whole": it casts Infinity to int64',
  ],
  [
    "the root of a negative whole number",
    [
      node("Sqrt", ["minus"], ["root"]),
      node("Cast", ["root"], ["f"], { to: 1 }),
      node("Mul", ["x", "f"], ["y"]),
    ],
    [{ name: "minus", dims: [1], dataType: 6, int32Data: [-1] }],
    'Cannot run Sqrt "root": its result would be NaN as int32',
  ],
  [
    "a quotient of whole numbers by 0",
    [
      node("Div", ["one", "zero"], ["q"]),
      node("Cast", ["q"], ["f"], { to: 1 }),
      node("Mul", ["x", "f"], ["y"]),
    ],
    [
      { name: "one", dims: [1], dataType: 6, int32Data: [1] },
      { name: "zero", dims: [1], dataType: 6, int32Data: [0] },
    ],
    'Cannot run Div "q": it divides an integer by zero',
  ],
];

for (const [what, nodes, constants, message] of NEEDED) {
  Deno.test(`optimizeGraph() refuses ${what} where a tap needs them`, async () => {
    const network = await readOnnx(model(graph(nodes, constants, {
      inputs: [value("x", ["n", 3, "h", "w"]), value("scale", [1])],
    })));
    const error = assertThrows(
      () => optimizeGraph(cutGraph(network, ["y"])),
      OnnxError,
    );
    assert(error.message.includes(message), error.message);
  });
}

for (
  const [what, nodes] of [
    ["constants", [node("Add", ["c", "c"], ["y"])]],
    ["the image's size", [node("Shape", ["x"], ["y"])]],
  ] as const
) {
  Deno.test(`readOnnx() refuses a network that computes only from ${what}`, async () => {
    const bytes = model(graph(nodes, [floats("c", [1], [1])]));
    const error = await assertRejects(
      () => readOnnx(bytes),
      OnnxError,
      "none of its outputs is computed from the image",
    );
    assertEquals(error.kind, "image_input");
  });
}

for (
  const [what, dims, nodes] of [
    ["without a shape", undefined, []],
    ["with free sizes", ["n", "h", "w", "c"], []],
    ["that normalises first", undefined, [
      node("Sub", ["x", "mean"], ["centred"]),
      node("Clip", ["centred"], ["x2"]),
    ]],
  ] as const
) {
  Deno.test(`readOnnx() says that an image ${what} has its channels last`, async () => {
    const from = nodes.length > 0 ? "x2" : "x";
    const bytes = model(graph(
      [
        ...nodes,
        node("Transpose", [from], ["nchw"], { perm: [0, 3, 1, 2] }),
        ...trunkNodes("nchw"),
      ],
      [...trunkWeights(), floats("mean", [3], [1, 2, 3])],
      {
        inputs: [value("x", dims && [...dims])],
        outputs: [value("logits", undefined)],
      },
    ));
    await assertRejects(() => readOnnx(bytes), OnnxError, "channels last");
  });
}

Deno.test("readOnnx() takes the only image among several inputs of four dimensions", async () => {
  const bytes = model(graph(trunkNodes(), trunkWeights(), {
    inputs: [
      value("mask", [1, 1, 32, 32]),
      value("x", [1, 3, 32, 32]),
      value("alpha", [1, 1, 32, 32]),
    ],
    outputs: [value("logits", undefined)],
  }));
  const { inputs } = await readOnnx(bytes);
  assertEquals(inputs.map(({ name }) => name), ["x"]);
});

Deno.test("cutGraph() refuses operators in training mode", async () => {
  const statistics = ["scale", "shift", "mean", "var"];
  const norm = (
    opset: number,
    outputs: readonly string[],
    attributes = {},
  ): Uint8Array =>
    model(
      graph(
        [node("BatchNormalization", ["x", ...statistics], outputs, attributes)],
        statistics.map((name) => floats(name, [3], [1, 1, 1])),
      ),
      { opset },
    );
  const trains = [
    norm(13, ["y", "m", "v", "sm", "sv"]),
    norm(7, ["y", "m", "v"]),
    norm(14, ["y", "m", "v"], { training_mode: 1 }),
    norm(15, ["y"], { training_mode: 1 }),
  ];
  for (const bytes of trains) {
    const network = await readOnnx(bytes);
    assertThrows(
      () => cutGraph(network, ["y"]),
      OnnxError,
      'Cannot run BatchNormalization "y": it is in training mode',
    );
  }
  for (
    const bytes of [
      norm(13, ["y"]),
      norm(13, ["y", "", ""]),
      norm(15, ["y"], { training_mode: 0, momentum: float(0.1) }),
    ]
  ) {
    assertEquals(cutGraph(await readOnnx(bytes), ["y"]).outputs, ["y"]);
  }
});
