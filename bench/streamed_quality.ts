/**
 * What a fit in bounded memory loses: covering radius (paper, Eq. 5) and image
 * AUROC at a quarter and a sixteenth of the memory that the fit takes beside the
 * backbone when it holds all features, against that fit.
 *
 * `deno run -A bench/streamed_quality.ts [DATASET] [BACKBONE.onnx] [RATIO] [SHARES]`
 */
import { MemoryBank } from "../src/core/bank/memory_bank.ts";
import { nearestRows } from "../src/core/search/nearest_rows.ts";
import { project } from "../src/core/rows/projection.ts";
import { BankSearch } from "../src/core/search/search.ts";
import { readDataset } from "../src/core/datasets/read_dataset.ts";
import { Backbone } from "../src/core/features/backbone.ts";
import { projectionFor } from "../src/core/bank/choose_rows.ts";
import { planMemory } from "../src/core/detector/fit/plan.ts";
import { extractTrainingFeatures } from "../src/core/features/training_features.ts";
import { sourcesOf } from "../src/core/evaluation/features_of.ts";
import { auroc } from "../src/core/metrics/roc.ts";
import { DISK } from "../src/cli/disk.ts";
import { bytesInWords } from "../src/core/settings/byte_size.ts";
import { resolveSettings } from "../src/core/settings/resolve_settings.ts";
import { Gpu, type RowChunks } from "../src/gpu/mod.ts";
import { PatchCore } from "../src/core/mod.ts";
import { sharedPath } from "../tests/testing.ts";

const [
  folder = sharedPath("data", "transistor_256"),
  file = sharedPath("data", "models", "resnet18.onnx"),
  ratio = "0.01",
] = Deno.args;
if (folder === undefined || file === undefined) {
  throw new Error("Cannot run: name a dataset folder and a backbone");
}
const BATCH = 4;
const settings = resolveSettings({ coreset: Number(ratio) });
const [category] = await readDataset(DISK, folder);
const backboneFile = {
  name: "backbone",
  bytes: await Deno.readFile(file),
};
using gpu = await Gpu.create();
using backbone = await Backbone.load(gpu, backboneFile, settings);
const train = sourcesOf(category!.train, DISK);
const test = sourcesOf(category!.test, DISK);
const labels = category!.test.map(({ label }) => label === "normal" ? 0 : 1);

using features = await extractTrainingFeatures(
  gpu,
  backbone,
  settings,
  train,
  { batch: BATCH },
);
const { dim } = features.extractor.features;
const projection = projectionFor(settings, dim, features.rows.rows)!;
using projected = await project(gpu, features.rows, projection);
const { dim: padded } = features.rows;
const [height, width] = features.extractor.input;
const { bytes: allBytes } = planMemory({
  gpu,
  fixedBytes: 0,
  inputs: 1,
  patches: features.extractor.features.patches,
  pixels: height * width,
  dim: padded,
  projected: projection.outputs,
  settings,
  images: train.length,
  batch: BATCH,
  areListed: true,
  budget: undefined,
});
console.log(
  `${gpu.adapterName}; ${train.length} + ${test.length} images, ${features.rows.rows} patches, ${
    bytesInWords(allBytes)
  } beside the backbone, ratio ${ratio}`,
);

async function radius(rows: RowChunks, bank: RowChunks): Promise<number> {
  using search = await BankSearch.create(gpu, bank);
  const { squared } = await nearestRows(gpu, rows, search);
  return Math.sqrt(squared.reduce((most, x) => Math.max(most, x), 0));
}

let fixed = fixedBytes();
let whole: { projected: number; features: number; auroc: number } | undefined;
for (const share of (Deno.args[3] ?? "1,4,16").split(",").map(Number)) {
  using detector = await PatchCore.create({
    coreset: Number(ratio),
    backbone: backboneFile,
    gpu,
    batch: BATCH,
    ...(share > 1 &&
      { memoryBudget: fixed + Math.floor(allBytes / share) }),
  });
  const report = await detector.fit(train);
  if (share === 1) fixed = report.plannedGpuBytes - allBytes;
  const { memoryBank, origin } = detector.model;
  using bank = MemoryBank.upload(gpu, memoryBank, dim, Int32Array.from(origin));
  using small = await project(gpu, bank.rows, projection);
  const scores: number[] = [];
  for await (const { score } of detector.predict(test)) scores.push(score);
  const found = {
    projected: await radius(projected, small),
    features: await radius(features.rows, bank.rows),
    auroc: auroc(scores, labels),
  };
  whole ??= found;
  console.log(JSON.stringify({
    memory: `1/${share}`,
    buckets: report.buckets,
    bank_rows: report.bankRows,
    radius_projected: found.projected,
    ratio_projected: found.projected / whole.projected,
    radius_features: found.features,
    ratio_features: found.features / whole.features,
    radius_reported: report.radius,
    radius_bound: report.radiusBound,
    image_auroc: found.auroc,
    auroc_difference: found.auroc - whole.auroc,
    threshold: report.threshold,
    passes: report.passes,
    seconds: report.seconds,
    planned: bytesInWords(report.plannedGpuBytes),
  }));
}

/** What a fit allocates whatever the number of images, and what is there. */
function fixedBytes(): number {
  gpu.pool.trim();
  return gpu.pool.bytes + backboneFile.bytes.length +
    2 * features.extractor.activationBytes(BATCH) + 57 * 2 ** 19;
}
