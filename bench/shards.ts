/**
 * Peak memory of a fit in 1, 4 and 16 parts of the same size, and of their merge,
 * two parts at a time and all at once: by the pool's account on the GPU, and of
 * the merging process as a whole.
 *
 *     deno run -A bench/shards.ts [--images 10] [--max-bank 500]
 *
 * Fails unless the peaks at 16 parts are within a fifth of those at 4.
 *
 * @module
 */
import {
  mergeModels,
  PatchCore,
  readModelFile,
  writeModelFile,
} from "../src/core/mod.ts";
import { DEMO_PRODUCTS, demoSet } from "../src/core/demo/demo_set.ts";
import { demoBackbone } from "../src/cli/load_backbone.ts";
import { Gpu } from "../src/gpu/mod.ts";

const PARTS = [1, 4, 16];
const MOD = new URL("../mod.ts", import.meta.url).pathname;

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

const images = option("images", 10);
const maxBank = option("max-bank", 500);
const MB = 1e6;

const folder = await Deno.makeTempDir();
const merges: number[] = [];
try {
  using gpu = await Gpu.create();
  using detector = await PatchCore.create({
    backbone: await demoBackbone(),
    ...{ resize: 128, crop: null, square: true, gpu },
    coreset: { ratio: 0.5, maxBank },
  });
  const set = [
    ...demoSet(DEMO_PRODUCTS[0]!, {
      train: images * PARTS.at(-1)!,
      good: 1,
      defective: 1,
    }),
  ].filter(({ split }) => split === "train").map(({ path, pixels }) => ({
    name: path,
    content: pixels,
  }));
  console.log(
    "parts  images  part MB  fit GPU MB  merge GPU MB  at once GPU MB  process MB  seconds",
  );
  for (const count of PARTS) {
    let fitPeak = 0;
    let partBytes = 0;
    const paths: string[] = [];
    for (let part = 1; part <= count; part++) {
      const own = set.slice((part - 1) * images, part * images);
      const { peakGpuBytes } = await detector.fit(own, {
        shard: [part, count],
      });
      fitPeak = Math.max(fitPeak, peakGpuBytes);
      const bytes = writeModelFile(detector.model);
      partBytes = Math.max(partBytes, bytes.length);
      const path = `${folder}/${count}-${part}.safetensors`;
      await Deno.writeFile(path, bytes);
      paths.push(path);
    }
    const tree = await mergeProcess(paths, `${folder}/${count}.safetensors`);
    const models = await Promise.all(
      paths.map(async (name) => ({
        name,
        model: readModelFile(await Deno.readFile(name)),
      })),
    );
    const atOnce = await mergeModels(models, {});
    merges.push(tree.gpuBytes);
    const cells = [
      [count, 5, 0],
      [count * images, 8, 0],
      [partBytes / MB, 9, 1],
      [fitPeak / MB, 12, 1],
      [tree.gpuBytes / MB, 14, 1],
      [atOnce.peakGpuBytes / MB, 16, 1],
      [tree.processBytes / MB, 12, 0],
      [tree.seconds, 9, 1],
    ] as const;
    console.log(
      cells.map(([value, width, digits]) =>
        value.toFixed(digits).padStart(width)
      ).join(""),
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
const isBounded = merges[2]! <= 1.2 * merges[1]!;
console.log(isBounded ? "Holds" : "Does not hold");
Deno.exit(isBounded ? 0 : 1);

/** `merge` as a program of its own, and the most memory that it had. */
async function mergeProcess(
  paths: readonly string[],
  model: string,
): Promise<{ gpuBytes: number; processBytes: number; seconds: number }> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MOD, "merge", ...paths]
      .concat("--model", model, "--json"),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let kilobytes = 0;
  const timer = setInterval(() => {
    try {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      kilobytes = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? kilobytes);
    } catch {
      // It has ended.
    }
  }, 20);
  const { success, stdout, stderr } = await child.output();
  clearInterval(timer);
  const text = new TextDecoder();
  if (!success) throw new Error(text.decode(stderr));
  return {
    gpuBytes: JSON.parse(text.decode(stdout)).peak_gpu_bytes,
    processBytes: kilobytes * 1024,
    seconds: (performance.now() - start) / 1000,
  };
}
