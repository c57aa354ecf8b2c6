/**
 * What float16 weights change: the taps of one image, image scores, AUROC.
 *
 *     deno run -A bench/precision.ts --data DATASET --backbone FILE.onnx \
 *       [--coreset 0.01] [--json]
 *
 * The dataset is a category folder: `train/good`, `test/good`, `test/DEFECT`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "../src/core/datasets/files.ts";
import { imageMetrics } from "../src/core/metrics/image_metrics.ts";
import { PatchCore } from "../src/core/mod.ts";
import type { NamedImage } from "../src/core/mod.ts";
import { Gpu } from "../src/gpu/mod.ts";
import { Network } from "../src/nn/mod.ts";
import { randomFloats, relativeError } from "../tests/testing.ts";

const { data, backbone, coreset, json } = parseArgs(Deno.args, {
  string: ["data", "backbone", "coreset"],
  boolean: ["json"],
  default: { coreset: "0.01" },
});
if (data === undefined || backbone === undefined) {
  throw new TypeError(
    "Name the images and a backbone: --data DATASET --backbone FILE.onnx",
  );
}
const bytes = await Deno.readFile(backbone);
const PRECISIONS = ["f32", "f16"] as const;
type Precision = typeof PRECISIONS[number];

function imagesIn(folder: string): NamedImage[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name))
    .sort().map((name) => ({ name, content: () => Deno.readFile(name) }));
}

async function taps(gpu: Gpu, precision: Precision): Promise<Float32Array[]> {
  using network = await Network.load(gpu, bytes, {
    taps: ["layer2", "layer3"],
    precision,
  });
  using session = await network.session([1, 3, 224, 224]);
  gpu.write(session.input, randomFloats(1, session.input.size));
  session.program.run();
  const all = [];
  for (const name of network.outputs) all.push(await session.read(name));
  return all;
}

async function scores(
  gpu: Gpu,
  precision: Precision,
): Promise<{ scores: number[]; threshold: number; auroc: number }> {
  using detector = await PatchCore.create({
    backbone: { name: "backbone", bytes },
    coreset: Number(coreset),
    gpu,
    precision,
  });
  const { threshold } = await detector.fit(
    imagesIn(join(data!, "train/good")),
  );
  const scores: number[] = [];
  const labels: boolean[] = [];
  for (const { name } of Deno.readDirSync(join(data!, "test"))) {
    const images = imagesIn(join(data!, `test/${name}`));
    for await (const { score } of detector.predict(images)) {
      scores.push(score);
      labels.push(name !== "good");
    }
  }
  const { auroc } = imageMetrics(scores, labels);
  return { scores, threshold, auroc };
}

using gpu = await Gpu.create();
const [exact, half] = [await taps(gpu, "f32"), await taps(gpu, "f16")];
const [f32, f16] = [await scores(gpu, "f32"), await scores(gpu, "f16")];
const result = {
  adapter: gpu.adapterName,
  data,
  backbone,
  coreset: Number(coreset),
  tap_errors: exact.map((tap, i) => relativeError(half[i]!, tap)),
  largest_score_change: Math.max(
    ...f32.scores.map((score, i) => Math.abs(f16.scores[i]! / score - 1)),
  ),
  thresholds: [f32.threshold, f16.threshold],
  image_auroc: [f32.auroc, f16.auroc],
};
if (json) console.log(JSON.stringify(result));
else console.table(Object.entries(result));
