/**
 * Peak memory of fits in bounded memory: 500 and 10,000 images under the same
 * budget, each in a process of its own. The images are those of a dataset over
 * and over, decoded each time, shifted and with noise, from a seed.
 *
 * `deno run -A bench/streamed_memory.ts [DATASET] [PIXELS] [BUDGET] [COUNTS]`
 */
import { demoBackbone } from "../src/cli/load_backbone.ts";
import { DISK } from "../src/cli/disk.ts";
import { readDataset } from "../src/core/datasets/read_dataset.ts";
import { decodeImage } from "../src/core/images/decode.ts";
import type { Pixels } from "../src/core/images/pixels.ts";
import { encodePng } from "../src/core/images/png.ts";
import { type NamedImage, PatchCore } from "../src/core/mod.ts";
import { bytesInWords, parseByteSize } from "../src/core/settings/byte_size.ts";
import { Mt19937 } from "../src/core/settings/random.ts";
import { sharedPath } from "../tests/testing.ts";

const MAX_BANK = 1000;
const [
  folder = sharedPath("data", "transistor_256"),
  pixels = "112",
  budget = "128MiB",
  counts = "500,10000",
] = Deno.args;
if (folder === undefined) throw new Error("Cannot run: name a dataset folder");

if (!counts.includes(",")) await fit(Number(counts), folder);
else {
  const results = [];
  for (const count of counts.split(",")) results.push(await inProcess(count));
  const [few, many] = results;
  for (const key of ["peak_rss_bytes", "peak_gpu_bytes"] as const) {
    console.log(
      `${key}: ${bytesInWords(few![key])}, ${bytesInWords(many![key])}: ${
        (many![key] / few![key]).toFixed(3)
      } times`,
    );
  }
}

interface Result {
  readonly peak_rss_bytes: number;
  readonly peak_gpu_bytes: number;
}

async function inProcess(count: string): Promise<Result> {
  const { stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", import.meta.filename!],
      ...[folder!, pixels, budget, count],
    ],
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  console.log(text);
  if (code !== 0) throw new Error(`The fit of ${count} images failed`);
  return JSON.parse(text.split("\n").at(-1)!);
}

async function fit(count: number, folder: string): Promise<void> {
  const [category] = await readDataset(DISK, folder);
  const paths = category!.train.map(({ path }) => path);
  const crop = Number(pixels);
  using detector = await PatchCore.create({
    backbone: await demoBackbone(),
    resize: Math.round(crop * 8 / 7),
    crop,
    coreset: { ratio: 0.1, maxBank: MAX_BANK },
    memoryBudget: parseByteSize(budget)!,
    thresholdImages: 200,
  });
  const start = performance.now();
  const most = { heap: 0, external: 0 };
  const report = await detector.fit(variations(paths, count), {
    count,
    onPlan: (plan) => console.error(JSON.stringify(plan)),
    onProgress: (stage, done, total) => {
      const { heapUsed, external } = Deno.memoryUsage();
      most.heap = Math.max(most.heap, heapUsed);
      most.external = Math.max(most.external, external);
      if (stage !== "coreset" && done % 1000 === 0) {
        console.error(`${stage} ${done}/${total}, ${bytesInWords(rss())} now`);
      }
    },
  });
  console.log(JSON.stringify({
    images: report.images,
    patches: report.patches,
    bank_rows: report.bankRows,
    buckets: report.buckets,
    memory_budget: budget,
    planned_gpu_bytes: report.plannedGpuBytes,
    peak_gpu_bytes: report.peakGpuBytes,
    peak_rss_bytes: peakRss(),
    heap_bytes: most.heap,
    external_bytes: most.external,
    radius: report.radius,
    radius_images: report.radiusImages,
    radius_bound: report.radiusBound,
    threshold: report.threshold,
    seconds: (performance.now() - start) / 1000,
    adapter: report.adapter,
  }));
}

/** Images of the list over and over, each decoded when it is asked for. */
function* variations(
  paths: readonly string[],
  count: number,
): Generator<NamedImage> {
  for (let i = 0; i < count; i++) {
    const path = paths[i % paths.length]!;
    const name = `${path}#${i}`;
    const content = async (): Promise<Uint8Array> => {
      const image = await decodeImage(await DISK.read(path), name);
      return await encodePng(varied(image, i));
    };
    yield { name, content };
  }
}

/** A shifted copy with noise of up to ±8 levels. */
function varied({ width, height, data }: Pixels, seed: number): Pixels {
  const random = new Mt19937(seed);
  const [dx, dy] = [random.below(9) - 4, random.below(9) - 4];
  const copy = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++) {
    const fromY = Math.min(height - 1, Math.max(0, y + dy));
    for (let x = 0; x < width; x++) {
      const fromX = Math.min(width - 1, Math.max(0, x + dx));
      const bits = random.uint32();
      const [to, from] = [(y * width + x) * 4, (fromY * width + fromX) * 4];
      for (let c = 0; c < 3; c++) {
        copy[to + c] = data[from + c]! + ((bits >>> 8 * c) & 15) - 8;
      }
      copy[to + 3] = 255;
    }
  }
  return { width, height, data: copy };
}

/** Bytes of a line of the process' status, such as its peak memory. */
function statusBytes(key: string): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)![1]) * 1024;
}

function rss(): number {
  return statusBytes("VmRSS");
}

function peakRss(): number {
  return statusBytes("VmHWM");
}
