/**
 * Small defects in large photographs: found in tiles, and not without. Memory and
 * time of both, as planned and as measured.
 *
 *     deno run -A bench/tiles.ts [--data FOLDER] --backbone FILE.onnx \
 *       [--width 4000 --height 3000 --tile 512 --images 3 --dim 256] \
 *       [--max-bank 2000] [--layers layer2,layer3] [--memory BYTES] [--save DIR]
 *
 * Of four trays a threshold is a tail that is fitted to their scores, and above
 * all defects; of ten photographed ones it finds them all, but the box of one is
 * 25 pixels off; of twenty (`--images 20`) all boxes are within 11.
 *
 * FOLDER has photographs of good parts of at least 1000 × 1000 pixels; trays of
 * them are made, without it of drawn parts. With --save, the pictures are written
 * as PNG.
 *
 * On an adapter that is the CPU, and a machine with other work, seconds of the
 * CPUs are told as well: planned with the share of them that the process had
 * while the plan was measured.
 */
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { join } from "../src/core/datasets/files.ts";
import { planFit, planPredict } from "../src/core/detector/planned_memory.ts";
import { encodePng } from "../src/core/images/png.ts";
import {
  decodeImage,
  type FitPlan,
  type NamedImage,
  PatchCore,
} from "../src/core/mod.ts";
import type { SettingsOptions } from "../src/core/settings/settings.ts";
import { Gpu } from "../src/gpu/mod.ts";
import {
  boxOf,
  defectsOf,
  drawnPart,
  edgesOff,
  highestNear,
  montage,
  withDefects,
} from "./montage.ts";

/** Drawn parts that trays are made of. */
const DRAWN = 24;

const given = parseArgs(Deno.args, {
  string: [
    ...["data", "backbone", "width", "height", "tile", "images", "dim"],
    ...["max-bank", "memory", "layers", "save"],
  ],
  default: {
    ...{ width: "4000", height: "3000", tile: "512", images: "3" },
    ...{ dim: "256", "max-bank": "2000", layers: "layer2,layer3" },
  },
});
if (given.backbone === undefined) {
  throw new TypeError("Name a backbone: --backbone FILE.onnx");
}
const folder = given.data;
const parts = folder === undefined
  ? Array.from({ length: DRAWN }, (_, seed) => drawnPart(seed, 1024))
  : await Promise.all(
    [...Deno.readDirSync(folder)].map(({ name }) => name).sort()
      .map(async (name) =>
        decodeImage(await Deno.readFile(join(folder, name)), name)
      ),
  );
const size = [Number(given.width), Number(given.height)] as const;
const [width, height] = size;
const count = Number(given.images);
const train: NamedImage[] = Array.from({ length: count }, (_, seed) => ({
  name: `tray ${seed}`,
  content: () => Promise.resolve(montage(parts, size, seed)),
}));
const good = montage(parts, size, count);
const defects = defectsOf({ width, height });
const bad = withDefects(good, defects);
if (given.save !== undefined) {
  await Deno.mkdir(given.save, { recursive: true });
  const pictures = { good, bad, tray_0: montage(parts, size, 0) };
  for (const [name, picture] of Object.entries(pictures)) {
    await Deno.writeFile(
      join(given.save, `${name}.png`),
      await encodePng(picture),
    );
  }
}
const backbone = {
  name: "backbone",
  bytes: await Deno.readFile(given.backbone),
};

/** Seconds of the clock, and those of all CPUs that the process had. */
function now(): { readonly wall: number; readonly cpu: number } {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1000, cpu: (user + system) / 1e6 };
}

function since(before: ReturnType<typeof now>): ReturnType<typeof now> {
  const { wall, cpu } = now();
  return { wall: wall - before.wall, cpu: cpu - before.cpu };
}

async function run(what: string, settings: SettingsOptions): Promise<void> {
  const options = {
    ...settings,
    ...{ backbone, batch: 8, allowRandom: true },
    dim: Number(given.dim),
    layers: given.layers.split(","),
    coreset: { ratio: 0.1, maxBank: Number(given["max-bank"]) },
    ...(given.memory && { memoryBudget: Number(given.memory) }),
  };
  let model: Uint8Array;
  {
    using gpu = await Gpu.create();
    const images = { count, width, height };
    const planned = given.memory
      ? undefined
      : await planFit(gpu, options, images);
    using detector = await PatchCore.create({ ...options, gpu });
    let plan: FitPlan | undefined;
    let until = now();
    let measuring = until;
    const report = await detector.fit(train, {
      onPlan: (told) => {
        plan = told;
        [measuring, until] = [since(until), now()];
      },
    });
    const took = since(until);
    model = detector.save();
    console.log(`${what}: fit of ${count} images of ${width} × ${height}`);
    console.table({
      tiles: plan!.tilesPerImage,
      holds: plan!.holds,
      rows: report.bankRows,
      "planned MB": (planned?.bytes ?? plan!.memoryBytes) / 1e6,
      "measured MB": report.peakGpuBytes / 1e6,
      "planned seconds": plan!.seconds,
      "measured seconds": took.wall,
      "planned CPU seconds": plan!.seconds! * measuring.cpu / measuring.wall,
      "measured CPU seconds": took.cpu,
      threshold: report.threshold,
    });
  }
  using gpu = await Gpu.create();
  const loading = { backbone, batch: 8 };
  const planned = await planPredict(gpu, model, loading, {
    ...{ count: 1, width, height },
  });
  using detector = await PatchCore.load(model, { ...loading, gpu });
  for (const [name, content] of [["bad", bad], ["good", good]] as const) {
    const start = performance.now();
    for await (
      const { score, label, map } of detector.predict([{ name, content }])
    ) {
      const seconds = (performance.now() - start) / 1000;
      console.log(
        `${what}, ${name}: ${label}, score ${score.toFixed(3)}, ${
          seconds.toFixed(1)
        } s, ${gpu.peakBytes / 1e6} MB (planned ${planned.bytes / 1e6})`,
      );
      if (map.width !== width) continue;
      console.table(defects.map((defect) => {
        const box = boxOf(map, defect, map.threshold!);
        return {
          ...defect,
          highest: highestNear(map, defect),
          threshold: map.threshold,
          found: box !== undefined,
          ...box,
          off: box && edgesOff(box, defect),
        };
      }));
    }
  }
}

await run("tiles", { tiles: Number(given.tile) });
await run("without", {});
