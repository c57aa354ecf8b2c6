import { assertEquals } from "@std/assert";
import { reweight } from "../../src/wgsl/reweight.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

const NONE = 0xffffffff;

for (
  const { images, dim, neighbours, scale } of [
    { images: 1, dim: 4, neighbours: 2, scale: 1 },
    { images: 5, dim: 100, neighbours: 9, scale: 0.3 },
    { images: 3, dim: 1536, neighbours: 16, scale: 1 },
    { images: 2, dim: 64, neighbours: 9, scale: 1000 },
  ]
) {
  gpuTest(
    `reweight is Eq. 7: ${neighbours} rows of ${dim}, scale ${scale}`,
    async (gpu) => {
      const rows = images * 3;
      const queries = randomFloats(1, rows * dim).map((v) => v * scale);
      const around = randomFloats(2, images * neighbours * dim)
        .map((v) => v * scale);
      const worst = Uint32Array.from(
        { length: images },
        (_, i) => rows - 1 - i,
      );
      const { scores } = await runBindings(
        gpu,
        reweight,
        { images, dim, neighbours },
        {
          queries,
          worst,
          neighbours: around,
          indices: new Uint32Array(images * neighbours),
          scores: new Float32Array(images).fill(10),
        },
      );
      const expected = Array.from({ length: images }, (_, image) => {
        const distances = Array.from(
          { length: neighbours },
          (_, i) =>
            Math.sqrt(sum(dim, (d) =>
              (queries[worst[image]! * dim + d]! -
                around[(image * neighbours + i) * dim + d]!) ** 2)),
        );
        return 10 * weight(distances);
      });
      assertAllClose(scores, expected, { rtol: 1e-5 });
    },
  );
}

gpuTest("reweight leaves out neighbours that were not found", async (gpu) => {
  const { scores } = await runBindings(
    gpu,
    reweight,
    { images: 3, dim: 4, neighbours: 3 },
    {
      queries: new Float32Array(4),
      worst: new Uint32Array(3),
      neighbours: Float32Array.from(
        { length: 36 },
        (_, i) => i % 4 === 0 ? 1 + i / 4 : 0,
      ),
      indices: Uint32Array.of(4, 7, NONE, 5, NONE, NONE, NONE, NONE, NONE),
      scores: Float32Array.of(1, 2, 3),
    },
  );
  assertAllClose(scores, [weight([1, 2]), 2, 3]);
});

gpuTest("reweight keeps NaN", async (gpu) => {
  const { scores } = await runBindings(
    gpu,
    reweight,
    { images: 1, dim: 4, neighbours: 2 },
    {
      queries: new Float32Array(4),
      worst: new Uint32Array(1),
      neighbours: new Float32Array(8),
      indices: Uint32Array.of(1, 2),
      scores: Float32Array.of(NaN),
    },
  );
  assertEquals([...scores], [NaN]);
});

/** 1 − softmax(distances)[nearest]. */
function weight(distances: readonly number[]): number {
  const most = Math.max(...distances);
  const total = sum(distances.length, (i) => Math.exp(distances[i]! - most));
  return 1 - Math.exp(Math.min(...distances) - most) / total;
}

function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}
