import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Gpu, RowChunks, type Tensor } from "../../../src/gpu/mod.ts";
import {
  PatchFeatures,
  type TapShape,
} from "../../../src/core/features/mod.ts";
import { assertAllClose, gpuTest, randomFloats } from "../../testing.ts";
import { type Options, patchFeatures } from "../../reference/patch_features.ts";

interface Case {
  readonly name: string;
  /** `[height, width, channels]` of each layer. */
  readonly taps: readonly (readonly [number, number, number])[];
  readonly options?: Partial<Options>;
  readonly images?: number;
}

const DEFAULTS: Options = {
  patchSize: 3,
  stride: 1,
  layerDim: 16,
  dim: 16,
  merge: "bilinear",
};

const CASES: readonly Case[] = [
  { name: "two layers", taps: [[6, 6, 8], [3, 3, 16]] },
  { name: "one layer", taps: [[5, 7, 6]], options: { dim: 10 } },
  { name: "1×1 maps", taps: [[1, 1, 8], [1, 1, 4]] },
  {
    name: "a neighbourhood larger than the map",
    taps: [[3, 2, 4], [2, 1, 8]],
    options: { patchSize: 7 },
  },
  { name: "p = 1", taps: [[4, 4, 8], [2, 2, 8]], options: { patchSize: 1 } },
  { name: "p = 5", taps: [[9, 8, 8], [5, 4, 8]], options: { patchSize: 5 } },
  { name: "stride 2", taps: [[9, 9, 8], [5, 5, 8]], options: { stride: 2 } },
  { name: "stride 3", taps: [[11, 8, 8], [6, 4, 8]], options: { stride: 3 } },
  {
    name: "a stride larger than the map",
    taps: [[4, 4, 8], [2, 2, 8]],
    options: { stride: 9 },
  },
  {
    name: "sizes that are no multiple of 4",
    taps: [[5, 9, 5], [3, 5, 7]],
    options: { layerDim: 13, dim: 11 },
  },
  {
    name: "more dimensions than elements",
    taps: [[4, 4, 3], [2, 2, 2]],
    options: { layerDim: 50, dim: 130 },
  },
  {
    name: "one dimension of three layers",
    taps: [[6, 6, 4], [3, 3, 5], [2, 2, 6]],
    options: { layerDim: 7, dim: 1 },
  },
  {
    name: "dimensions that layers share",
    taps: [[6, 6, 4], [3, 3, 5], [2, 2, 6]],
    options: { layerDim: 7, dim: 5 },
  },
  {
    name: "channels, concatenated",
    taps: [[6, 5, 6], [3, 3, 9]],
    options: { layerDim: "channels", dim: "concat" },
  },
  {
    name: "channels, averaged",
    taps: [[6, 5, 6], [3, 3, 9]],
    options: { layerDim: "channels", dim: 8 },
  },
  {
    name: "nearest merge",
    taps: [[7, 10, 8], [3, 4, 8]],
    options: { merge: "nearest" },
  },
  { name: "layers of one size", taps: [[4, 4, 8], [4, 4, 12]] },
  {
    name: "a first layer of lower resolution",
    taps: [[3, 3, 8], [6, 6, 8]],
  },
  { name: "280 pixels: 35 to 18", taps: [[35, 35, 4], [18, 18, 4]], images: 1 },
  {
    name: "more columns than a workgroup has lanes",
    taps: [[9, 17, 32], [5, 9, 64]],
    options: { layerDim: 200, dim: 150 },
  },
];

for (const { name, taps, options, images = 2 } of CASES) {
  gpuTest(`PatchFeatures equals the published steps: ${name}`, async (gpu) => {
    const settings = { ...DEFAULTS, ...options };
    const data = makeTaps(taps, images);
    const shapes = taps.map(tapShape);
    using features = new PatchFeatures(gpu, shapes, settings, images);
    using rows = RowChunks.allocate(
      gpu,
      images * features.patches,
      features.paddedDim,
      "features",
    );
    const actual = await run(gpu, features, data, rows);
    const expected = expectedRows(data, settings, features.paddedDim);
    assertEquals(features.dim, expected.dim);
    assertEquals([features.height, features.width], expected.grid);
    assertAllClose(actual, expected.values, { rtol: 1e-5, atol: 5e-6 });
  });
}

gpuTest("PatchFeatures writes a batch across chunks", async (gpu) => {
  const taps = [[4, 5, 8], [2, 3, 8]] as const;
  const data = makeTaps(taps, 4);
  using features = new PatchFeatures(gpu, taps.map(tapShape), DEFAULTS, 4);
  const rowBytes = features.paddedDim * 4;
  const narrow = { ...bindLimit(gpu, rowBytes * 27) } as Gpu;
  const firstRow = 7;
  using rows = RowChunks.allocate(narrow, 90, features.paddedDim, "features");
  assertEquals(rows.rowsPerChunk, 27);
  for (const chunk of rows.chunks) gpu.write(chunk, filled(chunk.size, -5));
  const actual = await run(gpu, features, data, rows, { firstRow, images: 3 });
  const { values } = expectedRows(data, DEFAULTS, features.paddedDim);
  const expected = filled(rows.rows * rows.dim, -5);
  expected.set(
    values.subarray(0, 3 * features.patches * rows.dim),
    firstRow * rows.dim,
  );
  assertAllClose(actual, expected);
});

gpuTest(
  "PatchFeatures gives (S + x) / (p² + 1) of 512 channels",
  async (gpu) => {
    for (const patchSize of [3, 5]) {
      const taps = [[6, 5, 512], [3, 3, 1024]] as const;
      const data = makeTaps(taps, 1);
      const settings = { ...DEFAULTS, patchSize, layerDim: 1024, dim: 1024 };
      using features = new PatchFeatures(gpu, taps.map(tapShape), settings, 1);
      using rows = RowChunks.allocate(gpu, 30, 1024, "features");
      const actual = await run(gpu, features, data, rows);
      const [tap] = data[0]!;
      const pad = (patchSize - 1) / 2;
      for (let row = 0; row < 30; row++) {
        const [y, x] = [Math.floor(row / 5), row % 5];
        for (const channel of [0, 1, 255, 511]) {
          let sum = tap!.data[row * 512 + channel]!;
          for (let v = Math.max(0, y - pad); v <= Math.min(5, y + pad); v++) {
            for (let u = Math.max(0, x - pad); u <= Math.min(4, x + pad); u++) {
              sum += tap!.data[(v * 5 + u) * 512 + channel]!;
            }
          }
          const expected = sum / (patchSize ** 2 + 1);
          assertAllClose([actual[row * 1024 + channel]!], [expected], {
            atol: 4e-7,
          });
        }
      }
    }
  },
);

gpuTest("PatchFeatures keeps a bad pixel out of other patches", async (gpu) => {
  const taps = [[5, 5, 4]] as const;
  const [[tap]] = makeTaps(taps, 1) as [[Tap]];
  tap.data[12 * 4] = NaN;
  using features = new PatchFeatures(gpu, taps.map(tapShape), DEFAULTS, 1);
  using rows = RowChunks.allocate(gpu, 25, 16, "features");
  const actual = await run(gpu, features, [[tap]], rows);
  for (let patch = 0; patch < 25; patch++) {
    const near = Math.abs(Math.floor(patch / 5) - 2) <= 1 &&
      Math.abs(patch % 5 - 2) <= 1;
    const row = actual.subarray(patch * 16, patch * 16 + 16);
    assertEquals(row.some(Number.isNaN), near, `patch ${patch}`);
  }
});

gpuTest("PatchFeatures refuses what does not fit", (gpu) => {
  const shapes = [tapShape([4, 4, 6]), tapShape([2, 2, 8])];
  using features = new PatchFeatures(gpu, shapes, DEFAULTS, 2);
  using good = gpu.tensor([2, 4, 4, 8]);
  using second = gpu.tensor([2, 2, 2, 8]);
  using large = gpu.tensor([3, 4, 4, 8]);
  using rows = RowChunks.allocate(gpu, 32, 16, "features");
  using narrow = RowChunks.allocate(gpu, 32, 12, "features");
  const message = (
    taps: readonly Tensor[],
    target: RowChunks,
    where = {},
  ): string =>
    assertThrows(
      () => features.record(gpu.program("p"), taps, target, where),
      RangeError,
    ).message;
  assertEquals(
    message([second, second], rows),
    'Cannot make patch features: tap "4×4" has shape [2,2,2,8], expected [N, 4, 4, 8]',
  );
  assertStringIncludes(message([good], rows), 'tap "2×2" has shape []');
  assertStringIncludes(
    message([large, second], rows),
    "at most 2 were planned",
  );
  assertStringIncludes(message([good, second], narrow), "expected 16");
  assertEquals(
    message([good, second], rows, { firstRow: 1 }),
    "Cannot write patch features to rows 1 to 32: there are 32 rows",
  );
  assertThrows(() => new PatchFeatures(gpu, [], DEFAULTS, 1), RangeError);
  assertThrows(
    () => new PatchFeatures(gpu, [tapShape([0, 4, 4])], DEFAULTS, 1),
    RangeError,
    "is empty",
  );
});

interface Tap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float32Array<ArrayBuffer>;
}

function tapShape(
  [height, width, channels]: readonly [number, number, number],
): TapShape {
  return { name: `${height}×${width}`, height, width, channels };
}

/** Random taps, by image and layer. */
function makeTaps(
  taps: readonly (readonly [number, number, number])[],
  images: number,
): Tap[][] {
  return Array.from(
    { length: images },
    (_, image) =>
      taps.map(([height, width, channels], layer) => ({
        height,
        width,
        channels,
        data: randomFloats(image * 10 + layer, height * width * channels),
      })),
  );
}

/** Uploads a layer of all images, channels padded to 4. */
function uploadLayer(gpu: Gpu, data: readonly Tap[][], layer: number): Tensor {
  const { height, width, channels } = data[0]![layer]!;
  const padded = Math.ceil(channels / 4) * 4;
  const values = new Float32Array(data.length * height * width * padded);
  data.forEach((taps, image) => {
    for (let pixel = 0; pixel < height * width; pixel++) {
      values.set(
        taps[layer]!.data.subarray(pixel * channels, (pixel + 1) * channels),
        (image * height * width + pixel) * padded,
      );
    }
  });
  return gpu.upload(values, [data.length, height, width, padded]);
}

async function run(
  gpu: Gpu,
  features: PatchFeatures,
  data: readonly Tap[][],
  rows: RowChunks,
  where = {},
): Promise<Float32Array> {
  const taps = data[0]!.map((_, layer) => uploadLayer(gpu, data, layer));
  using program = gpu.program("patch features");
  features.record(program, taps, rows, where);
  await program.compile();
  program.run();
  const chunks = await gpu.readAll(rows.chunks);
  for (const tap of taps) tap.dispose();
  const all = new Float32Array(rows.rows * rows.dim);
  let end = 0;
  for (const chunk of chunks as Float32Array[]) {
    all.set(chunk, end);
    end += chunk.length;
  }
  return all;
}

function expectedRows(
  data: readonly Tap[][],
  options: Options,
  paddedDim: number,
): { dim: number; grid: number[]; values: Float64Array } {
  const images = data.map((taps) => patchFeatures(taps, options));
  const { dim, height, width } = images[0]!;
  const patches = height * width;
  const values = new Float64Array(images.length * patches * paddedDim);
  images.forEach(({ features }, image) => {
    for (let patch = 0; patch < patches; patch++) {
      values.set(
        features.subarray(patch * dim, (patch + 1) * dim),
        (image * patches + patch) * paddedDim,
      );
    }
  });
  return { dim, grid: [height, width], values };
}

/** What `RowChunks` needs of a GPU, with a smaller limit. */
function bindLimit(
  gpu: Gpu,
  maxTensorBytes: number,
): Pick<Gpu, "maxTensorBytes" | "tensor"> {
  return { maxTensorBytes, tensor: gpu.tensor.bind(gpu) };
}

function filled(length: number, value: number): Float32Array<ArrayBuffer> {
  return new Float32Array(length).fill(value);
}
