import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Padim, planPadim } from "../../../src/core/baselines/padim.ts";
import { BASELINE_MAP } from "../../../src/core/baselines/scored_images.ts";
import { anomalyMap } from "../../reference/anomaly_map.ts";
import { padimDistances } from "../../reference/padim.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { narrow, uploadRows } from "../coreset/some_rows.ts";

const SIZE = [18, 23] as const;

/** Correlated features with an offset, as networks make them. */
function features(
  seed: number,
  rows: number,
  dim: number,
  offset = 0,
): Float32Array<ArrayBuffer> {
  const noise = randomFloats(seed, rows * dim);
  return noise.map((x, i) =>
    offset + x + (i % dim === 0 ? 0 : 0.7 * noise[i - 1]!)
  );
}

function nested(data: Float32Array, positions: number, dim: number) {
  const images = data.length / (positions * dim);
  return Array.from(
    { length: images },
    (_, n) =>
      Array.from({ length: positions }, (_, p) => {
        const start = (n * positions + p) * dim;
        return data.subarray(start, start + dim);
      }),
  );
}

for (
  const { grid, featureDim, dims, train, test, maxImages, offset, bytes } of [
    { grid: [1, 1], featureDim: 1, dims: 1, train: 2, test: 1 },
    { grid: [3, 4], featureDim: 20, dims: 16, train: 9, test: 3 },
    { grid: [2, 2], featureDim: 45, dims: 33, train: 50, test: 5 },
    {
      grid: [5, 3],
      featureDim: 24,
      dims: 17,
      train: 11,
      test: 6,
      maxImages: 4,
    },
    { grid: [2, 3], featureDim: 30, dims: 30, train: 40, test: 9, offset: 50 },
    {
      grid: [4, 5],
      featureDim: 52,
      dims: 49,
      train: 7,
      test: 2,
      bytes: 20_000,
    },
    { grid: [2, 2], featureDim: 12, dims: 5, train: 1, test: 2 },
    { grid: [2, 1], featureDim: 130, dims: 130, train: 30, test: 3 },
  ] as const
) {
  gpuTest(
    `Padim scores ${grid} positions of ${dims} dimensions after ${train} images as the float64 reference`,
    async (gpu) => {
      const device = narrow(gpu, bytes ?? gpu.maxTensorBytes);
      const positions = grid[0] * grid[1];
      const dim = Math.ceil(featureDim / 4) * 4;
      const trainData = features(1, train * positions, dim, offset);
      const testData = features(2, test * positions, dim, offset);
      using trainRows = uploadRows(gpu, trainData, dim);
      using testRows = uploadRows(gpu, testData, dim);
      using padim = new Padim(device, {
        grid,
        featureDim,
        dims,
        size: SIZE,
        seed: 3,
        ...(maxImages && { maxImages }),
      });
      await padim.add(trainRows);
      let progress = 0;
      await padim.finish((done) => progress = done);
      assertEquals(progress, positions);
      const result = await padim.score(testRows);
      const expected = padimDistances(
        nested(trainData, positions, dim),
        nested(testData, positions, dim),
        [...padim.plan.dims],
      );
      const pixels = SIZE[0] * SIZE[1];
      expected.forEach((distances, n) => {
        const actual = result.distances.subarray(
          n * positions,
          (n + 1) * positions,
        );
        assertAllClose(actual, distances, { rtol: 1e-4, atol: 1e-4 });
        const map = anomalyMap(distances, grid, SIZE, BASELINE_MAP);
        const actualMap = result.maps.subarray(n * pixels, (n + 1) * pixels);
        assertAllClose(actualMap, map, { rtol: 1e-4, atol: 1e-4 });
        assertEquals(result.scores[n], Math.max(...actualMap));
      });
    },
  );
}

gpuTest("Padim gives the same whatever the batches", async (gpu) => {
  const [positions, dim] = [6, 20];
  const train = features(4, 13 * positions, dim, 20);
  const test = features(5, 5 * positions, dim, 20);
  const run = async (maxImages: number, calls: number[]) => {
    using padim = new Padim(gpu, {
      grid: [2, 3],
      featureDim: dim,
      dims: 18,
      size: SIZE,
      maxImages,
    });
    let from = 0;
    for (const count of calls) {
      const end = from + count * positions * dim;
      using rows = uploadRows(gpu, train.slice(from, end), dim);
      await padim.add(rows);
      from = end;
    }
    await padim.finish();
    using rows = uploadRows(gpu, test, dim);
    return (await padim.score(rows)).distances;
  };
  const whole = await run(13, [13]);
  assertAllClose(await run(4, [13]), whole, { rtol: 1e-4 });
  assertAllClose(await run(8, [1, 5, 7]), whole, { rtol: 1e-4 });
  assertEquals(await run(8, [1, 5, 7]), await run(8, [1, 5, 7]));
});

gpuTest("Padim refuses features that float32 cannot factor", async (gpu) => {
  const values = randomFloats(5, 2 * 4 * 64).map((x) => 1e9 * x);
  using rows = uploadRows(gpu, values, 64);
  using padim = new Padim(gpu, { grid: [2, 2], featureDim: 64, size: SIZE });
  await padim.add(rows);
  await padim.finish();
  await assertRejects(
    () => padim.score(rows),
    RangeError,
    "could not be factored in float32",
  );
});

gpuTest("Padim refuses steps in the wrong order", async (gpu) => {
  using rows = uploadRows(gpu, features(1, 8, 4), 4);
  using padim = new Padim(gpu, { grid: [2, 2], featureDim: 4, size: SIZE });
  await assertRejects(() => padim.finish(), TypeError, "no training image");
  await assertRejects(() => padim.score(rows), TypeError, "not finished");
  await assertRejects(() => padim.add(rows, 3), RangeError, "3 images");
  await padim.add(rows);
  await padim.finish();
  await assertRejects(() => padim.add(rows), TypeError, "finished");
});

Deno.test("planPadim() keeps WideResNet-50 within 128 MiB bindings", () => {
  const plan = planPadim({
    grid: [56, 56],
    featureDim: 1792,
    size: [224, 224],
  }, 128 * 2 ** 20);
  assertEquals(plan.dims.length, 550);
  assertEquals(plan.positionsPerChunk, 208);
  assertEquals(plan.factorBytes, 3136 * 16 * 16 * 35 * 36 / 2 * 4);
  assert(plan.bytes < 2.2e9, `${plan.bytes} bytes`);
  assertEquals([...plan.dims], [...plan.dims].toSorted((a, b) => a - b));
  assertEquals(new Set(plan.dims).size, 550);
});

Deno.test("planPadim() says what does not fit", () => {
  const options = { grid: [56, 56], featureDim: 448, size: [8, 8] } as const;
  assertEquals(planPadim(options, 2 ** 27).dims.length, 100);
  assertThrows(
    () => planPadim({ ...options, maxBytes: 5e7 }, 2 ** 27),
    RangeError,
    "dimensions fit",
  );
  assertThrows(
    () => planPadim({ ...options, dims: Uint32Array.of(448) }, 2 ** 27),
    RangeError,
    "of 448 dimensions",
  );
  assertThrows(() => planPadim(options, 1000), RangeError, "binds at once");
});
