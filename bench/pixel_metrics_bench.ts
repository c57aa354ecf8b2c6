/**
 * Exact pixel metrics: adding one map and ranking all pixels of a test set.
 * Sizes are those of MVTec AD at 224 and 1024.
 */
import { PixelMetrics } from "../src/core/metrics/pixel_metrics.ts";
import { Mt19937 } from "../src/core/settings/random.ts";

const CASES = [
  { images: 83, side: 224 },
  { images: 12, side: 1024 },
] as const;

function scene(side: number): { map: Float32Array; mask: Uint8Array } {
  const random = new Mt19937(0);
  const map = new Float32Array(side * side);
  const mask = new Uint8Array(map.length);
  for (let i = 0; i < map.length; i++) {
    const x = i % side, y = (i - x) / side;
    const inside = x > side * 0.4 && x < side * 0.6 && y > side * 0.3 &&
      y < side * 0.5;
    mask[i] = inside ? 1 : 0;
    map[i] = random.float32() + (inside ? 0.3 : 0);
  }
  return { map, mask };
}

for (const { images, side } of CASES) {
  const { map, mask } = scene(side);
  const size = { width: side, height: side };
  const group = `${images} maps of ${side} × ${side}`;
  Deno.bench({ name: `add() one map of ${side} × ${side}`, group }, () => {
    new PixelMetrics().add(map, mask, size);
  });
  const metrics = new PixelMetrics();
  for (let i = 0; i < images; i++) {
    metrics.add(map, i % 3 === 0 ? undefined : mask, size);
  }
  Deno.bench({ name: `result() of ${group}`, group, n: 3 }, () => {
    metrics.result();
  });
}
