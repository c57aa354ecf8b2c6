/**
 * Small defects in large photographs: found in tiles, and not without. Memory and
 * time of both, as planned and as measured.
 *
 *     deno run -A bench/tiles.ts --data FOLDER --backbone FILE.onnx \
 *       [--width 4000 --height 3000 --tile 512 --images 3 --dim 256] \
 *       [--max-bank 2000] [--layers layer2,layer3] [--memory BYTES] [--save DIR]
 *
 * FOLDER has photographs of good parts of at least 1000 × 1000 pixels; trays of
 * them are made. With --save, the pictures are written as PNG.
 */
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
import { defectsOf, highestNear, montage, withDefects } from "./montage.ts";

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
if (given.data === undefined || given.backbone === undefined) {
  throw new TypeError(
    "Name the photographs and a backbone: --data FOLDER --backbone FILE.onnx",
  );
}
const folder = given.data;
const parts = await Promise.all(
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
    let since = 0;
    const report = await detector.fit(train, {
      onPlan: (told) => {
        plan = told;
        since = performance.now();
      },
    });
    model = detector.save();
    const seconds = (performance.now() - since) / 1000;
    console.log(`${what}: fit of ${count} images of ${width} × ${height}`);
    console.table({
      tiles: plan!.tilesPerImage,
      holds: plan!.holds,
      rows: report.bankRows,
      "planned MB": (planned?.bytes ?? plan!.memoryBytes) / 1e6,
      "measured MB": report.peakGpuBytes / 1e6,
      "planned seconds": plan!.seconds,
      "measured seconds": seconds,
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
      console.table(defects.map((defect) => ({
        ...defect,
        highest: highestNear(map, defect),
        threshold: map.threshold,
        found: highestNear(map, defect) >= map.threshold!,
      })));
    }
  }
}

await run("tiles", { tiles: Number(given.tile) });
await run("without", {});
