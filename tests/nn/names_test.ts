/** Names in a file may be anything; what is made while planning has others. */
import { assert, assertEquals } from "@std/assert";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { Network, toNhwc } from "../../src/nn/mod.ts";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { writeOnnx } from "../../src/nn/onnx/write.ts";
import { interpret } from "../reference/interpreter.ts";
import { floats as elements, size } from "../reference/operands.ts";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";
import { floats, graph, model, node, value } from "./model_builder.ts";
import { constant } from "./model_case.ts";

const same = { pads: [1, 1, 1, 1], kernel_shape: [3, 3] };
const shape = [1, 3, 24, 24];

/** A convolution by rows and one by Winograd's transform, and a tensor of the given name beside them. */
function beside(name: string): readonly NodeMessage[] {
  return [
    node("Relu", ["x"], [name]),
    node("Conv", ["x", "w"], ["c"], same, "conv"),
    node("Conv", ["c", "v"], ["d"], same, "deep"),
    node("ReduceMean", ["d"], ["m"], { axes: [1, 2] }, "mean"),
    node("Conv", [name, "w"], ["e"], same, "other"),
    node("Add", ["d", "e"], ["f"], {}, "add"),
    node("Add", ["f", "m"], ["y"], {}, "last"),
  ];
}

const weights = [constant("w", [16, 3, 3, 3]), constant("v", [16, 16, 3, 3])];
const vector = (name: string): TensorMessage => constant(name, [1, 16, 1, 1]);

const CASES: readonly (readonly [
  what: string,
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[],
])[] = [
  ...[
    "conv padded",
    'padded of "conv"',
    "deep tiles",
    'tiles of "deep"',
    'products of "deep"',
    'partial sums of "deep"',
    'pixel means of "mean"',
    'padded of "conv"\'',
  ].map((name) => [`a tensor called ${name}`, beside(name), weights] as const),
  ["a tensor and a node that make the same key", [
    node("Conv", ["x", "w"], ["c"], same, "conv1"),
    node("Mul", ["c", "b bias"], ["m"], {}, "a"),
    node("Conv", ["m", "v", "b3"], ["y"], same, "a b"),
  ], [...weights, vector("b bias"), constant("b3", [16])]],
  ["a tensor and a node with quotes in their names", [
    node("Conv", ["x", "w"], ["c"], same, "conv1"),
    node("Mul", ["c", 'bias of "a'], ["m"], {}, "a"),
    node("Mul", ["m", "bias"], ["n"], {}, 'a" of "a'),
    node("Conv", ["n", "v", "b3"], ["y"], same, '"a'),
  ], [...weights, vector('bias of "a'), vector("bias"), constant("b3", [16])]],
  ["tensors named like folded weights", [
    node("Conv", ["x", "w"], ["conv.folded_weight"], same, "other"),
    node("Conv", ["conv.folded_weight", "v"], ["c"], same, "conv"),
    node("BatchNormalization", ["c", "g", "g", "g", "one"], ["d"], {}, "bn"),
    node("Relu", ["d"], ["bn.scale"]),
    node("Add", ["bn.scale", "conv.folded_weight"], ["e"]),
    node("BatchNormalization", ["e", "g", "g", "g", "one"], ["y"], {}, "bn2"),
  ], [
    ...weights,
    constant("g", [16]),
    floats("one", [16], new Array(16).fill(1)),
  ]],
  ["tensors named like what rewriting adds", [
    node("Conv", ["x", "w"], ["sum.sum"], same, "one"),
    node("Conv", ["sum.sum", "v"], ["sum.add"], same, "two"),
    node("Sum", ["sum.sum", "sum.add", "sum.sum"], ["s"], {}, "sum"),
    node("Transpose", ["s"], ["t"], { perm: [0, 2, 3, 1] }),
    node("Relu", ["t"], ["s.untransposed"]),
    node("Transpose", ["s.untransposed"], ["y"], { perm: [0, 3, 1, 2] }),
  ], weights],
];

for (const tile of ["direct", "shared"] as const) {
  gpuTest(`Network keeps names apart: tile ${tile}`, async (gpu, t) => {
    for (const [what, nodes, constants] of CASES) {
      await t.step(what, async () => {
        const network = await readOnnx(model(graph(nodes, constants, {
          inputs: [value("x", shape)],
        })));
        const x = randomFloats(3, size(shape));
        const expected = interpret(network, floatTensor(shape, x)).get("y")!;
        using loaded = new Network(gpu, network, { tile });
        using session = await loaded.session(shape);
        gpu.write(session.input, toNhwc(x, shape));
        session.program.run();
        const error = relativeError(
          await session.read("y"),
          elements(expected),
        );
        assert(error < 1e-5, `relative error ${error}`);
        const again = await readOnnx(writeOnnx(loaded.graph));
        const written = interpret(again, floatTensor(shape, x)).get("y")!;
        const drift = relativeError(elements(written), elements(expected));
        assert(drift < 1e-5, `relative error ${drift} once written`);
      });
    }
  });
}

gpuTest(
  "Network uploads a constant that follows from the image's size once for each size",
  async (gpu) => {
    const network = await readOnnx(model(graph(
      [
        node("Shape", ["x"], ["size"]),
        node("Cast", ["size"], ["numbers"], { to: 1 }),
        node("Slice", ["numbers", "three", "four"], ["width"]),
        node("Mul", ["x", "width"], ["y"]),
      ],
      [
        { name: "three", dims: [1], dataType: 7, int64Data: [3] },
        { name: "four", dims: [1], dataType: 7, int64Data: [4] },
      ],
    )));
    using loaded = new Network(gpu, network);
    for (const width of [4, 8, 4]) {
      const size = [1, 3, 2, width];
      using session = await loaded.session(size);
      gpu.write(
        session.input,
        toNhwc(new Float32Array(6 * width).fill(1), size),
      );
      session.program.run();
      assertEquals(new Set(await session.read("y")), new Set([width]));
    }
  },
);

gpuTest(
  "Network uploads weights that follow from the image's size once for each size",
  async (gpu) => {
    const whole = (name: string, values: readonly number[]): TensorMessage => ({
      name,
      dims: [values.length],
      dataType: 7,
      int64Data: [...values],
    });
    const network = await readOnnx(model(graph(
      [
        node("Shape", ["x"], ["size"]),
        node("Slice", ["size", "one", "two"], ["channels"]),
        node("Concat", ["channels", "rest"], ["target"], { axis: 0 }),
        node("Cast", ["size"], ["numbers"], { to: 1 }),
        node("Slice", ["numbers", "three", "four"], ["width"]),
        node("Reshape", ["width", "ones"], ["factor"]),
        node("Expand", ["factor", "target"], ["w"]),
        node("Conv", ["x", "w"], ["y"], { group: 3 }),
      ],
      [
        whole("one", [1]),
        whole("two", [2]),
        whole("three", [3]),
        whole("four", [4]),
        whole("rest", [1, 1, 1]),
        whole("ones", [1, 1, 1, 1]),
      ],
    )));
    using loaded = new Network(gpu, network);
    for (const width of [4, 8, 4]) {
      const size = [1, 3, 2, width];
      using session = await loaded.session(size);
      gpu.write(
        session.input,
        toNhwc(new Float32Array(6 * width).fill(1), size),
      );
      session.program.run();
      assertEquals(new Set(await session.read("y")), new Set([width]));
    }
  },
);
