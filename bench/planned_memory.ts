/**
 * Peak GPU memory of a fit in batches of 8 and of a prediction of one image: as
 * `info` plans it, and as allocated.
 *
 *     deno run -A bench/planned_memory.ts --data FOLDER --backbone FILE.onnx \
 *       [--images 9] [--json]
 *
 * The images have to be of one size. Random weights are accepted.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "../src/core/datasets/files.ts";
import { planFit, planPredict } from "../src/core/detector/planned_memory.ts";
import { decodeImage, PatchCore } from "../src/core/mod.ts";
import { Gpu } from "../src/gpu/mod.ts";

const { data, backbone, images, json } = parseArgs(Deno.args, {
  string: ["data", "backbone", "images"],
  boolean: ["json"],
  default: { images: "9" },
});
if (data === undefined || backbone === undefined) {
  throw new TypeError(
    "Name the images and a backbone: --data FOLDER --backbone FILE.onnx",
  );
}
const named = [...Deno.readDirSync(data)].map(({ name }) => join(data, name))
  .sort().slice(0, Number(images))
  .map((name) => ({ name, content: () => Deno.readFile(name) }));
const { width, height } = await decodeImage(
  await named[0]!.content(),
  named[0]!.name,
);
const size = { width, height };
const network = {
  name: "backbone",
  bytes: await Deno.readFile(backbone),
};
const options = {
  backbone: network,
  coreset: 0.01,
  batch: 8,
  allowRandom: true,
};

async function fit(): Promise<[number, number, Uint8Array<ArrayBuffer>]> {
  using gpu = await Gpu.create();
  const { bytes } = await planFit(gpu, options, {
    count: named.length,
    ...size,
  });
  using detector = await PatchCore.create({ ...options, gpu });
  const { peakGpuBytes } = await detector.fit(named);
  return [bytes, peakGpuBytes, detector.save()];
}

async function predict(
  model: Uint8Array<ArrayBuffer>,
): Promise<[number, number]> {
  using gpu = await Gpu.create();
  const load = { backbone: network, batch: 1, allowRandom: true };
  const { bytes } = await planPredict(gpu, model, load, { count: 1, ...size });
  using detector = await PatchCore.load(model, { ...load, gpu });
  for await (const prediction of detector.predict(named.slice(0, 1))) {
    if ("error" in prediction) throw prediction.error;
  }
  return [bytes, gpu.peakBytes];
}

const [plannedFit, fitted, model] = await fit();
const [plannedPredict, predicted] = await predict(model);
const rows = [
  ["fit, batch 8", plannedFit, fitted] as const,
  ["predict, batch 1", plannedPredict, predicted] as const,
].map(([work, planned, measured]) => ({
  work,
  planned_bytes: planned,
  measured_bytes: measured,
  off: `${(100 * (planned / measured - 1)).toFixed(2)} %`,
}));
if (json) console.log(JSON.stringify({ backbone, rows }));
else console.table(rows);
