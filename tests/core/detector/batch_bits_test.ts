import { assert, assertEquals } from "@std/assert";
import { PatchCore } from "../../../src/core/mod.ts";
import type { BackboneFile } from "../../../src/core/mod.ts";
import {
  ArchitectureBuilder,
  buildGraph,
} from "../../../src/nn/architectures/architecture.ts";
import { randomWeights } from "../../../src/nn/architectures/random_weights.ts";
import {
  convCandidates,
  convTileFor,
  formatChoice,
  Network,
  type TuningStore,
} from "../../../src/nn/mod.ts";
import { readOnnx } from "../../../src/nn/onnx/read.ts";
import { writeOnnx } from "../../../src/nn/onnx/write.ts";
import { gpuTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyImages } from "../../tiny_model.ts";

/** Wide enough for convolutions of every kind. */
function wideBackbone(): BackboneFile {
  const builder = new ArchitectureBuilder();
  const conv = (name: string, input: string, from: number, to: number) =>
    builder.relu(
      `${name}.relu`,
      builder.conv(name, input, from, to, 3, {
        stride: from === to && name !== "half" ? 1 : 2,
      }),
    );
  const stem = builder.maxPool("pool", conv("stem", "input", 3, 128));
  const first = conv("layer1", stem, 128, 128);
  const half = conv("half", first, 128, 128);
  const second = conv("layer2", half, 128, 128);
  builder.classifier("fc", second, 128, 10);
  const { parameters, nodes } = builder;
  const wide = { name: "wide", parameters, nodes, levels: [first, second] };
  const { weights, metadata } = randomWeights(wide, 5);
  return {
    name: "wide",
    bytes: writeOnnx(buildGraph(wide, weights, metadata)),
  };
}

gpuTest(
  "fit() and predict() give the same bits in batches of 1 and 8, with kernels measured for each",
  async (gpu) => {
    const backbone = wideBackbone();
    const { train, test } = tinyImages(9);
    const images = [...train, ...test];
    const tile = convTileFor(gpu) as "subgroup8";
    using network = new Network(gpu, await readOnnx(backbone.bytes), {
      taps: ["layer1", "layer2"],
    });
    // What measuring could say: other kernels for one image than for many.
    const choices: Record<string, string> = {};
    for (const count of [1, 8]) {
      const { problems } = network.plan([count, 3, 64, 64]);
      for (const [key, problem] of problems) {
        const candidates = convCandidates(tile, problem);
        assert(candidates.length > 1);
        choices[key] = formatChoice(candidates.at(count === 1 ? 0 : -1)!);
      }
    }
    assertEquals(new Set(Object.values(choices)).size > 1, true);
    const tuning: TuningStore = {
      load: () => Promise.resolve(choices),
      save: () => Promise.reject(new Error("it was measured again")),
    };
    const models: Uint8Array[] = [];
    const scores: unknown[] = [];
    for (const batch of [1, 8]) {
      using detector = await PatchCore.create({
        ...TINY_SETTINGS,
        ...{ backbone, allowRandom: true, batch, tuning, gpu },
      });
      await detector.fit(train);
      models.push(detector.save());
      const seen = await Array.fromAsync(detector.predict(images));
      scores.push(seen.map(({ name, score, map }) => [name, score, map.data]));
    }
    assertEquals(models[0], models[1]);
    assertEquals(scores[0], scores[1]);
  },
);
