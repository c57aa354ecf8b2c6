/**
 * A network and images so small that fit and predict take a moment, for tests
 * of what is built around them.
 *
 * @module
 */
import { PatchCore } from "../src/core/mod.ts";
import type { BackboneFile, NamedImage } from "../src/core/mod.ts";
import type { SettingsOptions } from "../src/core/settings/settings.ts";
import { demoSet } from "../src/core/demo/demo_set.ts";
import { FLANGE } from "../src/core/demo/flange.ts";
import type { Gpu } from "../src/gpu/mod.ts";
import {
  type Architecture,
  ArchitectureBuilder,
  buildGraph,
} from "../src/nn/architectures/architecture.ts";
import { randomWeights } from "../src/nn/architectures/random_weights.ts";
import { writeOnnx } from "../src/nn/onnx/write.ts";

/** Settings that go with {@linkcode tinyBackbone}. */
export const TINY_SETTINGS: SettingsOptions = {
  resize: 64,
  square: true,
  crop: null,
  layers: ["layer1", "layer2"],
  layerDim: "channels",
  dim: "concat",
  coreset: 0.25,
};

/** Three levels at strides 4, 8 and 16 with random weights of a seed. */
export function tinyBackbone(seed = 1): BackboneFile {
  const builder = new ArchitectureBuilder();
  const conv = (name: string, input: string, from: number, to: number) =>
    builder.relu(
      `${name}.relu`,
      builder.conv(name, input, from, to, 3, { stride: from === to ? 1 : 2 }),
    );
  const stem = conv("stem", "input", 3, 8);
  const first = conv("layer1", builder.maxPool("pool", stem), 8, 8);
  const second = conv("layer2", first, 8, 16);
  const third = conv("layer3", second, 16, 24);
  builder.classifier("fc", third, 24, 10);
  const tiny: Architecture = {
    name: "tiny",
    parameters: builder.parameters,
    nodes: builder.nodes,
    levels: [first, second, third],
  };
  const { weights, metadata } = randomWeights(tiny, seed);
  const bytes = writeOnnx(buildGraph(tiny, weights, metadata));
  return { name: "tiny", bytes, source: "tiny.onnx" };
}

/** Flanges of the demo: so many good ones to fit, then one of each test kind. */
export function tinyImages(train: number): {
  train: NamedImage[];
  test: (NamedImage & { defect: string | undefined })[];
} {
  const images = [...demoSet(FLANGE, { train, good: 1, defective: 1 })];
  const of = (split: string) =>
    images.filter((image) => image.split === split).map((image) => ({
      name: image.path,
      content: image.pixels,
      defect: image.defect?.kind,
    }));
  return { train: of("train"), test: of("test") };
}

/** A detector with the tiny network, fitted to a few flanges. */
export async function tinyDetector(gpu?: Gpu, train = 4): Promise<PatchCore> {
  const detector = await PatchCore.create({
    ...TINY_SETTINGS,
    backbone: tinyBackbone(),
    allowRandom: true,
    batch: 4,
    ...(gpu && { gpu }),
  });
  await detector.fit(tinyImages(train).train);
  return detector;
}
