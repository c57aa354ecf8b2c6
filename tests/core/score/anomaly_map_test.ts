import { assertEquals, assertThrows } from "@std/assert";
import { AnomalyMaps } from "../../../src/core/score/anomaly_map.ts";
import { PRESETS } from "../../../src/core/settings/presets.ts";
import type { MapSettings } from "../../../src/core/settings/settings.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { GOLDEN_CASES, readGolden } from "../../patchcore_golden.ts";
import { anomalyMap } from "../../reference/anomaly_map.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";

type Size = readonly [number, number];

const PAPER = PRESETS.paper.map;
const ANOMALIB = PRESETS.anomalib.map;

const CASES: readonly [string, Size, Size, MapSettings][] = [
  ["paper", [28, 28], [64, 64], PAPER],
  ["anomalib", [32, 32], [64, 64], ANOMALIB],
  ["rectangles", [5, 9], [37, 70], PAPER],
  ["one patch", [1, 1], [9, 6], PAPER],
  ["one pixel", [3, 2], [1, 1], ANOMALIB],
  ["one line", [1, 7], [1, 30], ANOMALIB],
  ["a Gaussian larger than the map", [3, 4], [5, 7], PAPER],
  ["a reflected Gaussian larger than the map", [3, 4], [5, 7], ANOMALIB],
  ["no Gaussian", [6, 5], [20, 21], { ...PAPER, sigma: 0 }],
  ["a narrow Gaussian", [6, 5], [20, 21], { ...PAPER, sigma: 0.7 }],
  ["a wide Gaussian", [6, 5], [50, 40], { ...ANOMALIB, sigma: 9.5 }],
  ["patches as pixels", [20, 18], [20, 18], PAPER],
  ["fewer pixels than patches", [20, 18], [9, 8], PAPER],
  ["more lines than a workgroup has lanes", [70, 3], [90, 131], PAPER],
];

for (const [name, grid, size, settings] of CASES) {
  gpuTest(
    `AnomalyMaps equals interpolation, then Gaussian: ${name}`,
    async (gpu) => {
      const images = 3;
      const patches = grid[0] * grid[1];
      const scores = randomFloats(1, images * patches).map((s) => 2 + s);
      const actual = await makeMaps(gpu, scores, images, grid, size, settings);
      const expected = Array.from({ length: images }, (_, i) => {
        const image = scores.subarray(i * patches, (i + 1) * patches);
        return [...anomalyMap(image, grid, size, settings)];
      }).flat();
      assertAllClose(actual, expected, { rtol: 2e-6 });
    },
  );
}

gpuTest("AnomalyMaps leaves a constant map constant", async (gpu) => {
  for (const settings of [PAPER, ANOMALIB]) {
    const scores = new Float32Array(25).fill(7);
    const map = await makeMaps(gpu, scores, 1, [5, 5], [40, 41], settings);
    assertAllClose(map, new Float32Array(40 * 41).fill(7), { rtol: 1e-6 });
  }
});

gpuTest("AnomalyMaps refuses too many or too few images", (gpu) => {
  const shape = { grid: [2, 2], size: [8, 8], maxImages: 2 } as const;
  using maps = new AnomalyMaps(gpu, shape, PAPER);
  using scores = gpu.tensor([1, 4]);
  using three = gpu.tensor([3, 8, 8]);
  using two = gpu.tensor([2, 8, 8]);
  const program = gpu.program("maps");
  assertEquals(
    assertThrows(() => maps.record(program, scores, three), RangeError).message,
    "Cannot make anomaly maps of 3 images: at most 2 were planned",
  );
  assertEquals(
    assertThrows(() => maps.record(program, scores, two), RangeError).message,
    "Cannot make anomaly maps: patch scores have shape [1,4], expected 2 of 2 × 2",
  );
});

for (const name of GOLDEN_CASES) {
  gpuTest(
    `AnomalyMaps equals the published maps: ${name}`,
    async (gpu, _, shared) => {
      const golden = await readGolden(shared, name);
      const neighbours = golden.shape("nn_squared_distances")[1]!;
      const distances = golden.floats("nn_squared_distances");
      const scores = Float32Array.from(
        { length: distances.length / neighbours },
        (_, i) => {
          const row = distances.subarray(i * neighbours, (i + 1) * neighbours);
          return row.reduce((sum, value) => sum + value) / neighbours;
        },
      );
      const [images, height, width] = golden.shape("maps");
      const actual = await makeMaps(
        gpu,
        scores,
        images!,
        golden.grid,
        [height!, width!],
        { ...PAPER, sigma: Number(golden.metadata.get("sigma")) },
      );
      assertAllClose(actual, golden.floats("maps"), { rtol: 1e-5 });
    },
    { shared: true },
  );
}

async function makeMaps(
  gpu: Gpu,
  scores: Float32Array,
  images: number,
  grid: Size,
  size: Size,
  settings: MapSettings,
): Promise<Float32Array> {
  using maps = new AnomalyMaps(
    gpu,
    { grid, size, maxImages: images },
    settings,
  );
  using input = gpu.upload(scores, [images, grid[0] * grid[1]]);
  using output = gpu.tensor([images, ...size]);
  using program = gpu.program("anomaly maps");
  maps.record(program, input, output);
  await program.compile();
  program.run();
  return await gpu.readFloats(output);
}
