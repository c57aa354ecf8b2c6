import { anomalyMap } from "../../src/wgsl/anomaly_map.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

for (
  const [images, lines, points, outputs] of [
    [1, 1, 1, 1],
    [2, 5, 4, 8],
    [3, 65, 9, 30],
    [2, 28, 40, 7],
  ] as const
) {
  gpuTest(
    `anomaly_map multiplies one axis and transposes: ${images} of ${lines} × ${points} to ${outputs}`,
    async (gpu) => {
      const x = randomFloats(1, images * lines * points);
      const count = Math.ceil(outputs / 8);
      const bands = Array.from({ length: count }, (_, i) => {
        const first = i % points;
        return { first, size: Math.min(3 + i, points - first) };
      });
      let at = 0;
      const blocks = Uint32Array.from(bands.flatMap(({ first, size }) => {
        const start = at;
        at += size * 2;
        return [first, size, start, 0];
      }));
      const weights = randomFloats(2, at * 4);
      const { y } = await runBindings(
        gpu,
        anomalyMap,
        { images, lines, points, outputs },
        { x, blocks, weights, y: new Float32Array(images * outputs * lines) },
      );
      const expected = Array.from({ length: y.length }, (_, i) => {
        const line = i % lines;
        const output = Math.floor(i / lines) % outputs;
        const image = Math.floor(i / lines / outputs);
        const [first, size, start] = blocks.subarray(
          Math.floor(output / 8) * 4,
        ) as unknown as [number, number, number];
        let sum = 0;
        for (let t = 0; t < size; t++) {
          sum += weights[start * 4 + t * 8 + output % 8]! *
            x[(image * lines + line) * points + first + t]!;
        }
        return sum;
      });
      assertAllClose(y, expected, { atol: 5e-6 });
    },
  );
}
