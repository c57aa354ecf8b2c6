import type { Gpu } from "../../src/gpu/mod.ts";
import {
  choleskyDiagonal,
  choleskySolve,
  choleskyUpdate,
} from "../../src/wgsl/cholesky.ts";
import {
  covariance,
  packedTriangle,
  PANEL_COLUMNS,
} from "../../src/wgsl/covariance.ts";
import { mahalanobis } from "../../src/wgsl/mahalanobis.ts";
import { runningMean } from "../../src/wgsl/running_mean.ts";
import { choleskyFactor, forwardSubstitution } from "../reference/padim.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";

/** The lower triangles in panels as dense matrices, zeros above. */
function unpack(packed: Float32Array, dim: number): number[][] {
  const matrix = Array.from(
    { length: dim },
    () => new Array<number>(dim).fill(0),
  );
  let at = 0;
  for (let panel = 0; panel < dim; panel += PANEL_COLUMNS) {
    for (let column = panel; column < panel + PANEL_COLUMNS; column++) {
      for (let row = panel; row < dim; row++, at++) {
        if (row >= column) matrix[row]![column] = packed[at]!;
      }
    }
  }
  return matrix;
}

function products(rows: readonly (readonly number[])[]): number[][] {
  return rows[0]!.map((_, i) =>
    rows[0]!.map((_, j) =>
      rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0)
    )
  );
}

function lower(matrix: readonly (readonly number[])[]): number[] {
  return matrix.flatMap((row, i) => row.map((x, j) => j <= i ? x : 0));
}

async function run(
  gpu: Gpu,
  dim: number,
  positions: number,
  lanes: number,
): Promise<void> {
  const count = dim + 3;
  const data = randomFloats(dim + positions, (positions + 1) * count * dim);
  const rowsOf = (position: number): number[][] =>
    Array.from({ length: count }, (_, n) => {
      const start = ((position + 1) * count + n) * dim;
      return [...data.subarray(start, start + dim)];
    });
  using rows = gpu.upload(data, [positions + 1, count, dim]);
  using factors = gpu.tensor([positions, packedTriangle(dim)]);
  using program = gpu.program("covariances");
  const sizes = { dim, count, slots: count, first: 1, positions, lanes };
  for (const start of [true, false]) {
    program.dispatch(covariance, { ...sizes, start }, { rows, sums: factors });
  }
  (await program.compile()).run();
  const sums = await gpu.readFloats(factors);
  const packed = packedTriangle(dim);
  const matrices = Array.from({ length: positions }, (_, p) => {
    const twice = products(rowsOf(p)).map((row) => row.map((x) => 2 * x));
    const actual = unpack(sums.subarray(p * packed, (p + 1) * packed), dim);
    assertAllClose(lower(actual), lower(twice), { rtol: 1e-5, atol: 1e-4 });
    return twice;
  });

  using steps = gpu.program("factors");
  for (let panel = 0; panel < dim / PANEL_COLUMNS; panel++) {
    const step = { dim, panel, positions, lanes };
    steps.dispatch(choleskyUpdate, { ...step, scale: 0.5, ridge: 0.1 }, {
      factors,
    });
    steps.dispatch(choleskyDiagonal, step, { factors });
    steps.dispatch(choleskySolve, step, { factors });
  }
  using means = gpu.upload(randomFloats(7, (positions + 1) * dim));
  using distances = gpu.upload(new Float32Array(5 * (positions + 1)));
  steps.dispatch(mahalanobis, {
    dim,
    images: 5,
    slots: count,
    positions: positions + 1,
    first: 1,
    count: positions,
    lanes,
  }, { rows, means, factors, distances });
  (await steps.compile()).run();
  const mean = await gpu.readFloats(means);
  const measured = await gpu.readFloats(distances);
  const actual = await gpu.readFloats(factors);
  matrices.forEach((matrix, p) => {
    const factor = choleskyFactor(
      matrix.map((row, i) => row.map((x, j) => 0.5 * x + (i === j ? 0.1 : 0))),
    );
    const below = (row: number, column: number): boolean =>
      Math.floor(row / PANEL_COLUMNS) > Math.floor(column / PANEL_COLUMNS);
    const unpacked = unpack(actual.subarray(p * packed, (p + 1) * packed), dim);
    assertAllClose(
      unpacked.flatMap((row, i) => row.filter((_, j) => below(i, j))),
      factor.flatMap((row, i) => row.filter((_, j) => below(i, j))),
      { rtol: 1e-4, atol: 1e-4 },
    );
    rowsOf(p).slice(0, 5).forEach((row, n) => {
      const y = forwardSubstitution(
        factor,
        row.map((x, i) => x - mean[(p + 1) * dim + i]!),
      );
      const expected = Math.hypot(...y);
      const at = n * (positions + 1) + p + 1;
      assertAllClose([measured[at]!], [expected], { rtol: 1e-4 });
    });
  });
}

for (
  const [dim, positions, lanes] of [
    [16, 1, 8],
    [32, 3, 8],
    [48, 33, 32],
    [144, 2, 32],
    [160, 2, 8],
  ] as const
) {
  gpuTest(
    `covariance, cholesky and mahalanobis of ${positions} × ${dim} dimensions, ${lanes} lanes`,
    (gpu) => run(gpu, dim, positions, lanes),
  );
}

gpuTest(
  "running_mean centres batches far from the origin",
  async (gpu) => {
    const [positions, dim, slots] = [3, 16, 5];
    using means = gpu.tensor([positions, dim]);
    const batches = [[11, 4], [12, 1], [13, 3]].map(([seed, count]) => ({
      count: count!,
      data: randomFloats(seed!, positions * slots * dim)
        .map((x) => 1000 + x),
    }));
    const sums = new Float64Array(positions * dim * dim);
    let before = 0;
    for (const { count, data } of batches) {
      using rows = gpu.upload(data, [positions, slots, dim]);
      using program = gpu.program("mean");
      program.dispatch(
        runningMean,
        { positions, dim, slots, count, before },
        { rows, means },
      );
      (await program.compile()).run();
      before += count;
      const centred = await gpu.readFloats(rows);
      for (let p = 0; p < positions; p++) {
        for (let n = 0; n <= count; n++) {
          const row = centred.subarray((p * slots + n) * dim);
          for (let i = 0; i < dim; i++) {
            for (let j = 0; j < dim; j++) {
              sums[(p * dim + i) * dim + j]! += row[i]! * row[j]!;
            }
          }
        }
      }
    }
    const mean = await gpu.readFloats(means);
    for (let p = 0; p < positions; p++) {
      const rows = batches.flatMap(({ count, data }) =>
        Array.from({ length: count }, (_, n) => {
          const start = (p * slots + n) * dim;
          return [...data.subarray(start, start + dim)];
        })
      );
      const expected = rows[0]!.map((_, d) =>
        rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length
      );
      assertAllClose(mean.subarray(p * dim, (p + 1) * dim), expected, {
        rtol: 1e-6,
      });
      const centred = rows.map((row) => row.map((x, d) => x - expected[d]!));
      assertAllClose(
        sums.subarray(p * dim * dim, (p + 1) * dim * dim),
        products(centred).flat(),
        { rtol: 1e-3, atol: 1e-3 },
      );
    }
  },
);
