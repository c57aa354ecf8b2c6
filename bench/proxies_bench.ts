/**
 * Learning proxies, 8 steps: product, row_norms, proxy_weights, proxy_residual,
 * proxy_coefficients and proxy_step at the size of 1 % of a category's patches
 * (1670 proxies of 1024 elements, batches of 256), and a small one.
 */
import { learnProxies } from "../src/core/baselines/proxies.ts";
import { Gpu, RowChunks } from "../src/gpu/mod.ts";

const gpu = await Gpu.create();

for (
  const { rows, dim, count } of [
    { rows: 4000, dim: 128, count: 400 },
    { rows: 4000, dim: 1024, count: 1670 },
  ]
) {
  const features = RowChunks.allocate(gpu, rows, dim, "features");
  const data = new Float32Array(rows * dim).map(() => Math.random());
  gpu.write(features.chunks[0]!, data);
  Deno.bench({
    name: `8 steps, ${count} proxies of ${dim} elements`,
    n: 3,
    warmup: 1,
  }, async () => {
    const learned = await learnProxies(gpu, features, { count, steps: 8 });
    learned.rows.dispose();
  });
}
