/**
 * Memory of exact pixel metrics: a category of 120 images at 1024 × 1024, maps
 * and masks made one at a time as predictions are. Ends with 1 if the process
 * ever held 1 GB or more.
 *
 *     deno run -A bench/pixel_metrics_memory.ts
 */
import { PixelMetrics } from "../src/core/metrics/pixel_metrics.ts";
import { Mt19937 } from "../src/core/settings/random.ts";

const IMAGES = 120;
const SIDE = 1024;
const LIMIT = 1e9;

const random = new Mt19937(0);
const metrics = new PixelMetrics();
let peak = 0;
const watch = (): void => {
  peak = Math.max(peak, Deno.memoryUsage().rss);
};
const start = performance.now();
for (let image = 0; image < IMAGES; image++) {
  const map = new Float32Array(SIDE * SIDE);
  const mask = image % 3 === 0 ? undefined : new Uint8Array(SIDE * SIDE);
  const left = 100 + (image * 37) % 500;
  for (let i = 0; i < map.length; i++) {
    const x = i % SIDE, y = (i - x) / SIDE;
    const defect = mask !== undefined && x >= left && x < left + 300 &&
      y >= left && y < left + 300;
    if (defect) mask[i] = 1;
    map[i] = random.float32() + (defect ? 0.3 : 0);
  }
  metrics.add(map, mask, { width: SIDE, height: SIDE });
  watch();
}
const added = performance.now();
const { auroc, aupro30, pixels, components } = metrics.result();
watch();
const ranked = performance.now();
const all = IMAGES * SIDE * SIDE * 4;
console.log(
  `${IMAGES} maps of ${SIDE} × ${SIDE}, ${pixels} pixels, ${components} components: pixel AUROC ${
    auroc.toFixed(6)
  }, AUPRO ${aupro30.toFixed(6)}
added in ${((added - start) / 1000).toFixed(1)} s, ranked in ${
    ((ranked - added) / 1000).toFixed(1)
  } s
at most ${(peak / 1e6).toFixed(0)} MB resident; the maps alone are ${
    (all / 1e6).toFixed(0)
  } MB`,
);
Deno.exit(peak < LIMIT ? 0 : 1);
