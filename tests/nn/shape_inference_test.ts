import { assert, assertEquals, assertThrows } from "@std/assert";
import { numbersOf } from "../../src/nn/host_tensor.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import type { Graph } from "../../src/nn/graph.ts";
import { OnnxError, type OnnxErrorKind } from "../../src/nn/onnx/errors.ts";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { inferShapes, nominalShape } from "../../src/nn/shape_inference.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { interpret } from "../reference/interpreter.ts";
import { assertAllClose, randomFloats } from "../testing.ts";
import {
  floats,
  graph,
  integers,
  model,
  node,
  value,
} from "./model_builder.ts";

async function read(
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[] = [],
  opset = 13,
  shape: readonly (number | string)[] = ["n", 3, "h", "w"],
): Promise<Graph> {
  return await readOnnx(model(
    graph(nodes, constants, { inputs: [value("x", shape)] }),
    { opset },
  ));
}

/** x.view(x.size(0), -1), as TorchScript writes it. */
const view = [
  node("Shape", ["x"], ["s"]),
  node("Constant", [], ["zero"], { value: { tensor: integers("", [0], []) } }),
  node("Gather", ["s", "zero"], ["n"], { axis: 0 }),
  node("Constant", [], ["minus"], { value: { tensor: integers("", [-1]) } }),
  node("Constant", [], ["axes"], { value: { tensor: integers("", [0]) } }),
  node("Unsqueeze", ["n", "axes"], ["n1"]),
  node("Concat", ["n1", "minus"], ["t"], { axis: 0 }),
  node("Reshape", ["x", "t"], ["y"]),
];

/** F.pad(x, (1, 2, 3, 4)), as TorchScript writes it. */
const pad = [
  node("Constant", [], ["p"], {
    value: { tensor: integers("", [1, 2, 3, 4]) },
  }),
  node("Constant", [], ["four"], { value: { tensor: integers("", [4], []) } }),
  node("Constant", [], ["eight"], { value: { tensor: integers("", [8], []) } }),
  node("Sub", ["eight", "four"], ["left"]),
  node("Cast", ["left"], ["left64"], { to: 7 }),
  node("Unsqueeze", ["left64", "axes0"], ["length"]),
  node("ConstantOfShape", ["length"], ["zeros"], {
    value: { tensor: integers("", [0]) },
  }),
  node("Concat", ["p", "zeros"], ["flat"], { axis: 0 }),
  node("Reshape", ["flat", "pairs"], ["table"]),
  node("Slice", ["table", "last", "first", "axes0", "last"], ["turned"]),
  node("Transpose", ["turned"], ["columns"], { perm: [1, 0] }),
  node("Reshape", ["columns", "all"], ["list"]),
  node("Cast", ["list"], ["pads"], { to: 7 }),
  node("Pad", ["x", "pads"], ["y"], { mode: "constant" }),
];
const padConstants = [
  integers("axes0", [0]),
  integers("pairs", [-1, 2]),
  integers("last", [-1]),
  integers("first", [-(2n ** 63n) + 1n]),
  integers("all", [-1]),
];

Deno.test("inferShapes() resolves a view of the batch", async () => {
  const plan = inferShapes(await read(view), [5, 3, 4, 2]);
  assertEquals(plan.shapes.get("y"), [5, 24]);
  assertEquals(numbersOf(plan.values.get("t")!), [5, -1]);
  assertEquals(plan.nodes.map(({ op }) => op), ["Reshape"]);
});

Deno.test("inferShapes() resolves the chain behind F.pad", async () => {
  const network = await read(pad, padConstants);
  const plan = inferShapes(network, [1, 3, 5, 6]);
  assertEquals(plan.shapes.get("y"), [1, 3, 12, 9]);
  assertEquals(plan.nodes.map(({ op }) => op), ["Pad"]);
  const optimized = optimizeGraph(network);
  assertEquals(optimized.nodes.map(({ op }) => op), ["Pad"]);
  const image = floatTensor([1, 3, 5, 6], randomFloats(1, 90));
  const expected = interpret(network, image).get("y")!;
  assertEquals(interpret(optimized, image).get("y"), expected);
});

Deno.test("inferShapes() resolves half of the image's size", async () => {
  const plan = inferShapes(
    await read([
      node("Shape", ["x"], ["s"]),
      node("Slice", ["s", "two", "four"], ["hw"]),
      node("Cast", ["hw"], ["f"], { to: 1 }),
      node("Mul", ["f", "half"], ["g"]),
      node("Floor", ["g"], ["h"]),
      node("Cast", ["h"], ["i"], { to: 7 }),
      node("Slice", ["x", "zeros", "i", "axes"], ["y"]),
    ], [
      integers("two", [2]),
      integers("four", [4]),
      floats("half", [], [0.5]),
      integers("zeros", [0, 0]),
      integers("axes", [2, 3]),
    ]),
    [2, 3, 9, 12],
  );
  assertEquals(plan.shapes.get("y"), [2, 3, 4, 6]);
  assertEquals(plan.nodes.map(({ op }) => op), ["Slice"]);
});

Deno.test("inferShapes() reads the start and end of Shape", async () => {
  const network = await read(
    [
      node("Shape", ["x"], ["s"], { start: -2, end: 9 }),
      node("ConstantOfShape", ["s"], ["c"]),
      node("Add", ["x", "c"], ["y"]),
    ],
    [],
    15,
  );
  const plan = inferShapes(network, [2, 3, 7, 5]);
  assertEquals(numbersOf(plan.values.get("s")!), [7, 5]);
  assertEquals(plan.values.get("c")!.shape, [7, 5]);
});

Deno.test("evaluate() computes integers exactly as ONNX", async () => {
  const plan = inferShapes(
    await read([
      node("Div", ["a", "b"], ["q"]),
      node("Neg", ["q"], ["m"]),
      node("Squeeze", ["m"], ["k"]),
      node("Cast", ["k"], ["f"], { to: 1 }),
      node("Sqrt", ["g"], ["r"]),
      node("Ceil", ["r"], ["c"]),
      node("Add", ["f", "c"], ["d"]),
      node("Add", ["x", "d"], ["y"]),
    ], [
      integers("a", [-7]),
      integers("b", [2]),
      floats("g", [], [2]),
    ]),
    [1, 3, 2, 2],
  );
  assertEquals(numbersOf(plan.values.get("q")!), [-3]);
  assertEquals(numbersOf(plan.values.get("d")!), [5]);
});

Deno.test("evaluate() multiplies matrices whose leading axes broadcast", async () => {
  const product = async (a: number[], b: number[]): Promise<number[]> => {
    const count = (shape: number[]) => shape.reduce((x, y) => x * y, 1);
    const counting = (shape: number[]) =>
      Float32Array.from({ length: count(shape) }, (_, i) => i + 1);
    const plan = inferShapes(
      await read([
        node("MatMul", ["a", "b"], ["p"]),
        node("Add", ["x", "one"], ["y"]),
        node("ReduceSum", ["p"], ["q"]),
        node("Add", ["y", "q"], ["z"]),
      ], [
        floats("a", a, counting(a)),
        floats("b", b, counting(b)),
        floats("one", [], [1]),
      ]),
      [1, 3, 2, 2],
    );
    return numbersOf(plan.values.get("p")!);
  };
  assertEquals(await product([2, 2], [2, 2]), [7, 10, 15, 22]);
  assertEquals(await product([1, 2], [2, 2, 1]), [5, 11]);
  assertEquals(await product([2, 1, 2], [2, 1]), [5, 11]);
  assertEquals(await product([2], [2]), [5]);
  assertEquals(await product([2], [2, 3]), [9, 12, 15]);
});

Deno.test("inferShapes() knows what follows from the image's size by Size, Split, Tile and IsNaN", async () => {
  const plan = inferShapes(
    await read([
      node("Size", ["x"], ["count"]),
      node("Split", ["numbers", "parts"], ["head", "tail"], { axis: 0 }),
      node("Tile", ["tail", "repeats"], ["tiled"]),
      node("IsNaN", ["tail"], ["nan"]),
      node("Cast", ["nan"], ["none"], { to: 1 }),
      node("Cast", ["count"], ["total"], { to: 1 }),
      node("Mul", ["tiled", "total"], ["z"]),
      node("Add", ["x", "z"], ["y"]),
    ], [
      floats("numbers", [3, 1], [1, 2, NaN]),
      integers("parts", [1, 2]),
      integers("repeats", [1, 3]),
    ]),
    [2, 3, 2, 3],
  );
  const valueOf = (name: string) => numbersOf(plan.values.get(name)!);
  assertEquals(valueOf("count"), [36]);
  assertEquals(valueOf("head"), [1]);
  assertEquals(valueOf("tiled"), [2, 2, 2, NaN, NaN, NaN]);
  assertEquals(plan.values.get("tiled")!.shape, [2, 3]);
  assertEquals(valueOf("none"), [0, 1]);
  assertEquals(valueOf("z").slice(0, 3), [72, 72, 72]);
});

Deno.test("Constant takes every attribute a value may be in", async () => {
  const network = await read([
    node("Constant", [], ["a"], { value_float: { float: 1.5 } }),
    node("Constant", [], ["b"], { value_int: 2 }),
    node("Constant", [], ["c"], { value_ints: [1, 1, 1] }),
    node("Cast", ["b"], ["d"], { to: 1 }),
    node("ConstantOfShape", ["c"], ["e"]),
    node("Mul", ["a", "d"], ["f"]),
    node("Add", ["e", "f"], ["g"]),
    node("Add", ["x", "g"], ["y"]),
  ]);
  const plan = inferShapes(network, [1, 3, 2, 2]);
  assertEquals(plan.values.get("g"), floatTensor([1, 1, 1], [3]));
  const image = floatTensor([1, 3, 2, 2], randomFloats(1, 12));
  assertAllClose(
    interpret(network, image).get("y")!.data as Float32Array,
    Array.from(image.data, (v) => v + 3),
  );
});

Deno.test("Gemm multiplies in every orientation", async () => {
  for (const [transA, transB] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) {
    const network = await read([
      node("Gemm", ["a", "b", "c"], ["g"], {
        transA,
        transB,
        alpha: { float: 2 },
        beta: { float: -1 },
      }),
      node("Add", ["x", "g"], ["y"]),
    ], [
      floats(
        "a",
        transA ? [3, 2] : [2, 3],
        transA ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6],
      ),
      floats(
        "b",
        transB ? [2, 3] : [3, 2],
        transB ? [1, 0, 1, 0, 1, 1] : [1, 0, 0, 1, 1, 1],
      ),
      floats("c", [2], [10, 20]),
    ]);
    const image = floatTensor([1, 3, 2, 2], new Float32Array(12));
    assertEquals(inferShapes(network, image.shape).shapes.get("g"), [2, 2]);
    assertEquals(
      interpret(network, image).get("g")!.data,
      Float32Array.of(-2, -10, 10, 2),
    );
  }
});

const REFUSED: readonly (readonly [
  what: string,
  kind: OnnxErrorKind,
  says: string,
  nodes: readonly NodeMessage[],
  constants?: readonly TensorMessage[],
])[] = [
  [
    "channels that do not fit",
    "shape",
    "input has 3 channels, weights expect 4",
    [node("Conv", ["x", "w"], ["y"])],
    [floats("w", [2, 4, 1, 1], new Float32Array(8))],
  ],
  ["groups that do not divide", "invalid_node", "groups", [
    node("Conv", ["x", "w"], ["y"], { group: 3 }),
  ], [floats("w", [4, 1, 1, 1], new Float32Array(4))]],
  ["a bias of another length", "shape", "bias has shape [3]", [
    node("Conv", ["x", "w", "b"], ["y"]),
  ], [
    floats("w", [2, 3, 1, 1], new Float32Array(6)),
    floats("b", [3], [0, 0, 0]),
  ]],
  ["weights of one dimension", "shape", "[M, C / group, kH, kW]", [
    node("Conv", ["x", "w"], ["y"]),
  ], [floats("w", [2, 3, 1], new Float32Array(6))]],
  ["a kernel_shape that lies", "invalid_node", "kernel_shape is [3,3]", [
    node("Conv", ["x", "w"], ["y"], { kernel_shape: [3, 3] }),
  ], [floats("w", [2, 3, 1, 1], new Float32Array(6))]],
  ["a window larger than the image", "shape", "spans 9 pixels", [
    node("MaxPool", ["x"], ["y"], { kernel_shape: [9, 9] }),
  ]],
  ["strides of 0", "invalid_node", "strides", [
    node("MaxPool", ["x"], ["y"], { kernel_shape: [2, 2], strides: [0, 1] }),
  ]],
  ["negative pads", "invalid_node", "pads", [
    node("MaxPool", ["x"], ["y"], {
      kernel_shape: [2, 2],
      pads: [-1, 0, 0, 0],
    }),
  ]],
  ["an unknown auto_pad", "invalid_node", "BOTH", [
    node("MaxPool", ["x"], ["y"], { kernel_shape: [2, 2], auto_pad: "BOTH" }),
  ]],
  [
    "an attribute of another type",
    "invalid_node",
    'attribute "group" is not a number',
    [node("Conv", ["x", "w"], ["y"], { group: "one" })],
    [floats("w", [2, 3, 1, 1], new Float32Array(6))],
  ],
  ["shapes that do not broadcast", "shape", "cannot combine", [
    node("Add", ["x", "w"], ["y"]),
  ], [floats("w", [7], new Float32Array(7))]],
  ["a reshape to another count", "shape", "cannot reshape", [
    node("Reshape", ["x", "s"], ["y"]),
  ], [integers("s", [5, -1])]],
  ["a crop to nothing", "shape", "would have shape", [
    node("Pad", ["x", "p"], ["y"]),
  ], [integers("p", [0, 0, -9, 0, 0, 0, 0, 0])]],
  ["a huge result", "too_large", "2^31", [node("Pad", ["x", "p"], ["y"])], [
    integers("p", [0, 0, 2 ** 20, 2 ** 20, 0, 0, 0, 0]),
  ]],
  [
    "pads computed from pixels",
    "unsupported_operator",
    "computed from the image",
    [node("Relu", ["x"], ["p"]), node("Pad", ["x", "p"], ["y"])],
  ],
  ["an axis outside", "invalid_node", "axis 4", [
    node("Concat", ["x", "x"], ["y"], { axis: 4 }),
  ]],
  [
    "an operator without a rule",
    "unsupported_operator",
    "Einsum is not supported",
    [node("Einsum", ["x"], ["y"])],
  ],
  ["a custom operator", "unsupported_operator", "standard ONNX operators", [{
    ...node("FusedConv", ["x"], ["y"]),
    domain: "com.microsoft",
  }]],
  ["an index outside", "invalid_node", "index 9", [
    node("Shape", ["x"], ["s"]),
    node("Gather", ["s", "i"], ["t"]),
    node("Reshape", ["x", "t"], ["y"]),
  ], [integers("i", [9])]],
  ["an integer divided by zero", "invalid_node", "divides an integer by zero", [
    node("Shape", ["x"], ["s"]),
    node("Div", ["s", "o"], ["t"]),
    node("Reshape", ["x", "t"], ["y"]),
  ], [integers("o", [0])]],
];

for (const [what, kind, says, nodes, constants = []] of REFUSED) {
  Deno.test(`inferShapes() refuses ${what}`, async () => {
    const network = await read(nodes, constants);
    const error = assertThrows(
      () => inferShapes(network, [1, 3, 8, 8]),
      OnnxError,
    );
    assertEquals(error.kind, kind, error.message);
    assert(error.message.includes(says), error.message);
    assert(error.node !== undefined && error.op !== undefined);
    assert(
      error.message.startsWith(`Cannot run ${error.op} "${error.node}": `),
    );
  });
}

Deno.test("inferShapes() takes any size but not other channels", async () => {
  const network = await read([node("Relu", ["x"], ["y"])], [], 13, [
    1,
    3,
    32,
    32,
  ]);
  assertEquals(nominalShape(network), [1, 3, 32, 32]);
  assertEquals(inferShapes(network, [4, 3, 8, 9]).shapes.get("y"), [
    4,
    3,
    8,
    9,
  ]);
  for (const shape of [[1, 1, 8, 8], [3, 8, 8], [1, 3, 0, 8], [1, 3, 8, 1.5]]) {
    const error = assertThrows(() => inferShapes(network, shape), OnnxError);
    assertEquals(error.kind, "image_input");
  }
});
