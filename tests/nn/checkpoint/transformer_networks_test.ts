/**
 * Networks made of official weights run: the recogniser of exports takes them,
 * block by block, at sizes that the table of positions has not.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { PatchCore } from "../../../src/core/mod.ts";
import { convertWeights } from "../../../src/nn/checkpoint/convert.ts";
import { readStateDict } from "../../../src/nn/checkpoint/state_dict.ts";
import type { FloatTensor } from "../../../src/nn/graph.ts";
import { Network } from "../../../src/nn/network.ts";
import { readOnnx } from "../../../src/nn/onnx/read.ts";
import { toNhwc } from "../../../src/nn/layout.ts";
import { gpuTest } from "../../testing.ts";
import { tinyImages } from "../../tiny_model.ts";
import { TINY_TRANSFORMERS } from "../architectures/tiny_transformers.ts";
import { readActivations } from "../model_files.ts";

for (
  const [net, file, prefix] of [
    ["dinov2", "dinov2.pth", ""],
    ["dinov2_reg", "dinov2_reg.safetensors", ""],
    ["dinov2_reg", "dinov2_reg.safetensors", "small."],
    ["dinov2_swiglu", "dinov2_swiglu.safetensors", ""],
    ["dinov3", "dinov3.pth", ""],
    ["dinov3_plus", "dinov3_plus.hf.safetensors", ""],
    ["torchvision", "torchvision.pth", ""],
    ["deit_distilled", "deit_distilled.safetensors", ""],
  ] as const
) {
  gpuTest(
    `Network runs ${file} as converted, recorded as "${prefix}"`,
    async (gpu, _, shared) => {
      const folder = shared("golden", "vit");
      const network = TINY_TRANSFORMERS[net]!();
      const { depth, prefix: skip } = network.transformer!;
      const tensors = readStateDict(await Deno.readFile(`${folder}/${file}`));
      const { bytes } = convertWeights(tensors, network);
      const { tensors: recorded } = await readActivations(
        `${folder}/${net}.activations.safetensors`,
      );
      const image = recorded.get(`${prefix}input`)!;
      const graph = await readOnnx(bytes);
      const blocks = prefix === ""
        ? Array.from({ length: depth }, (_, i) => i)
        : [depth - 1];
      using running = new Network(gpu, graph, {
        taps: blocks.map((i) => `blocks.${i}`),
      });
      using session = await running.session(image.shape);
      gpu.write(session.input, toNhwc(image.data as Float32Array, image.shape));
      session.program.run();
      for (const [at, i] of blocks.entries()) {
        const tensor = session.taps.get(running.outputs[at]!)!;
        const actual = await gpu.readFloats(tensor);
        const expected = recorded.get(`${prefix}block${i}.normed`)!;
        const worst = worstOf(actual, tensor.shape, expected, skip);
        assert(worst < 2e-5, `block ${i}: ${worst}`);
      }
    },
    { shared: true },
  );
}

/** The largest difference of maps `[1, h, w, D padded]` and tokens `[1, T, D]`. */
function worstOf(
  actual: Float32Array,
  [, height = 0, width = 0, padded = 0]: readonly number[],
  { shape: [, tokens = 0, dim = 0], data }: FloatTensor,
  skip: number,
): number {
  assertEquals(height * width, tokens - skip);
  let worst = 0;
  let largest = 0;
  for (let t = 0; t < tokens - skip; t++) {
    for (let d = 0; d < dim; d++) {
      const e = data[(t + skip) * dim + d]!;
      worst = Math.max(worst, Math.abs(actual[t * padded + d]! - e));
      largest = Math.max(largest, Math.abs(e));
    }
  }
  return worst / largest;
}

gpuTest(
  "PatchCore fits and predicts with AnomalyDINO's preset",
  async (gpu, _, shared) => {
    const file = await Deno.readFile(shared("golden", "vit", "dinov2.pth"));
    const { bytes } = convertWeights(
      readStateDict(file),
      TINY_TRANSFORMERS["dinov2"]!(),
    );
    const { train, test } = tinyImages(2);
    using detector = await PatchCore.create({
      preset: "anomalydino",
      resize: 64,
      backbone: { name: "tiny", bytes },
      gpu,
      allowRandom: true,
      batch: 4,
    });
    assertEquals(detector.settings.layers, ["blocks.2"]);
    assertEquals(detector.settings.multiple, 14);
    const report = await detector.fit(train);
    // 64 pixels are cut to 56, four patches each way, in eight angles.
    assertEquals(report.bankRows, 2 * 8 * 16);
    for await (const { score, map } of detector.predict(test)) {
      assert(Number.isFinite(score));
      assertEquals([map.width, map.height], [56, 56]);
      assertEquals(map.geometry.left, 0);
      assert(map.geometry.right < map.geometry.width);
    }
    using again = await PatchCore.load(detector.save({ bundle: true }), {
      gpu,
    });
    assertEquals(again.model.backbone.positions, "hub");
  },
  { shared: true },
);
