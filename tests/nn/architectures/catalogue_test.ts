import { assert, assertEquals, assertThrows } from "@std/assert";
import { buildGraph } from "../../../src/nn/architectures/architecture.ts";
import {
  architecture,
  ARCHITECTURES,
} from "../../../src/nn/architectures/catalogue.ts";
import { randomWeights } from "../../../src/nn/architectures/random_weights.ts";
import { resnet } from "../../../src/nn/architectures/resnet.ts";
import { graphCost } from "../../../src/nn/cost.ts";
import { cutGraph } from "../../../src/nn/cut.ts";
import type { Graph } from "../../../src/nn/graph.ts";
import { elementCount, floatTensor } from "../../../src/nn/host_tensor.ts";
import { OnnxError } from "../../../src/nn/onnx/errors.ts";

/** Learned parameters, as torchvision documents them. */
const PARAMETERS: Readonly<Record<string, number>> = {
  resnet18: 11_689_512,
  resnet34: 21_797_672,
  resnet50: 25_557_032,
  resnet101: 44_549_160,
  resnet152: 60_192_808,
  wide_resnet50_2: 68_883_240,
  wide_resnet101_2: 126_886_696,
  resnext50_32x4d: 25_028_904,
  resnext101_32x8d: 88_791_336,
  densenet121: 7_978_856,
  densenet161: 28_681_000,
  densenet169: 14_149_480,
  densenet201: 20_013_928,
};

/**
 * Weights of transformers without their heads: what each publication's code
 * makes (DINOv2's without the mask token, the positions of class tokens added
 * to them).
 */
const TRANSFORMERS: Readonly<Record<string, number>> = Object.fromEntries(
  ([
    ["dinov2_vits14", 384, 12, 14, 1369, 0],
    ["dinov2_vitb14", 768, 12, 14, 1369, 0],
    ["dinov2_vitl14", 1024, 24, 14, 1369, 0],
    ["dinov2_vits14_reg4", 384, 12, 14, 1369, 4],
    ["dinov2_vitb14_reg4", 768, 12, 14, 1369, 4],
    ["dinov2_vitl14_reg4", 1024, 24, 14, 1369, 4],
    ["dinov3_vits16", 384, 12, 16, 0, 4],
    ["dinov3_vitb16", 768, 12, 16, 0, 4],
    ["dinov3_vitl16", 1024, 24, 16, 0, 4],
    ["dino_vits16", 384, 12, 16, 196, 0],
    ["dino_vits8", 384, 12, 8, 784, 0],
    ["dino_vitb16", 768, 12, 16, 196, 0],
    ["dino_vitb8", 768, 12, 8, 784, 0],
    ["deit_tiny", 192, 12, 16, 196, 0],
    ["deit_small", 384, 12, 16, 196, 0],
    ["deit_base", 768, 12, 16, 196, 0],
    ["deit_tiny_distilled", 192, 12, 16, 196, 1],
    ["deit_small_distilled", 384, 12, 16, 196, 1],
    ["deit_base_distilled", 768, 12, 16, 196, 1],
    ["vit_b_16", 768, 12, 16, 196, 0],
    ["vit_l_16", 1024, 24, 16, 196, 0],
  ] as const).map(([name, dim, depth, patch, positions, tokens]) => {
    const scales = name.startsWith("dinov") ? 2 * dim : 0;
    const block = 12 * dim * dim + 13 * dim + scales;
    const outside = 3 * patch * patch * dim + dim + 2 * dim;
    return [
      name,
      depth * block + outside + (1 + tokens + positions) * dim,
    ];
  }),
);
const GATED: Readonly<Record<string, number>> = {
  // Meta's lists: 29 M and 1,136 M parameters.
  dinov2_vitg14: 1_136_477_696,
  dinov2_vitg14_reg4: 1_136_483_840,
  dinov3_vits16plus: 28_697_088,
};

Deno.test("architecture() has the parameters that publications document", () => {
  const all = { ...PARAMETERS, ...TRANSFORMERS, ...GATED };
  assertEquals(ARCHITECTURES.toSorted(), Object.keys(all).sort());
  for (const name of ARCHITECTURES) {
    const learned = architecture(name).parameters
      .filter(({ role }) => role !== "bn_mean" && role !== "bn_var")
      .reduce((sum, { shape }) => sum + elementCount(shape), 0);
    assertEquals([name, learned], [name, all[name]]);
  }
});

Deno.test("architecture() names parameters as torchvision does", () => {
  const names = (name: string): string[] =>
    architecture(name).parameters.map((parameter) => parameter.name);
  const wide = names("wide_resnet50_2");
  for (
    const name of [
      "conv1.weight",
      "bn1.running_var",
      "layer1.0.downsample.0.weight",
      "layer1.0.downsample.1.running_mean",
      "layer3.5.conv3.weight",
      "layer4.2.bn3.bias",
      "fc.bias",
    ]
  ) assert(wide.includes(name), name);
  assertEquals(new Set(wide).size, wide.length);
  const dense = names("densenet201");
  for (
    const name of [
      "features.conv0.weight",
      "features.norm0.weight",
      "features.denseblock3.denselayer48.conv2.weight",
      "features.denseblock1.denselayer1.norm1.running_mean",
      "features.transition3.conv.weight",
      "features.norm5.bias",
      "classifier.weight",
    ]
  ) assert(dense.includes(name), name);
});

Deno.test("architecture() names what there is when a name is unknown", () => {
  assertThrows(
    () => architecture("resnet19"),
    RangeError,
    "resnet18, resnet34",
  );
  assertThrows(() => architecture("constructor"), RangeError, "Cannot build");
});

Deno.test("graphCost() counts what wide_resnet50_2 is known to cost", () => {
  const network = architecture("wide_resnet50_2");
  const zeros = new Map(network.parameters.map(({ name, shape }) => [
    name,
    floatTensor(shape, new Float32Array(elementCount(shape))),
  ]));
  const graph = buildGraph(network, zeros);
  const whole = graphCost(graph, [1, 3, 224, 224]);
  assertEquals(Math.round(whole.macs / 1e7), 1140);
  const cut = graphCost(cutGraph(graph, ["layer3"]), [1, 3, 224, 224]);
  assertEquals(Math.round(cut.macs / 1e7), 919);
  assertEquals(Math.round(cut.parameters / 1e5), 249);
  assertEquals(
    cut.macs,
    cut.nodes.reduce((sum, { macs }) => sum + macs, 0),
  );
  const twice = graphCost(cutGraph(graph, ["layer3"]), [2, 3, 224, 224]);
  assertEquals(twice.macs, 2 * cut.macs);
});

/** Start of conv1.weight for seed 7, worked out from the definition in another language. */
const FIRST_VALUES: readonly number[] = [
  0.24219246208667755,
  0.06297115236520767,
  0.18632394075393677,
];

const small = resnet({
  name: "small",
  block: "basic",
  blocks: [1, 1, 1, 1],
  planes: [8, 8, 12, 16, 20],
  classes: 7,
});

function weightsOf(seed: number): Graph["constants"] {
  return randomWeights(small, seed).weights;
}

Deno.test("randomWeights() is the same for the same seed only", () => {
  assertEquals(weightsOf(7), weightsOf(7));
  const [a, b] = [weightsOf(7), weightsOf(8)];
  assert(a.get("conv1.weight")!.data[0] !== b.get("conv1.weight")!.data[0]);
  const data = a.get("conv1.weight")!.data as Float32Array;
  assertEquals(Array.from(data.slice(0, 3)), FIRST_VALUES);
  assertEquals(randomWeights(small, 7).metadata.get("random"), "7");
  for (const seed of [-1, 0.5, 2 ** 32]) {
    assertThrows(() => randomWeights(small, seed), RangeError, "seed");
  }
});

Deno.test("randomWeights() draws weights of the right spread", () => {
  const weights = randomWeights(architecture("resnet18"), 1).weights;
  const data = weights.get("layer3.0.conv2.weight")!.data as Float32Array;
  const mean = data.reduce((sum, v) => sum + v, 0) / data.length;
  const square = data.reduce((sum, v) => sum + v * v, 0) / data.length;
  const expected = 2 / (256 * 9);
  assert(Math.abs(mean) < 4 * Math.sqrt(expected / data.length), `${mean}`);
  assert(Math.abs(square / expected - 1) < 0.01, `${square / expected}`);
  const bias = weights.get("fc.bias")!.data as Float32Array;
  const bound = 1 / Math.sqrt(512);
  assert(bias.every((v) => Math.abs(v) <= bound));
  assert(bias.some((v) => Math.abs(v) > 0.9 * bound));
});

Deno.test("buildGraph() names what is missing or has the wrong shape", () => {
  const weights = new Map(weightsOf(1));
  weights.delete("layer2.0.bn1.weight");
  assertThrows(
    () => buildGraph(small, weights),
    OnnxError,
    'parameter "layer2.0.bn1.weight" is missing',
  );
  weights.set("layer2.0.bn1.weight", floatTensor([3], [1, 2, 3]));
  assertThrows(
    () => buildGraph(small, weights),
    OnnxError,
    "has shape [3], expected [12]",
  );
});
