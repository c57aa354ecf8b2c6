import { toNhwc } from "../../src/nn/layout.ts";
import { concat } from "../../src/wgsl/concat.ts";
import { floats } from "../reference/operands.ts";
import { Concat } from "../reference/operators.ts";
import { assertAllClose, gpuTest } from "../testing.ts";
import {
  guardedOutput,
  paddedSize,
  randomTensor,
  readOutput,
  withoutPadding,
} from "./run_kernel.ts";

const CASES: readonly {
  image: [number, number, number];
  channels: number[];
}[] = [
  { image: [1, 1, 1], channels: [1, 1] },
  { image: [2, 7, 3], channels: [3, 5, 1] },
  { image: [1, 14, 14], channels: [64, 32, 32] },
  { image: [1, 2, 33], channels: [45, 512] },
  { image: [2, 2, 2], channels: [1, 1, 1, 1, 1] },
  { image: [1, 5, 5], channels: [7] },
];

gpuTest(
  "concat puts every input in its place and zeroes the padding",
  async (gpu, t) => {
    for (const { image: [images, height, width], channels } of CASES) {
      await t.step(
        `[${images}, ${channels}, ${height}, ${width}]`,
        async () => {
          const inputs = channels.map((count, i) =>
            randomTensor(i, [images, count, height, width])
          );
          const expected = Concat(inputs, { axis: 1 });
          const total = expected.shape[1]!;
          const pixels = images * height * width;
          using y = guardedOutput(gpu, paddedSize(expected.shape));
          using program = gpu.program("concat test");
          let offset = 0;
          const uploaded = inputs.map(({ data, shape }) => {
            const count = shape[1]!;
            const x = gpu.upload(toNhwc(data, shape));
            program.dispatch(concat, { pixels, count, offset, total }, {
              x,
              y,
            });
            offset += count;
            return x;
          });
          await program.compile();
          program.run();
          assertAllClose(
            withoutPadding(await readOutput(gpu, y), expected.shape),
            floats(expected),
            { rtol: 0, atol: 0 },
          );
          for (const x of uploaded) x.dispose();
        },
      );
    }
  },
);
