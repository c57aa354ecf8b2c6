import { assert, assertEquals, assertThrows } from "@std/assert";
import { architecture } from "../../src/nn/architectures/catalogue.ts";
import { densenet } from "../../src/nn/architectures/densenet.ts";
import { resnet } from "../../src/nn/architectures/resnet.ts";
import { cutGraph } from "../../src/nn/cut.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import type { Graph } from "../../src/nn/graph.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import { findTaps, resolveTaps } from "../../src/nn/taps.ts";
import { sharedTest } from "../testing.ts";
import { anonymous, BACKBONES, randomGraph } from "./backbones.ts";
import { readModelFile } from "./model_files.ts";

const planes = [8, 8, 12, 16, 20] as const;
const small = [
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

for (const network of small) {
  Deno.test(`findTaps() finds the levels of ${network.name}, whatever its names`, () => {
    const graph = randomGraph(network);
    const taps = findTaps(graph);
    assertEquals(taps.map(({ tensor }) => tensor), network.levels);
    assertEquals(
      taps.map(({ name }) => name),
      ["layer1", "layer2", "layer3", "layer4"],
    );
    assertEquals(taps.map(({ stride }) => stride), [4, 8, 16, 32]);

    const { graph: unnamed, names } = anonymous(graph);
    assertEquals(
      findTaps(unnamed).map(({ tensor }) => tensor),
      network.levels.map((name) => names.get(name)!),
    );
    const optimized = optimizeGraph({
      ...graph,
      outputs: [...network.levels, ...graph.outputs],
    });
    assertEquals(
      findTaps(optimized).map(({ tensor }) => tensor),
      network.levels,
    );
  });
}

Deno.test("findTaps() finds torchvision's layers in every network of the catalogue", () => {
  for (const name of ["resnet18", "wide_resnet50_2", "densenet201"]) {
    const { nodes, levels } = architecture(name);
    const graph: Graph = {
      ...randomGraph(small[0]!),
      nodes,
      constants: new Map(),
    };
    assertEquals(findTaps(graph).map(({ tensor }) => tensor), levels);
  }
});

Deno.test("findTaps() leaves out levels that a cut network lacks", () => {
  const graph = randomGraph(small[0]!);
  const cut = cutGraph(graph, ["layer2"]);
  assertEquals(findTaps(cut).map(({ name }) => name), ["layer1", "layer2"]);
});

sharedTest(
  "findTaps() finds the levels of real exports",
  async (_t, shared) => {
    const models = shared("data", "models");
    const resnet18 = findTaps(await readModelFile(`${models}/resnet18.onnx`));
    assertEquals(
      resnet18.map(({ tensor }) => tensor),
      ["layer1", "layer2", "layer3"],
    );
    const squeezenet = await readModelFile(`${models}/squeezenet1.1.onnx`);
    assertEquals(
      findTaps(squeezenet).map(({ tensor }) => tensor),
      ["fire3", "fire5", "fire9"],
    );
  },
);

Deno.test("resolveTaps() takes levels, tensors, operators and modules", () => {
  const graph = randomGraph(small[2]!);
  const names = [
    "layer2",
    "features.denseblock2",
    "features.denseblock2.concat",
    "features.denseblock1.denselayer2",
    "features.transition2",
  ];
  const taps = resolveTaps(graph, names);
  assertEquals(taps.map(({ name }) => name), names);
  assertEquals(taps.map(({ tensor }) => tensor), [
    "features.denseblock2",
    "features.denseblock2",
    "features.denseblock2",
    "features.denseblock1.denselayer2.conv2.out",
    "features.transition2.pool.out",
  ]);
  assertEquals(taps.map(({ stride }) => stride), [8, 8, 8, 4, 16]);
});

Deno.test("resolveTaps() reads the module paths of TorchScript exports", () => {
  const graph = randomGraph(small[0]!);
  const nodes = graph.nodes.map((node) => {
    const [stage, block, ...rest] = node.name.split(".");
    if (rest.length === 0) return node;
    const name = `/${stage}/${stage}.${block}/${rest.join("/")}/${node.op}`;
    return { ...node, name };
  });
  const [tap] = resolveTaps({ ...graph, nodes }, ["layer1.0"]);
  assertEquals(tap!.tensor, "layer1.0");
});

Deno.test("resolveTaps() lists what exists when a name is unknown", () => {
  const graph = randomGraph(small[0]!);
  const error = assertThrows(
    () => resolveTaps(graph, ["layer2", "Layer3.0.conv"]),
    OnnxError,
  );
  assertEquals(error.kind, "unknown_tap");
  for (const part of ["layer1, layer2", "layer4", '"layer3.0.conv1"']) {
    assert(error.message.includes(part), error.message);
  }
});

Deno.test("resolveTaps() refuses vectors", () => {
  const graph = randomGraph(small[0]!);
  const error = assertThrows(() => resolveTaps(graph, ["logits"]), OnnxError);
  assert(error.message.includes("global pooling"), error.message);
});

Deno.test("cutGraph() drops everything past the deepest tap", () => {
  const graph = randomGraph(small[0]!);
  const cut = cutGraph(graph, ["layer3", "layer1"]);
  assertEquals(cut.outputs, ["layer3", "layer1"]);
  assertEquals(cut.nodes.at(-1)!.outputs, ["layer3"]);
  for (const name of cut.constants.keys()) {
    assert(!name.startsWith("layer4") && !name.startsWith("fc"), name);
  }
  assert(cut.constants.has("layer3.0.conv1.weight"));
});

Deno.test("cutGraph() minds unsupported operators only before the deepest tap", () => {
  const graph = randomGraph(small[0]!);
  const nodes = graph.nodes.map((node) =>
    node.name === "layer3.0.relu1" ? { ...node, op: "Erf" } : node
  );
  const strange = { ...graph, nodes };
  assertEquals(cutGraph(strange, ["layer2"]).outputs, ["layer2"]);
  const error = assertThrows(() => cutGraph(strange, ["layer3"]), OnnxError);
  assertEquals(error.kind, "unsupported_operator");
  assertEquals([error.node, error.op], ["layer3.0.relu1", "Erf"]);
  assert(error.message.includes("tap a layer before it"), error.message);
});

Deno.test("cutGraph() refuses what is not computed", () => {
  const graph = randomGraph(small[0]!);
  for (const names of [[], ["input"], ["conv1.weight"], ["layer9"]]) {
    assertThrows(() => cutGraph(graph, names), OnnxError, "Cannot cut");
  }
});
