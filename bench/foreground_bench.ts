/**
 * Masks of the foreground of real grids: the kernels `principal_mean`,
 * `principal_project`, `principal_combine`, `principal_step` and
 * `principal_direction` (together) and `foreground_mask`, and `unit_rows`, `mask_distances` and `top_mean`, which
 * come with them in AnomalyDINO. The time includes reading one value back.
 */
import { PrincipalComponents } from "../src/core/features/principal_components.ts";
import { Gpu } from "../src/gpu/mod.ts";
import {
  foregroundMask,
  maskDistances,
  topMean,
  unitRows,
} from "../src/wgsl/mod.ts";

const CASES = [
  { images: 1, grid: [32, 32], dim: 384 },
  { images: 8, grid: [32, 32], dim: 384 },
  { images: 1, grid: [48, 48], dim: 384 },
  { images: 1, grid: [32, 32], dim: 768 },
  { images: 1, grid: [28, 28], dim: 1024 },
] as const;

const gpu = await Gpu.create();

for (const { images, grid, dim } of CASES) {
  const [height, width] = grid;
  const patches = height * width;
  const rows = images * patches;
  const name = `${images} × ${height} × ${width} × ${dim}`;
  const x = gpu.upload(noise(rows * dim), [rows, dim]);
  const y = gpu.tensor([images, patches]);
  const principal = new PrincipalComponents(gpu, { images, patches, dim });
  const components = gpu.program("principal components");
  principal.record(components, x, y, images);
  const mask = gpu.tensor([images, patches], "u32");
  const distances = gpu.upload(noise(rows), [rows, 1]);
  const scores = gpu.tensor([images]);
  const kernels = {
    principal: components,
    foreground_mask: gpu.program("foreground mask").dispatch(
      foregroundMask,
      { images, grid, threshold: 0.1, line: false },
      { components: y, mask },
    ),
    unit_rows: gpu.program("unit rows")
      .dispatch(unitRows, { rows, dim }, { rows: x }),
    mask_distances: gpu.program("mask distances")
      .dispatch(maskDistances, { rows, neighbours: 1 }, { mask, distances }),
    top_mean: gpu.program("top mean").dispatch(
      topMean,
      { images, patches, count: Math.floor(patches / 100) },
      { patch_scores: distances, scores },
    ),
  };
  for (const [kernel, program] of Object.entries(kernels)) {
    await program.compile();
    program.run();
    Deno.bench({
      name,
      group: kernel,
      n: 20,
      warmup: 3,
      async fn() {
        program.run();
        await gpu.read(scores);
      },
    });
  }
}

function noise(length: number): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}
