/** A NaN in the image stays one in everything that depends on it. */
import { assert } from "@std/assert";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { Network, type NetworkOptions, toNhwc } from "../../src/nn/mod.ts";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { interpret } from "../reference/interpreter.ts";
import { floats as elements, size } from "../reference/operands.ts";
import { gpuTest, randomFloats } from "../testing.ts";
import { float, floats, graph, model, node, value } from "./model_builder.ts";
import { constant } from "./model_case.ts";

const shape = [1, 8, 12, 12];
const same = { pads: [1, 1, 1, 1], kernel_shape: [3, 3] };
const weights = [
  constant("w3", [8, 8, 3, 3]),
  constant("w1", [8, 8, 1, 1]),
  constant("wd", [8, 1, 3, 3]),
  constant("fc", [1152, 4]),
  floats("zero", [], [0]),
  floats("six", [], [6]),
  constant("slope", [8, 1, 1]),
];

type Chain = readonly (readonly [
  op: string,
  more?: readonly string[],
  attributes?: Parameters<typeof node>[3],
])[];

const CHAINS: readonly Chain[] = [
  [["Conv", ["w3"], same], ["Relu"]],
  [["Conv", ["w1"]], ["Clip", ["zero", "six"]]],
  [["Conv", ["wd"], { ...same, group: 8 }], ["Relu"]],
  [["Conv", ["w3"], { ...same, strides: [2, 2] }], ["LeakyRelu"]],
  [["Conv", ["w3"], same], ["Sigmoid"]],
  [["Conv", ["w3"], same], ["HardSigmoid", [], { alpha: float(0.2) }]],
  [["Conv", ["w3"], same], ["Relu"], ["Conv", ["w3"], same], ["Relu"]],
  [["Relu"], ["MaxPool", [], { kernel_shape: [3, 3], strides: [2, 2] }]],
  [["MaxPool", [], { kernel_shape: [2, 2] }], ["Relu"]],
  [["AveragePool", [], { kernel_shape: [2, 2] }], ["Relu"]],
  [["GlobalAveragePool"], ["Relu"]],
  [["ReduceMean", [], { axes: [1] }], ["Relu"]],
  [["PRelu", ["slope"]]],
  [["Flatten"], ["Gemm", ["fc"]], ["Relu"]],
  [["Pad", [], { pads: [0, 0, 1, 1, 0, 0, 1, 1] }], ["Relu"]],
  [["Softmax", [], { axis: 1 }]],
];

function chained(chain: Chain): NodeMessage[] {
  return chain.map(([op, more = [], attributes = {}], i) =>
    node(
      op,
      [i === 0 ? "x" : `t${i - 1}`, ...more],
      [i === chain.length - 1 ? "y" : `t${i}`],
      attributes,
    )
  );
}

const TILES: readonly NetworkOptions[] = [
  { tile: "direct" },
  { tile: "shared" },
  { tile: "subgroup8" },
  { tile: "plain" },
  { tile: "direct", precision: "f16" },
] as const;

for (const options of TILES) {
  const { tile, precision = "f32" } = options;
  gpuTest(`Network keeps a NaN: tile ${tile}, ${precision}`, async (gpu, t) => {
    if (tile === "subgroup8" && gpu.subgroupSize !== 8) return;
    for (const chain of CHAINS) {
      const what = chain.map(([op]) => op).join(", ");
      await t.step(what, async () => {
        const legacy = chain.some(([op]) => op === "Pad");
        const network = await readOnnx(
          model(
            graph(chained(chain), weights as TensorMessage[], {
              inputs: [value("x", shape)],
            }),
            { opset: legacy ? 7 : 13 },
          ),
        );
        for (const bits of [0x7fc00000, 0xffc00000]) {
          const x = randomFloats(3, size(shape));
          new Uint32Array(x.buffer)[12 * 12 + 5 * 12 + 6] = bits;
          const reference = interpret(network, floatTensor(shape, x));
          const expected = elements(reference.get("y")!);
          using loaded = new Network(gpu, network, options);
          using session = await loaded.session(shape);
          gpu.write(session.input, toNhwc(x, shape));
          session.program.run();
          const y = await session.read("y");
          assert(expected.some(Number.isNaN));
          const lost = expected.findIndex((v, i) =>
            Number.isNaN(v) && !Number.isNaN(y[i])
          );
          assert(lost < 0, `element ${lost} is ${y[lost]}`);
        }
      });
    }
  });
}
