import { patchMerge } from "../../src/wgsl/patch_merge.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

for (
  const { columns, gridWidth } of [
    { columns: 1, gridWidth: 1 },
    { columns: 5, gridWidth: 8 },
    { columns: 70, gridWidth: 19 },
  ]
) {
  gpuTest(
    `patch_merge resamples patch columns: ${columns} on ${gridWidth}`,
    async (gpu) => {
      const [images, height, width, gridHeight] = [2, 3, 4, 5];
      const patches = gridHeight * gridWidth;
      const x = randomFloats(1, images * height * width * columns);
      const lines = new Uint32Array(gridHeight * 4);
      const shares = randomFloats(2, gridHeight).map(Math.abs);
      for (let line = 0; line < gridHeight; line++) {
        lines.set([line % height, (line + 1) % height], line * 4);
        new Float32Array(lines.buffer)[line * 4 + 2] = shares[line]!;
      }
      // Blocks of two points each, the first one shifting.
      const runs = Math.ceil(gridWidth / 8);
      const blocks = Uint32Array.from(
        Array.from({ length: runs }, (_, i) => [i % 3, 2, i * 4, 0]).flat(),
      );
      const weights = randomFloats(3, runs * 16);
      const [stride, addBelow] = [columns + 3, 3];
      const before = randomFloats(4, images * patches * stride);
      const { y } = await runBindings(gpu, patchMerge, {
        firstImage: 0,
        images,
        input: [height, width],
        grid: [gridHeight, gridWidth],
        columns,
        firstColumn: 2,
        stride,
        firstRow: 0,
        rows: images * patches - 1,
        addBelow,
      }, { x, lines, blocks, weights, y: before });

      const expected = Float64Array.from(before);
      for (let row = 0; row < images * patches - 1; row++) {
        for (let column = 0; column < columns; column++) {
          const at = row * stride + 2 + column;
          const value = merged(row, column);
          expected[at] = 2 + column < addBelow ? before[at]! + value : value;
        }
      }
      assertAllClose(y, expected, { atol: 5e-6 });

      function merged(row: number, column: number): number {
        const image = Math.floor(row / patches);
        const line = Math.floor(row % patches / gridWidth);
        const step = row % gridWidth;
        const block = Math.floor(step / 8);
        let sum = 0;
        for (let t = 0; t < 2; t++) {
          const point = blocks[block * 4]! + t;
          const source = (line: number) =>
            x[((image * height + line) * width + point) * columns + column]!;
          const share = shares[line]!;
          sum += weights[block * 16 + t * 8 + step % 8]! *
            ((1 - share) * source(lines[line * 4]!) +
              share * source(lines[line * 4 + 1]!));
        }
        return sum;
      }
    },
  );
}
