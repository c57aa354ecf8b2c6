/**
 * AnomalyDINO's small case, made with its published code: every step after the
 * network.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { PrincipalComponents } from "../../src/core/features/principal_components.ts";
import { UNIT_RANGE } from "../../src/core/images/normalise.ts";
import type { Pixels } from "../../src/core/images/pixels.ts";
import { Preprocessor } from "../../src/core/images/preprocess.ts";
import { viewsOf } from "../../src/core/images/views.ts";
import { AnomalyMaps } from "../../src/core/score/anomaly_map.ts";
import { topCount } from "../../src/core/score/distance_scale.ts";
import { ImageScores } from "../../src/core/score/image_score.ts";
import { BankSearch } from "../../src/core/search/search.ts";
import { PRESETS } from "../../src/core/settings/presets.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import { type Gpu, RowChunks } from "../../src/gpu/mod.ts";
import { readSafetensors } from "../../src/nn/safetensors.ts";
import type { StoredTensor } from "../../src/nn/stored_tensor.ts";
import { foregroundMask, topMean, unitRows } from "../../src/wgsl/mod.ts";
import {
  assertAllClose,
  gpuTest,
  relativeError,
  type SharedPath,
  sharedTest,
} from "../testing.ts";
import { runBindings } from "../wgsl/run_bindings.ts";

const DIM = 48;
const PRESET = PRESETS.anomalydino;
const IMAGES = ["ref0", "ref1", "test0", "test1"] as const;
const TESTS = ["test0", "test1"] as const;

type Golden = ReadonlyMap<string, StoredTensor>;

async function golden(shared: SharedPath): Promise<Golden> {
  const path = shared("golden", "vit", "anomalydino.safetensors");
  return readSafetensors(await Deno.readFile(path)).tensors;
}

function floats(golden: Golden, name: string): Float32Array<ArrayBuffer> {
  return Float32Array.from(golden.get(name)!.data as Float32Array);
}

function numbers(golden: Golden, name: string): number[] {
  return Array.from(golden.get(name)!.data as Uint8Array, Number);
}

function gridOf(golden: Golden, name: string): [number, number] {
  return [...golden.get(`${name}.mask.flat`)!.shape] as [number, number];
}

/** An RGB image of the golden as pixels. */
function pixels(golden: Golden, name: string): Pixels {
  const { shape: [height, width], data } = golden.get(name)!;
  const rgb = data as Uint8Array;
  const rgba = new Uint8Array(width! * height! * 4).fill(255);
  for (let i = 0; i < width! * height!; i++) {
    rgba.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  }
  return { width: width!, height: height!, data: rgba };
}

for (const name of TESTS) {
  gpuTest(
    `Preprocessor resizes ${name} as Pillow's BICUBIC and cuts to whole patches`,
    async (gpu, _, shared) => {
      const values = await golden(shared);
      using preprocessor = new Preprocessor(gpu, {
        resize: 70,
        crop: null,
        multiple: 14,
        resample: "bicubic",
        normalise: UNIT_RANGE,
      });
      const { tensor, geometries } = await preprocessor.encode([
        pixels(values, `${name}.image`),
      ]);
      const encoded = await gpu.readFloats(tensor);
      const [, height, width] = tensor.shape;
      const { data, shape: [, wide] } = values.get(`${name}.resized`)!;
      const expected = Array.from(
        { length: height! * width! * 3 },
        (_, i) => {
          const [pixel, c] = [Math.floor(i / 3), i % 3];
          const [y, x] = [Math.floor(pixel / width!), pixel % width!];
          return (data as Uint8Array)[(y * wide! + x) * 3 + c]!;
        },
      );
      const actual = encoded.filter((_, i) => i % 4 < 3)
        .map((x) => Math.round(x * 255));
      assertEquals([height, width], name === "test0" ? [70, 98] : [98, 70]);
      assertEquals([...actual], expected);
      // What is cut lies right and below.
      const [{ left, top, right, bottom }] = geometries as [
        typeof geometries[0],
      ];
      assertEquals([left, top], [0, 0]);
      assert(right! < (name === "test0" ? 115 : 80.1));
      assert(bottom! < (name === "test0" ? 80.1 : 115));
    },
    { shared: true },
  );
}

for (const name of IMAGES) {
  for (const line of [true, false]) {
    gpuTest(
      `the foreground of ${name} is AnomalyDINO's, ${
        line ? "along rows as published" : "on the grid as anomalib's"
      }`,
      async (gpu, _, shared) => {
        const values = await golden(shared);
        const grid = gridOf(values, name);
        const patches = grid[0] * grid[1];
        const y = await componentsOf(
          gpu,
          floats(values, `${name}.features`),
          patches,
        );
        const projected = floats(values, `${name}.pca.projected`);
        const error = relativeError(y, projected);
        assert(error < 1e-5, `relative error ${error}`);
        const { mask } = await runBindings(
          gpu,
          foregroundMask,
          { images: 1, grid, threshold: PRESET.foreground.threshold, line },
          { components: y, mask: new Uint32Array(patches) },
        );
        const key = line ? "flat" : "grid";
        assertEquals([...mask!], numbers(values, `${name}.mask.${key}`));
      },
      { shared: true },
    );
  }
}

async function componentsOf(
  gpu: Gpu,
  features: Float32Array<ArrayBuffer>,
  patches: number,
): Promise<Float32Array<ArrayBuffer>> {
  using x = gpu.upload(features);
  using components = gpu.tensor([1, patches]);
  const sizes = { images: 1, patches, dim: DIM };
  using principal = new PrincipalComponents(gpu, sizes);
  using program = gpu.program("principal components");
  principal.record(program, x, components, 1);
  await program.compile();
  program.run();
  return await gpu.readFloats(components);
}

/** Scores of a golden image. */
async function scored(
  gpu: Gpu,
  values: Golden,
  name: string,
  mask: readonly number[] | undefined,
) {
  const unit = await runBindings(
    gpu,
    unitRows,
    { rows: 35, dim: DIM },
    { rows: floats(values, `${name}.features`) },
  );
  using bank = RowChunks.allocate(gpu, 70, DIM, "bank");
  gpu.write(bank.chunks[0]!, floats(values, "bank"));
  using search = await BankSearch.create(gpu, bank);
  using queries = gpu.upload(unit.rows, [35, DIM]);
  using program = gpu.program("scores");
  using scores = new DisposableStack();
  const found = scores.use(search.record(program, queries, { rows: 35, k: 1 }));
  const masked = mask && scores.use(gpu.upload(Uint32Array.from(mask), [35]));
  const recorded = scores.use(
    new ImageScores(gpu, bank, search, PRESET).record(program, {
      ...{ queries, found, images: 1, patches: 35 },
      ...(masked && { mask: masked }),
    }),
  );
  await program.compile();
  program.run();
  const [patchScores, score, nearest] = await gpu.readAll([
    recorded.patchScores,
    recorded.scores,
    found.indices,
  ]);
  return { unit: unit.rows, patchScores, score: score![0]!, nearest };
}

for (const name of TESTS) {
  gpuTest(
    `distances, neighbours and scores of ${name} are AnomalyDINO's`,
    async (gpu, _, shared) => {
      const values = await golden(shared);
      const mask = numbers(values, `${name}.mask.flat`);
      const result = await scored(gpu, values, name, mask);
      assertAllClose(result.unit!, floats(values, `${name}.unit`));
      assertEquals([...result.nearest!], numbers(values, `${name}.nearest`));
      assertAllClose(
        result.patchScores!,
        numbers(values, `${name}.distances`),
        { rtol: 1e-5, atol: 1e-6 },
      );
      assertAllClose([result.score], numbers(values, `${name}.score`));
      const whole = await scored(gpu, values, name, undefined);
      assertAllClose([whole.score], numbers(values, `${name}.score.unmasked`));
    },
    { shared: true },
  );

  gpuTest(
    `the map of ${name} at its own size is AnomalyDINO's`,
    async (gpu, _, shared) => {
      const values = await golden(shared);
      const map = await mapOf(
        gpu,
        numbers(values, `${name}.distances`),
        {
          grid: gridOf(values, name),
          size: [...values.get(`${name}.map`)!.shape] as [number, number],
        },
        PRESET.map,
      );
      assertAllClose(map, floats(values, `${name}.map`));
    },
    { shared: true },
  );
}

gpuTest(
  "distances and the map of test0 are anomalib's with its mask",
  async (gpu, _, shared) => {
    const values = await golden(shared);
    const mask = numbers(values, "test0.mask.grid");
    const { patchScores } = await scored(gpu, values, "test0", mask);
    assertAllClose(
      patchScores!,
      floats(values, "test0.anomalib.distances"),
    );
    const map = await mapOf(
      gpu,
      patchScores!,
      { grid: [5, 7], size: [70, 98] },
      PRESETS.anomalib.map,
    );
    assertAllClose(map, floats(values, "test0.anomalib.map"));
  },
  { shared: true },
);

async function mapOf(
  gpu: Gpu,
  distances: ArrayLike<number>,
  shape: { readonly grid: [number, number]; readonly size: [number, number] },
  settings: Settings["map"],
): Promise<Float32Array> {
  using maps = new AnomalyMaps(gpu, { ...shape, maxImages: 1 }, settings);
  using scores = gpu.upload(Float32Array.from(distances));
  using map = gpu.tensor([1, ...shape.size]);
  using program = gpu.program("map");
  maps.record(program, scores, map);
  await program.compile();
  program.run();
  return await gpu.readFloats(map);
}

for (const patches of [35, 99, 100, 250, 1024, 1369, 2304]) {
  gpuTest(
    `the score of ${patches} patches is AnomalyDINO's`,
    async (gpu, _, shared) => {
      const values = await golden(shared);
      const { scores } = await runBindings(
        gpu,
        topMean,
        { images: 1, patches, count: topCount(patches, PRESET.topShare) },
        {
          patch_scores: floats(values, `top.${patches}.values`),
          scores: new Float32Array(1),
        },
      );
      assertAllClose(scores!, numbers(values, `top.${patches}.score`));
    },
    { shared: true },
  );
}

sharedTest("viewsOf() rotates as AnomalyDINO does", async (t, shared) => {
  const values = await golden(shared);
  const image = pixels(values, "rotate.image");
  const views = viewsOf(PRESET.augment);
  assertEquals(views.length, 8);
  for (const [i, view] of views.entries()) {
    await t.step(`by ${i * 45}°`, () => {
      const expected = pixels(values, `rotate.${i * 45}`).data;
      const { data } = view.apply(image);
      // Halves may fall on either side of exact arithmetic's.
      const off = data.filter((x, at) => x !== expected[at]).length;
      assert(off === 0, `${off} of ${data.length} levels differ`);
    });
  }
});
