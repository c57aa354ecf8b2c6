import { patchPool } from "../../src/wgsl/patch_pool.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

const [HEIGHT, WIDTH, CHANNELS] = [5, 11, 8] as const;

for (
  const { patchSize, step } of [
    { patchSize: 1, step: 1 },
    { patchSize: 3, step: 1 },
    { patchSize: 3, step: 2 },
    { patchSize: 5, step: 1 },
    { patchSize: 5, step: 4 },
  ]
) {
  gpuTest(
    `patch_pool sums weighted rows of neighbourhoods: p = ${patchSize}, step ${step}`,
    async (gpu) => {
      const images = 3;
      const grid = [HEIGHT, WIDTH].map((size) =>
        Math.floor((size - 1) / step) + 1
      );
      const [gridHeight, gridWidth] = grid as [number, number];
      const patches = gridHeight * gridWidth;
      const x = randomFloats(1, images * HEIGHT * WIDTH * CHANNELS);
      // First channel, first row in it, rows, first weight; the last has none.
      const rowsOf = [1, 2, patchSize + 1, 0];
      const bands = Uint32Array.from(rowsOf.flatMap((rows, i) => {
        const before = rowsOf.slice(0, i).reduce((sum, n) => sum + n, 0);
        return [2 * i, i % patchSize, rows, before * patchSize];
      }));
      const weights = randomFloats(2, (patchSize + 4) * patchSize);
      const [firstRow, rows, stride, addBelow] = [-2, 2 * patches, 6, 2];
      const before = randomFloats(3, rows * stride);
      const { y } = await runBindings(gpu, patchPool, {
        firstImage: 1,
        images: 2,
        input: [HEIGHT, WIDTH],
        channels: CHANNELS,
        patchSize,
        step,
        grid: [gridHeight, gridWidth],
        columns: rowsOf.length,
        firstColumn: 1,
        stride,
        firstRow: firstRow - patches,
        rows,
        addBelow,
      }, { x, bands, weights, y: before });

      const expected = Float64Array.from(before);
      for (let patch = 2; patch < 2 * patches; patch++) {
        rowsOf.forEach((_, column) => {
          const at = (patch + firstRow) * stride + 1 + column;
          const value = pooled(patch + patches, column);
          expected[at] = 1 + column < addBelow ? before[at]! + value : value;
        });
      }
      assertAllClose(y, expected, { atol: 5e-6 });

      function pooled(patch: number, column: number): number {
        const [channel, firstRow, count, first] = bands.subarray(column * 4);
        const image = Math.floor(patch / patches);
        const cell = patch % patches;
        const pad = (patchSize - 1) / 2;
        let sum = 0;
        for (let k = 0; k < count! * patchSize; k++) {
          const row = firstRow! + Math.floor(k / patchSize);
          const c = channel! + Math.floor(row / patchSize);
          const v = Math.floor(cell / gridWidth) * step - pad + row % patchSize;
          const u = cell % gridWidth * step - pad + k % patchSize;
          if (v < 0 || v >= HEIGHT || u < 0 || u >= WIDTH) continue;
          sum += weights[first! + k]! *
            x[((image * HEIGHT + v) * WIDTH + u) * CHANNELS + c]!;
        }
        return sum;
      }
    },
  );
}
