/**
 * What an ignored region does to a defective image: for some of each kind the
 * model is fitted anew with `ignore` over the image's own mask, made wider by a
 * margin, and the image's score is compared with those of all good test images
 * under the same model; beside it the same without a region. The defect is also
 * pasted into a good image, which has to keep its score.
 *
 * `deno run -A bench/regions.ts [DATASET] [BACKBONE.onnx] [MARGIN] [TRAIN] [EACH]`
 */
import { readDataset } from "../src/core/datasets/read_dataset.ts";
import type { Sample } from "../src/core/datasets/dataset.ts";
import { sourcesOf } from "../src/core/evaluation/features_of.ts";
import { drawRegion, type RegionShape } from "../src/core/images/region.ts";
import { DISK } from "../src/cli/disk.ts";
import { readPixels } from "../src/cli/read_pixels.ts";
import {
  type NamedImage,
  PatchCore,
  type RegionSetting,
} from "../src/core/mod.ts";
import { Gpu } from "../src/gpu/mod.ts";
import { sharedPath } from "../tests/testing.ts";

const [
  folder = sharedPath("data", "transistor_256"),
  file = sharedPath("data", "models", "resnet18.onnx"),
  margin = "8",
  train = "40",
  each = "2",
] = Deno.args;
if (folder === undefined || file === undefined) {
  throw new Error("Cannot run: name a dataset folder and a backbone");
}
const [category] = await readDataset(DISK, folder);
const good = category!.train.slice(0, Number(train));
const normal = category!.test.filter(({ label }) => label === "normal");
const kinds = Map.groupBy(
  category!.test.filter(({ mask }) => mask !== undefined),
  ({ defect }) => defect,
);
const defective = [...kinds.values()]
  .flatMap((samples) => samples.slice(0, Number(each)));
const backbone = { name: "backbone", bytes: await Deno.readFile(file) };
using gpu = await Gpu.create();

/** Scores of images under a model fitted with a region. */
async function scores(
  region: RegionSetting | undefined,
  samples: readonly Sample[],
  more: readonly NamedImage[] = [],
): Promise<number[]> {
  using detector = await PatchCore.create({
    ...{ backbone, gpu, coreset: 0.05, crop: null, resize: 224, batch: 8 },
    ...(region && { region }),
  });
  await detector.fit(sourcesOf(good, DISK));
  const predictions = detector.predict([
    ...sourcesOf(samples, DISK),
    ...more,
  ]);
  const threshold = detector.model.threshold!.value;
  return await Array.fromAsync(predictions, ({ score }) => score / threshold);
}

/** A mask's pixels and all within a margin of one. */
async function wideMask(path: string): Promise<RegionShape> {
  const { pixels: { width, height, data } } = await readPixels({ path });
  const marks = new Uint8Array(width * height);
  const reach = Number(margin);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[4 * (y * width + x)]! < 128) continue;
      const [from, to] = [
        Math.max(0, x - reach),
        Math.min(width, x + reach + 1),
      ];
      for (
        let row = Math.max(0, y - reach);
        row <= Math.min(height - 1, y + reach);
        row++
      ) {
        marks.fill(1, row * width + from, row * width + to);
      }
    }
  }
  return { kind: "mask", width, height, data: marks };
}

/** A good image with the pixels of a defect, and one as it is. */
async function twins(defect: Sample): Promise<NamedImage[]> {
  const read = async (path: string) => (await readPixels({ path })).pixels;
  const [good, bad, mask] = await Promise.all(
    [normal[0]!.path, defect.path, defect.mask!.path].map(read),
  );
  const data = good!.data.slice();
  for (let at = 0; at < data.length; at += 4) {
    if (mask!.data[at]! >= 128) data.set(bad!.data.subarray(at, at + 4), at);
  }
  return [
    { name: "pasted", content: { ...good!, data } },
    { name: "as it is", content: good! },
  ];
}

const range = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`;

console.log(
  `${good.length} images fitted, margin ${margin}; scores / threshold`,
);
const before = await scores(undefined, [...normal, ...defective]);
console.log(`without a region: good ${range(before.slice(0, normal.length))}`);
for (const [i, sample] of defective.entries()) {
  const mask = await wideMask(sample.mask!.path);
  const { width, height } = (await readPixels({ path: sample.path })).pixels;
  const region = drawRegion({ width, height, ignore: [mask] });
  const found = await scores(
    region,
    [...normal, sample],
    await twins(sample),
  );
  const [own, pasted, asItIs] = found.slice(-3) as [number, number, number];
  const others = found.slice(0, -3);
  const below = others.filter((score) => score > own).length;
  console.log(
    `${sample.path.split("/").slice(-2).join("/")}: ${
      before[normal.length + i]!.toFixed(3)
    } without, ${own.toFixed(3)} with --ignore; good ${
      range(others)
    }, ${below} of ${others.length} above it; pasted into a good image ${pasted}, without ${asItIs}`,
  );
}
