/**
 * PaDiM at the size of the paper: WideResNet-50, 3136 positions, 550 of 1792
 * dimensions. Weights are random, scaled so that features are as large as
 * trained ones, and images are drawn: this shows memory and time, not accuracy.
 *
 *     deno run -A bench/paper/padim_memory.ts
 */
import type { Category } from "../../src/core/datasets/dataset.ts";
import type { Files } from "../../src/core/datasets/files.ts";
import { demoSet } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";
import { planPadim } from "../../src/core/baselines/padim.ts";
import { evaluateCategory, Evaluator } from "../../src/core/evaluation/mod.ts";
import { encodePng } from "../../src/core/images/png.ts";
import { Gpu } from "../../src/gpu/mod.ts";
import { architecture } from "../../src/nn/architectures/catalogue.ts";
import { buildGraph } from "../../src/nn/architectures/architecture.ts";
import { randomWeights } from "../../src/nn/architectures/random_weights.ts";
import { cutGraph } from "../../src/nn/cut.ts";
import { writeOnnx } from "../../src/nn/onnx/write.ts";

/**
 * All is linear in the first convolution but for ReLU, which does not mind:
 * layers become as much smaller as it.
 */
const SCALE = 1e-3;

function backbone(): Uint8Array<ArrayBuffer> {
  const network = architecture("wide_resnet50_2");
  const { weights, metadata } = randomWeights(network, 1);
  const first = weights.get(network.parameters[0]!.name)!;
  const data = first.data as Float32Array;
  for (let i = 0; i < data.length; i++) data[i]! *= SCALE;
  const graph = buildGraph(network, weights, metadata);
  return writeOnnx(cutGraph(graph, [network.levels[2]!]));
}

const images = new Map<string, Uint8Array>();
const category: { -readonly [K in keyof Category]: Category[K] } = {
  name: "flange",
  train: [],
  test: [],
};
for (
  const { path, split, pixels, defect } of demoSet(FLANGE, {
    train: 4,
    good: 1,
    defective: 1,
  })
) {
  images.set(path, await encodePng(pixels));
  const label = defect === undefined ? "normal" : "anomalous";
  category[split] = [...category[split], { path, label }];
}
const files: Files = {
  list: () => (async function* () {})(),
  read: (path) => Promise.resolve(images.get(path)!),
};

using gpu = await Gpu.create();
const plan = planPadim(
  { grid: [56, 56], featureDim: 1792, size: [224, 224], maxImages: 8 },
  gpu.maxTensorBytes,
);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
console.log(
  `${gpu.adapterName}, at most ${megabytes(gpu.maxTensorBytes)} at once
${plan.positions} positions of ${plan.dims.length} dimensions: covariances ${
    megabytes(plan.factorBytes)
  } in ${
    Math.ceil(plan.positions / plan.positionsPerChunk)
  } pieces, planned in all ${megabytes(plan.bytes)}`,
);
using evaluator = await Evaluator.create(
  { name: "wide_resnet50_2", bytes: backbone() },
  { resize: 256, crop: 224 },
  { gpu, method: "padim", allowRandom: true },
);
const [record] = await evaluateCategory(evaluator, category, {
  files,
  rule: "half",
  batch: 2,
});
console.log(
  `${record!.images.train} images fitted in ${
    record!.seconds["fit"]!.toFixed(1)
  } s, ${category.test.length} scored in ${
    record!.seconds["predict"]!.toFixed(1)
  } s, image AUROC ${record!.image_auroc}
at most ${megabytes(record!.peak_gpu_bytes!)} of GPU memory, ${
    megabytes(Deno.memoryUsage().rss)
  } resident`,
);
