import { assert, assertEquals, assertRejects } from "@std/assert";
import { Ensemble, PatchCore } from "../../../src/core/mod.ts";
import type { BackboneFile } from "../../../src/core/mod.ts";
import { evaluateCategory } from "../../../src/core/evaluation/evaluate_category.ts";
import { Evaluator } from "../../../src/core/evaluation/evaluator.ts";
import { encodePng } from "../../../src/core/images/png.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import {
  ArchitectureBuilder,
  buildGraph,
} from "../../../src/nn/architectures/architecture.ts";
import { randomWeights } from "../../../src/nn/architectures/random_weights.ts";
import { writeOnnx } from "../../../src/nn/onnx/write.ts";
import { MemoryFiles } from "../datasets/memory_files.ts";
import { gpuTest } from "../../testing.ts";
import { TINY_SETTINGS, tinyBackbone, tinyImages } from "../../tiny_model.ts";

/** Divides features by their mean, which is 0 for black images: 0 / 0. */
function dividingBackbone(seed: number): BackboneFile {
  const builder = new ArchitectureBuilder();
  const conv = (name: string, input: string, from: number, to: number) =>
    builder.relu(
      `${name}.relu`,
      builder.conv(name, input, from, to, 3, { stride: 2 }),
    );
  const stem = conv("stem", "input", 3, 8);
  const mean = builder.node("GlobalAveragePool", "mean", [stem]);
  const scaled = builder.node("Div", "scaled", [stem, mean]);
  const first = conv("layer1", scaled, 8, 8);
  const second = conv("layer2", first, 8, 16);
  builder.classifier("fc", second, 16, 10);
  const { parameters, nodes } = builder;
  const network = {
    name: `dividing${seed}`,
    parameters,
    nodes,
    levels: [first, second],
  };
  const { weights, metadata } = randomWeights(network, seed);
  const bytes = writeOnnx(buildGraph(network, weights, metadata));
  return { name: network.name, bytes };
}

const SETTINGS = { ...TINY_SETTINGS, normalise: "unit" } as const;
const { train, test } = tinyImages(4);
const [good, bad] = test;
const BLACK = {
  name: "black.png",
  content: {
    width: 64,
    height: 64,
    data: new Uint8ClampedArray(64 * 64 * 4).map((_, i) => i % 4 < 3 ? 0 : 255),
  },
};
const SAYS = 'Cannot score image "black.png": its score is NaN';

async function dividing(gpu: Gpu, batch: number): Promise<PatchCore> {
  return await PatchCore.create({
    ...SETTINGS,
    backbone: dividingBackbone(3),
    allowRandom: true,
    batch,
    gpu,
  });
}

gpuTest(
  "predict() makes an error of an image whose score is not finite, of no other",
  async (gpu) => {
    for (const batch of [1, 3]) {
      using detector = await dividing(gpu, batch);
      await detector.fit(train);
      const alone = await Array.fromAsync(detector.predict([good!, bad!]));
      const failed: string[] = [];
      const images = [good!, BLACK, bad!];
      const seen = await Array.fromAsync(detector.predict(images, {
        onImageError: (name, { message }) => failed.push(name, message),
      }));
      assertEquals(
        seen.map(({ name, score }) => [name, score]),
        alone.map(({ name, score }) => [name, score]),
      );
      assertEquals(failed[0], "black.png");
      assert(failed[1]!.startsWith(SAYS) && failed.length === 2);
      const names: string[] = [];
      await assertRejects(
        async () => {
          for await (const { name } of detector.predict(images)) {
            names.push(name);
          }
        },
        RangeError,
        SAYS,
      );
      assertEquals(names, [good!.name]);
    }
  },
);

gpuTest(
  "fit() refuses features that are not finite, naming the image",
  async (gpu) => {
    for (const memoryBudget of [undefined, gpu.pool.bytes + 2 ** 26]) {
      using detector = await PatchCore.create({
        ...SETTINGS,
        backbone: dividingBackbone(3),
        allowRandom: true,
        batch: 3,
        ...(memoryBudget && { memoryBudget }),
        gpu,
      });
      for (const place of [0, 2, 4]) {
        await assertRejects(
          () => detector.fit(train.toSpliced(place, 0, BLACK)),
          RangeError,
          'Cannot fit image "black.png": the network gives features',
        );
      }
      await detector.fit(train);
      await assertRejects(
        () => detector.append([BLACK]),
        RangeError,
        'Cannot fit image "black.png"',
      );
    }
  },
);

gpuTest(
  "Ensemble.predict() tells once of an image that a member gives NaN for",
  async (gpu) => {
    using ensemble = await Ensemble.create({
      ...SETTINGS,
      backbones: [tinyBackbone(), dividingBackbone(3)],
      allowRandom: true,
      batch: 2,
      gpu,
    });
    await ensemble.fit(train);
    const failed: string[] = [];
    const seen = await Array.fromAsync(
      ensemble.predict([BLACK, good!], {
        onImageError: (name) => failed.push(name),
      }),
    );
    assertEquals(seen.map(({ name }) => name), [good!.name]);
    assertEquals(failed, ["black.png"]);
  },
);

gpuTest(
  "evaluateCategory() leaves out an image whose score is not finite",
  async (gpu) => {
    const files = new MemoryFiles(
      ...await Promise.all(
        [...train, ...test, BLACK].map(
          async ({ name, content }): Promise<[string, Uint8Array]> => [
            name!,
            await encodePng(content as typeof BLACK.content),
          ],
        ),
      ),
    );
    const category = {
      name: "part",
      train: train.map(({ name }) => ({ path: name!, label: "normal" })),
      test: [
        { path: good!.name!, label: "normal" },
        { path: BLACK.name, label: "normal" },
        { path: bad!.name!, label: "anomalous" },
      ],
    } as unknown as Parameters<typeof evaluateCategory>[1];
    using evaluator = await Evaluator.create(
      dividingBackbone(3),
      SETTINGS,
      { gpu, allowRandom: true },
    );
    for (const seeds of [1, 2]) {
      const failed: string[] = [];
      const [record] = await evaluateCategory(evaluator, category, {
        files,
        batch: 2,
        rule: "half",
        seeds,
        onImageError: (_, { message }) => failed.push(message),
      });
      assertEquals(record!.images, { train: 4, normal: 1, anomalous: 1 });
      assertEquals(failed.length, seeds);
      assert(failed.every((message) => message.startsWith(SAYS)));
    }
  },
);
