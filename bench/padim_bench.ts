/**
 * PaDiM's kernels on a part of the positions of WideResNet-50 (550 dimensions of
 * 3136 positions) and ResNet-18 (100): covariance, cholesky_update,
 * cholesky_diagonal, cholesky_solve in the fit, gather_columns, running_mean and
 * mahalanobis in both.
 */
import { Padim } from "../src/core/baselines/padim.ts";
import { Gpu, RowChunks } from "../src/gpu/mod.ts";

const CASES = [
  { name: "WideResNet-50", grid: [14, 14], featureDim: 1792, part: 16 },
  { name: "ResNet-18", grid: [56, 56], featureDim: 448, part: 1 },
] as const;

const gpu = await Gpu.create();

for (const { name, grid, featureDim, part } of CASES) {
  const group = `${name}, 1/${part} of the positions`;
  const images = 8;
  const positions = grid[0] * grid[1];
  const rows = RowChunks.allocate(
    gpu,
    images * positions,
    featureDim,
    "features",
    positions,
  );
  const options = { grid, featureDim, size: [224, 224] } as const;
  const padim = new Padim(gpu, options);
  await padim.add(rows);
  await padim.finish();
  Deno.bench(
    { name: `add() 8 images and finish(), ${name}`, group },
    async () => {
      using fresh = new Padim(gpu, options);
      await fresh.add(rows);
      await fresh.finish();
    },
  );
  Deno.bench({ name: `score() 8 images, ${name}`, group }, async () => {
    await padim.score(rows);
  });
}
