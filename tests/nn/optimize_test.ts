import { assert, assertEquals } from "@std/assert";
import { densenet } from "../../src/nn/architectures/densenet.ts";
import { resnet } from "../../src/nn/architectures/resnet.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import type { Graph } from "../../src/nn/graph.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { sortNodes } from "../../src/nn/topology.ts";
import { interpret } from "../reference/interpreter.ts";
import { randomFloats, relativeError } from "../testing.ts";
import { BACKBONES, randomGraph } from "./backbones.ts";

const planes = [8, 8, 12, 16, 20] as const;
const NETWORKS = [
  resnet({ name: "basic", block: "basic", blocks: [2, 1, 2, 1], planes }),
  resnet({
    name: "bottleneck",
    block: "bottleneck",
    blocks: [1, 2, 1, 1],
    planes,
    groups: 4,
    widthPerGroup: 16,
  }),
  densenet({ name: "dense", blocks: [2, 3, 2, 1], growth: 4 }),
  ...BACKBONES,
];

/** Statistics as training leaves them: different in every channel. */
function withStatistics(network: Graph): Graph {
  const constants = new Map(network.constants);
  let seed = 100;
  for (const node of network.nodes) {
    if (node.op !== "BatchNormalization") continue;
    node.inputs.slice(1).forEach((name, i) => {
      const { shape } = constants.get(name)!;
      const noise = randomFloats(seed++, shape[0]!);
      const positive = i === 0 || i === 3;
      const values = noise.map((v) => positive ? 1 + v / 2 : v / 4);
      constants.set(name, floatTensor(shape, values));
    });
  }
  return { ...network, constants };
}

for (const network of NETWORKS) {
  Deno.test(`optimizeGraph() keeps what ${network.name} computes`, () => {
    const plain = withStatistics({
      ...randomGraph(network),
      outputs: [...network.levels, "logits"],
    });
    const optimized = optimizeGraph(plain);
    for (const { op } of optimized.nodes) {
      assert(!["Relu", "Clip", "HardSwish"].includes(op), `${op} remains`);
    }
    assertEquals(optimized.outputs, plain.outputs);
    assertEquals(sortNodes(optimized.nodes), optimized.nodes);
    const image = floatTensor([2, 3, 64, 96], randomFloats(5, 2 * 3 * 64 * 96));
    const expected = interpret(plain, image);
    const actual = interpret(optimized, image);
    for (const name of plain.outputs) {
      const error = relativeError(
        actual.get(name)!.data as Float32Array,
        expected.get(name)!.data as Float32Array,
      );
      assert(error < 3e-6, `${name}: relative error ${error}`);
    }
    const again = optimizeGraph(optimized);
    assertEquals(again.nodes, optimized.nodes);
  });
}
