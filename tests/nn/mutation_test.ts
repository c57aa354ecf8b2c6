/** A network with anything exchanged in it is planned, or refused by name. */
import { assert } from "@std/assert";
import { cutGraph } from "../../src/nn/cut.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import { imageLevels } from "../../src/nn/image_normalization.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import type { GraphMessage, NodeMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { planNetwork } from "../../src/nn/plan.ts";
import { findTaps } from "../../src/nn/taps.ts";
import { floats, graph, integers, model, node } from "./model_builder.ts";
import { type Middle, trunkNodes, trunkWeights } from "./small_trunk.ts";

const middle: Middle = {
  nodes: [
    node("Split", ["level1"], ["left", "right"], { axis: 1 }),
    node("Concat", ["right", "left"], ["turned"], { axis: 1 }),
    node("ReduceMean", ["turned"], ["mean"], { axes: [1] }),
    node("Clip", ["mean", "", "one"], ["gate"]),
    node("Mul", ["turned", "gate"], ["gated"]),
    node("Shape", ["gated"], ["shape"]),
    node("Slice", ["shape", "zero", "two"], ["start"]),
    node("Slice", ["shape", "two", "four"], ["end"]),
    node("Concat", ["start", "end"], ["target"], { axis: 0 }),
    node("Reshape", ["gated", "target"], ["same"]),
    node("PRelu", ["same", "slope"], ["mid"]),
  ],
  constants: [
    floats("one", [], [1]),
    floats("slope", [8, 1, 1], new Float32Array(8)),
    integers("zero", [0]),
    integers("two", [2]),
    integers("four", [4]),
  ],
  output: "mid",
};

const OPERATORS = [
  ...["Add", "BatchNormalization", "Cast", "Clip", "Concat", "Constant"],
  ...["ConstantOfShape", "Conv", "DequantizeLinear", "Dropout", "Equal"],
  ...["Expand", "Flatten", "Gather", "Gemm", "Identity", "If", "MatMul"],
  ...["Max", "MaxPool", "Pad", "Pow", "QuantizeLinear", "Range", "ReduceMean"],
  ...["Relu", "Reshape", "Shape", "Slice", "Softmax", "Split", "Sqrt"],
  ...["Squeeze", "Sum", "Transpose", "Unsqueeze", "Where", "None"],
];
const NAMES = ["axis", "axes", "pads", "perm", "strides", "group", "to"];
const NUMBERS = [0, 1, 2, 3, 7, -1, -5, 1e9];

/** Numbers from 0 to 1, the same at every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function mutate(content: GraphMessage, next: () => number): void {
  const int = (count: number): number => Math.floor(next() * count);
  const pick = <T>(list: readonly T[]): T => list[int(list.length)]!;
  const nodes = content.node as Required<NodeMessage>[];
  const { input, output, attribute } = pick(nodes);
  const tensors = [
    "",
    ...nodes.flatMap((other) => other.output ?? []),
    ...content.initializer!.map(({ name }) => name!),
  ];
  switch (int(7)) {
    case 0:
      pick(nodes).opType = pick(OPERATORS);
      break;
    case 1:
      input![int(input!.length + 1)] = pick(tensors);
      break;
    case 2:
      input!.pop();
      break;
    case 3:
      attribute!.push({ name: pick(NAMES), type: 2, i: pick(NUMBERS) });
      break;
    case 4:
      attribute!.push({
        name: pick(NAMES),
        type: 7,
        ints: Array.from({ length: int(5) }, () => pick(NUMBERS)),
      });
      break;
    case 5: {
      const { dims } = pick(content.initializer!);
      if (dims!.length > 0) dims![int(dims!.length)] = pick(NUMBERS);
      break;
    }
    case 6:
      output!.push(pick(tensors));
      break;
  }
}

Deno.test("planNetwork() plans a network, or refuses it by name, whatever is exchanged in it", async () => {
  const sound = graph(trunkNodes("x", middle), trunkWeights(middle), {
    outputs: [{ name: "logits" }],
  });
  let planned = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const next = random(seed * 7919 + 1);
    const content = structuredClone(sound);
    for (let i = 0; i <= seed % 3; i++) mutate(content, next);
    try {
      const network = await readOnnx(model(content));
      const taps = findTaps(network).map(({ tensor }) => tensor);
      const outputs = taps.length > 0 ? taps : network.outputs;
      imageLevels(network);
      const target = { tile: "direct", precision: "f32" } as const;
      const optimized = optimizeGraph(cutGraph(network, outputs));
      planNetwork(optimized, [1, 3, 64, 64], target);
      planned++;
    } catch (error) {
      assert(error instanceof OnnxError, `seed ${seed}: ${error}`);
      assert(
        !error.message.includes("makes no sense"),
        `seed ${seed}: ${error}`,
      );
    }
  }
  assert(planned > 300 && planned < 2500, `${planned} planned`);
});
