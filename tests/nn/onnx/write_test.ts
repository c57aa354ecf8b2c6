import { assert, assertEquals, assertThrows } from "@std/assert";
import { densenet } from "../../../src/nn/architectures/densenet.ts";
import { resnet } from "../../../src/nn/architectures/resnet.ts";
import { cutGraph } from "../../../src/nn/cut.ts";
import { optimizeGraph } from "../../../src/nn/fusion.ts";
import type { Activation, Graph, GraphNode } from "../../../src/nn/graph.ts";
import { floatTensor } from "../../../src/nn/host_tensor.ts";
import { OnnxError } from "../../../src/nn/onnx/errors.ts";
import { readOnnx } from "../../../src/nn/onnx/read.ts";
import { writeOnnx } from "../../../src/nn/onnx/write.ts";
import { interpret } from "../../reference/interpreter.ts";
import { assertAllClose, randomFloats, relativeError } from "../../testing.ts";
import { BACKBONES, randomGraph } from "../backbones.ts";

const planes = [8, 8, 12, 16, 20] as const;
const NETWORKS = [
  resnet({
    name: "basic",
    block: "basic",
    blocks: [1, 1, 1, 1],
    planes,
    classes: 10,
  }),
  densenet({ name: "dense", blocks: [2, 2, 1, 1], growth: 4, classes: 10 }),
  ...BACKBONES,
];
const image = floatTensor([1, 3, 64, 64], randomFloats(3, 3 * 64 * 64));

function results(graph: Graph): Float32Array[] {
  const tensors = interpret(graph, image);
  return graph.outputs.map((name) => tensors.get(name)!.data as Float32Array);
}

/** A node without its floats, which a file rounds to float32. */
function structure({ attributes, ...node }: GraphNode): unknown {
  const exact = Object.entries(attributes)
    .filter(([, value]) => typeof value !== "number" || value % 1 === 0);
  return { ...node, attributes: Object.fromEntries(exact) };
}

for (const network of NETWORKS) {
  Deno.test(`writeOnnx() and readOnnx() give ${network.name} back`, async () => {
    const graph = randomGraph(network);
    const bytes = writeOnnx(graph);
    assertEquals(writeOnnx(graph), bytes);
    const back = await readOnnx(bytes);
    assertEquals(back.constants, graph.constants);
    assertEquals(back.nodes.map(structure), graph.nodes.map(structure));
    assertEquals(back.inputs, graph.inputs);
    assertEquals(results(back)[0]!.length, 10);
    assertAllClose(results(back)[0]!, results(graph)[0]!);
    assertEquals(writeOnnx(back), bytes);

    const optimized = optimizeGraph(
      cutGraph(graph, network.levels.slice(0, 3)),
    );
    const again = await readOnnx(writeOnnx(optimized));
    assertEquals(results(again), results(optimized));
  });
}

Deno.test("writeOnnx() takes every fused activation apart", async () => {
  const graph = randomGraph(NETWORKS[0]!);
  const activations: readonly Activation[] = [
    { kind: "relu" },
    { kind: "clip", min: -0.5, max: 0.5 },
    { kind: "clip", min: -Infinity, max: 0.25 },
    { kind: "leaky_relu", alpha: 0.25 },
    { kind: "sigmoid" },
    { kind: "hard_swish" },
    { kind: "hard_sigmoid", alpha: 0.5, beta: 0.25 },
  ];
  const [conv] = graph.nodes;
  for (const opset of [9, 11, 14]) {
    for (const activation of activations) {
      const fused: Graph = {
        ...graph,
        opset,
        nodes: [{ ...conv!, activation }],
        outputs: conv!.outputs,
      };
      const back = await readOnnx(writeOnnx(fused));
      assert(back.nodes.every((node) => node.activation === undefined));
      const newest = opset === 14;
      const old = activation.kind === "hard_swish" && !newest;
      assertEquals(back.nodes.length, old ? 3 : 2);
      const clip = back.nodes.find(({ op }) => op === "Clip");
      if (clip) assertEquals(clip.inputs.length, opset < 11 ? 1 : 3);
      assertAllClose(results(back)[0]!, results(fused)[0]!);
    }
  }
});

Deno.test("writeOnnx() writes HardSwish for operator sets without it", async () => {
  const graph = randomGraph(NETWORKS[0]!);
  const nodes = graph.nodes.map((node) =>
    node.op === "Relu" ? { ...node, op: "HardSwish" } : node
  );
  const old = { ...graph, nodes, opset: 12 };
  const back = await readOnnx(writeOnnx(old));
  assert(!back.nodes.some(({ op }) => op === "HardSwish"));
  assertAllClose(results(back)[0]!, results(old)[0]!);
});

Deno.test("writeOnnx() stores weights in f16", async () => {
  const network = NETWORKS[0]!;
  const graph = randomGraph(network);
  const full = writeOnnx(graph);
  const half = writeOnnx(graph, { precision: "f16" });
  assert(half.length < full.length * 0.75, `${half.length} of ${full.length}`);
  const back = optimizeGraph(await readOnnx(half));
  assert(!back.nodes.some(({ op }) => op === "Cast"));
  const error = relativeError(results(back)[0]!, results(graph)[0]!);
  assert(error > 0 && error < 2e-3, `relative error ${error}`);
  const name = "conv1.weight.f16";
  assertAllClose(
    back.constants.get("conv1.folded_weight")!.data as Float32Array,
    graph.constants.get("conv1.weight")!.data as Float32Array,
    { rtol: 6e-4, atol: 1e-5, what: name },
  );
});

Deno.test("writeOnnx() refuses weights that f16 cannot hold", () => {
  const graph = randomGraph(NETWORKS[0]!);
  const constants = new Map(graph.constants);
  const { shape, data } = constants.get("conv1.weight")!;
  const values = Float32Array.from(data as Float32Array);
  values[7] = 70000;
  constants.set("conv1.weight", floatTensor(shape, values));
  assertThrows(
    () => writeOnnx({ ...graph, constants }, { precision: "f16" }),
    OnnxError,
    "70000",
  );
});

Deno.test("writeOnnx() refuses more than a file can have", () => {
  const weights = floatTensor([2 ** 26], new Float32Array(2 ** 26));
  const graph: Graph = {
    name: "large",
    inputs: [],
    outputs: [],
    nodes: [],
    constants: new Map(
      Array.from({ length: 9 }, (_, i) => [`weights${i}`, weights]),
    ),
    opset: 17,
    metadata: new Map(),
    producer: "",
  };
  const error = assertThrows(() => writeOnnx(graph), OnnxError);
  assertEquals(error.kind, "too_large");
});
