import { assert, assertEquals, assertThrows } from "@std/assert";
import { architecture } from "../../src/nn/architectures/catalogue.ts";
import { densenet } from "../../src/nn/architectures/densenet.ts";
import { resnet } from "../../src/nn/architectures/resnet.ts";
import { cutGraph } from "../../src/nn/cut.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import type { Graph } from "../../src/nn/graph.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import type { NodeMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { findTaps, levelsProblem, resolveTaps } from "../../src/nn/taps.ts";
import { sharedTest } from "../testing.ts";
import { anonymous, BACKBONES, randomGraph } from "./backbones.ts";
import { graph, integers, model, node, value } from "./model_builder.ts";
import { constant } from "./model_case.ts";
import { readModelFile } from "./model_files.ts";
import { type Middle, trunkNodes, trunkWeights } from "./small_trunk.ts";

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

const squeeze = (pooled: readonly NodeMessage[]): Middle => ({
  nodes: [
    ...pooled,
    node("Conv", ["squeezed", "gate"], ["excited"]),
    node("Sigmoid", ["excited"], ["weight"]),
    node("Mul", ["level1", "weight"], ["mid"]),
  ],
  constants: [constant("gate", [8, 8, 1, 1])],
  output: "mid",
});
const shapeOf = (axes: readonly string[]): NodeMessage =>
  node("Concat", axes, ["target"], { axis: 0 });

/** Blocks at stride 4 that once lost the levels after them. */
const BLOCKS:
  readonly (readonly [what: string, middle: Middle, tap: string])[] = [
    [
      "a squeeze by GlobalAveragePool",
      squeeze([node("GlobalAveragePool", ["level1"], ["squeezed"])]),
      "mid",
    ],
    [
      "a squeeze by a pooling as large as the map",
      squeeze([
        node("Pad", ["level1", "nothing"], ["padded"]),
        node("AveragePool", ["padded"], ["squeezed"], {
          kernel_shape: [16, 16],
          strides: [16, 16],
        }),
      ]),
      "mid",
    ],
    [
      "a squeeze by ReduceMean and Reshape",
      squeeze([
        node("ReduceMean", ["level1"], ["means"], {
          axes: [2, 3],
          keepdims: 0,
        }),
        node("Reshape", ["means", "column"], ["squeezed"]),
      ]),
      "mid",
    ],
    [
      "a squeeze by two means",
      squeeze([
        node("ReduceMean", ["level1"], ["rows"], { axes: [3] }),
        node("ReduceMean", ["rows"], ["squeezed"], { axes: [2] }),
      ]),
      "mid",
    ],
    ["attention by a mean of channels", {
      nodes: [
        node("ReduceMean", ["level1"], ["mean"], { axes: [1] }),
        node("Sigmoid", ["mean"], ["weight"]),
        node("Mul", ["weight", "level1"], ["mid"]),
      ],
      output: "mid",
    }, "mid"],
    ["a GroupNorm as exporters write it", {
      nodes: [
        node("Reshape", ["level1", "groups"], ["flat"]),
        node("InstanceNormalization", ["flat", "ones", "zeros"], ["normed"]),
        node("Shape", ["level1"], ["shape"]),
        node("Reshape", ["normed", "shape"], ["back"]),
        node("Mul", ["back", "scale"], ["mid"]),
      ],
      output: "mid",
    }, "mid"],
    ["a GroupNorm whose shape is put together", {
      nodes: [
        node("Shape", ["level1"], ["shape"]),
        ...[0, 1, 2, 3].flatMap((axis) => [
          node("Gather", ["shape", `at ${axis}`], [`extent ${axis}`], {
            axis: 0,
          }),
        ]),
        shapeOf(["extent 0", "extent 1", "extent 2", "extent 3"]),
        node("Reshape", ["level1", "groups"], ["flat"]),
        node("InstanceNormalization", ["flat", "ones", "zeros"], ["normed"]),
        node("Reshape", ["normed", "target"], ["mid"]),
      ],
      constants: [0, 1, 2, 3].map((axis) => integers(`at ${axis}`, [axis])),
      output: "mid",
    }, "mid"],
    ["a LayerNormalization with channels last", {
      nodes: [
        node("Transpose", ["level1"], ["last"], { perm: [0, 2, 3, 1] }),
        node("LayerNormalization", ["last", "scale1"], ["normed"]),
        node("Transpose", ["normed"], ["mid"], { perm: [0, 3, 1, 2] }),
      ],
      output: "mid",
    }, "mid"],
    ["a table of positions", {
      nodes: [node("Add", ["level1", "positions"], ["mid"])],
      constants: [constant("positions", [1, 8, 16, 16])],
      output: "mid",
    }, "mid"],
  ];

for (const [what, middle, tap] of BLOCKS) {
  Deno.test(`findTaps() keeps the levels behind ${what}`, async () => {
    const network = await readOnnx(model(
      graph(trunkNodes("x", middle), [
        ...trunkWeights(middle),
        integers("nothing", [0, 0, 0, 0, 0, 0, 0, 0]),
        integers("column", [0, 0, 1, 1]),
        integers("groups", [0, 2, -1]),
        constant("ones", [2]),
        constant("zeros", [2]),
        constant("scale", [8, 1, 1]),
        constant("scale1", [8]),
      ], {
        inputs: [value("x", [1, 3, 64, 64])],
        outputs: [value("logits", undefined)],
      }),
      { opset: 17 },
    ));
    assertEquals(
      findTaps(network).map(({ name, stride, tensor }) => [
        name,
        stride,
        tensor,
      ]),
      [["layer1", 4, tap], ["layer2", 8, "level2"], ["layer3", 16, "level3"]],
    );
  });
}

/** Patches of 8 × 8, one block of attention. */
function transformer(embed: readonly NodeMessage[]): Uint8Array {
  return model(graph([
    ...embed,
    node("Reshape", ["patches", "flat"], ["columns"]),
    node("Transpose", ["columns"], ["tokens"], { perm: [0, 2, 1] }),
    node("MatMul", ["tokens", "q"], ["queries"]),
    node("MatMul", ["tokens", "k"], ["keys"]),
    node("Transpose", ["keys"], ["turned"], { perm: [0, 2, 1] }),
    node("MatMul", ["queries", "turned"], ["products"]),
    node("Div", ["products", "root"], ["scaled"]),
    node("Softmax", ["scaled"], ["attention"], { axis: -1 }),
    node("MatMul", ["attention", "tokens"], ["y"]),
  ], [
    constant("embedding", [8, 3, 8, 8]),
    integers("flat", [0, 8, -1]),
    constant("q", [8, 8]),
    constant("k", [8, 8]),
    constant("root", [], 1),
    constant("w0", [8, 3, 3, 3]),
    constant("w1", [8, 8, 3, 3]),
  ]));
}

Deno.test("findTaps() takes no level of a transformer that is not understood, and its errors say so", async () => {
  const bytes = transformer([
    node("Conv", ["x", "embedding"], ["patches"], {
      kernel_shape: [8, 8],
      strides: [8, 8],
    }),
  ]);
  const network = await readOnnx(bytes);
  assertEquals(findTaps(network), []);
  assert(levelsProblem(network)?.includes("is a transformer"));
  assertThrows(
    () => resolveTaps(network, ["layer2"]),
    OnnxError,
    "the network is a transformer",
  );
  assertEquals(resolveTaps(network, ["patches"])[0]?.stride, 8);
});

Deno.test("findTaps() finds the levels of convolutions that end in attention", async () => {
  const halving = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  const network = await readOnnx(transformer([
    node("Conv", ["x", "w0"], ["half"], halving),
    node("Conv", ["half", "w1"], ["patches"], halving),
  ]));
  assertEquals(findTaps(network).map(({ name }) => name), ["layer1"]);
  assertEquals(levelsProblem(network), undefined);
});

sharedTest(
  "resolveTaps() takes a transformer's blocks, and refuses levels with the names to use",
  async (_t, shared) => {
    const folder = shared("golden", "vit");
    const network = await readOnnx(
      await Deno.readFile(`${folder}/dinov2.op14.onnx`),
    );
    const names = ["blocks.0", "blocks.last", "blocks.2.raw"];
    assertEquals(
      resolveTaps(network, names).map(({ name, tensor, stride }) => [
        name,
        tensor,
        stride,
      ]),
      [
        ["blocks.0", "blocks.0", 14],
        ["blocks.last", "blocks.2", 14],
        ["blocks.2.raw", "blocks.2.raw", 14],
      ],
    );
    for (
      const name of ["layer3", "blocks.3", "blocks.-1", "last_hidden_state"]
    ) {
      assertThrows(
        () => resolveTaps(network, [name]),
        OnnxError,
        `Cannot tap "${name}": the network is a transformer, whose features are those of its blocks; there are blocks.0 to blocks.2, and with .raw behind the name (--tap-norm off) those before the final normalisation`,
      );
    }
  },
);
