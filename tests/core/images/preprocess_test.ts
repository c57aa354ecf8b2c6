import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeImage } from "../../../src/core/images/decode.ts";
import {
  IMAGENET,
  type Normalisation,
  normalisationTable,
  UNIT_RANGE,
} from "../../../src/core/images/normalise.ts";
import type { Pixels } from "../../../src/core/images/pixels.ts";
import { Preprocessor } from "../../../src/core/images/preprocess.ts";
import { inputSize } from "../../../src/core/images/tiles.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { centerCrop, resize, resizeShortSide } from "../../reference/resize.ts";
import { gpuTest, pathOf, randomFloats, sharedTest } from "../../testing.ts";

/** Levels as they are: `(v / 255) / (1 / 255)`. */
const LEVELS: Normalisation = {
  mean: [0, 0, 0],
  std: [1 / 255, 1 / 255, 1 / 255],
};

interface GoldenCase {
  readonly input: string;
  readonly resize: number;
  readonly crop: number;
  readonly expected: string;
}

function randomImage(seed: number, width: number, height: number): Pixels {
  const data = Uint8Array.from(
    randomFloats(seed, width * height * 4),
    (value, i) => i % 4 === 3 ? 255 : value * 128 + 128,
  );
  return { width, height, data };
}

async function levels(
  gpu: Gpu,
  images: readonly Pixels[],
  options: Omit<ConstructorParameters<typeof Preprocessor>[1], "normalise">,
): Promise<Uint8Array[]> {
  using preprocessor = new Preprocessor(gpu, { ...options, normalise: LEVELS });
  const { tensor } = await preprocessor.encode(images);
  const floats = await gpu.readFloats(tensor);
  const size = floats.length / images.length;
  return images.map((_, n) =>
    Uint8Array.from(
      floats.subarray(n * size, (n + 1) * size),
      (value, i) => i % 4 === 3 ? 255 + value : Math.round(value),
    )
  );
}

async function goldenCases(folder: string): Promise<
  (GoldenCase & { readonly image: Pixels; readonly result: Pixels })[]
> {
  const text = await Deno.readTextFile(`${folder}/cases.json`);
  const cases = JSON.parse(text) as GoldenCase[];
  const open = async (file: string): Promise<Pixels> =>
    await decodeImage(await Deno.readFile(`${folder}/${file}`), file);
  return await Promise.all(cases.map(async (one) => ({
    ...one,
    image: await open(one.input),
    result: await open(one.expected),
  })));
}

async function checkOracle(
  t: Deno.TestContext,
  folder: string,
): Promise<void> {
  for (const one of await goldenCases(folder)) {
    await t.step(`${one.input} to ${one.resize}, ${one.crop}`, () => {
      const resized = resizeShortSide(one.image, one.resize);
      assertEquals(centerCrop(resized, one.crop).data, one.result.data);
    });
  }
}

async function checkEncode(
  gpu: Gpu,
  t: Deno.TestContext,
  folder: string,
): Promise<void> {
  for (const one of await goldenCases(folder)) {
    await t.step(`${one.input} to ${one.resize}, ${one.crop}`, async () => {
      const { resize, crop } = one;
      const [actual] = await levels(gpu, [one.image], { resize, crop });
      assertEquals(actual, one.result.data);
    });
  }
}

const SMALL = pathOf(new URL("../../golden/resize", import.meta.url));

Deno.test("the resize oracle equals Pillow to the byte", (t) =>
  checkOracle(t, SMALL));

sharedTest(
  "the resize oracle equals Pillow to the byte on larger images",
  (t, shared) => checkOracle(t, shared("golden/resize")),
);

gpuTest(
  "encode() equals Pillow to the byte",
  (gpu, t) => checkEncode(gpu, t, SMALL),
);

gpuTest(
  "encode() equals Pillow to the byte on larger images",
  (gpu, t, shared) => checkEncode(gpu, t, shared("golden/resize")),
  { shared: true },
);

for (
  const [width, height, side, square, crop] of [
    [61, 37, 24, false, 20],
    [37, 61, 24, false, 21],
    [24, 24, 24, false, 24],
    [24, 40, 24, false, 16],
    [40, 24, 24, false, null],
    [24, 50, 24, true, null],
    [50, 24, 24, true, 17],
    [1, 1, 8, false, 8],
    [3, 2, 33, false, 33],
    [200, 3, 5, false, 4],
  ] as const
) {
  const what = `${width} × ${height} to ${side}${square ? " square" : ""}`;
  gpuTest(`encode() equals the oracle: ${what}, crop ${crop}`, async (gpu) => {
    const image = randomImage(width * 1000 + height, width, height);
    const options = { resize: side, square, crop };
    const resized = square
      ? resize(image, side, side)
      : resizeShortSide(image, side);
    const expected = crop === null ? resized : centerCrop(resized, crop);
    const [whole] = await levels(gpu, [image], options);
    assertEquals(whole, expected.data);
    const bands = { ...options, maxSourceBytes: width * 4 * 7 };
    const [banded] = await levels(gpu, [image], bands);
    assertEquals(banded, expected.data);
  });
}

gpuTest("encode() batches images of different sizes", async (gpu) => {
  const images = [[30, 40], [25, 25], [30, 40], [16, 90], [25, 25]]
    .map(([width, height], i) => randomImage(i, width!, height!));
  const options = { resize: 20, crop: 16 };
  const batch = await levels(gpu, images, options);
  for (const [i, image] of images.entries()) {
    const expected = centerCrop(resizeShortSide(image, 20), 16);
    assertEquals(batch[i], expected.data);
  }
});

gpuTest("encode() normalises as PyTorch, to the bit", async (gpu) => {
  const image = randomImage(5, 16, 16);
  for (const normalise of [undefined, UNIT_RANGE]) {
    using preprocessor = new Preprocessor(gpu, {
      resize: 16,
      crop: null,
      ...normalise && { normalise },
    });
    const { tensor } = await preprocessor.encode([image]);
    assertEquals(tensor.shape, [1, 16, 16, 4]);
    const table = normalisationTable(normalise ?? IMAGENET);
    const expected = Float32Array.from(
      image.data,
      (level, i) => i % 4 === 3 ? 0 : table[level * 4 + i % 4]!,
    );
    assertEquals(await gpu.readFloats(tensor), expected);
  }
});

gpuTest(
  "encode() writes into a given tensor and re-uses its own",
  async (gpu) => {
    using preprocessor = new Preprocessor(gpu, { resize: 8, crop: 8 });
    const images = [randomImage(1, 8, 8), randomImage(2, 9, 12)];
    const own = await preprocessor.encode(images);
    const first = await gpu.readFloats(own.tensor);
    const bytes = gpu.pool.bytes;
    for (let i = 0; i < 5; i++) {
      const again = await preprocessor.encode(images);
      assert(again.tensor === own.tensor);
    }
    assertEquals(gpu.pool.bytes, bytes);
    using target = gpu.tensor([2, 8, 8, 4]);
    const given = await preprocessor.encode(images, target);
    assert(given.tensor === target);
    assertEquals(await gpu.readFloats(target), first);
    using wrong = gpu.tensor([1, 8, 8, 4]);
    await assertRejects(
      () => preprocessor.encode(images, wrong),
      RangeError,
      "expected [2,8,8,4]",
    );
  },
);

gpuTest("encode() keeps calls apart that overlap", async (gpu) => {
  using preprocessor = new Preprocessor(gpu, {
    resize: 12,
    crop: 12,
    normalise: LEVELS,
  });
  const images = [[40, 30], [90, 70], [20, 20], [200, 100]]
    .map(([width, height], i) => randomImage(i, width!, height!));
  const targets = images.map(() => gpu.tensor([1, 12, 12, 4]));
  await Promise.all(
    images.map((image, i) => preprocessor.encode([image], targets[i])),
  );
  for (const [i, image] of images.entries()) {
    const floats = await gpu.readFloats(targets[i]!);
    const expected = centerCrop(resizeShortSide(image, 12), 12).data;
    assertEquals(
      Uint8Array.from(floats, (v, i) => i % 4 === 3 ? 255 : Math.round(v)),
      expected,
    );
    targets[i]!.dispose();
  }
});

gpuTest("encode() refuses what cannot be one batch", async (gpu) => {
  using preprocessor = new Preprocessor(gpu, { resize: 8, crop: null });
  await assertRejects(
    () => preprocessor.encode([randomImage(1, 8, 8), randomImage(1, 8, 16)]),
    RangeError,
    "different sizes",
  );
  await assertRejects(() => preprocessor.encode([]), RangeError, "no images");
  await assertRejects(
    () =>
      preprocessor.encode([{ width: 2, height: 2, data: new Uint8Array(15) }]),
    RangeError,
    "RGBA needs 16",
  );
  await assertRejects(
    () => preprocessor.encode([randomImage(1, 1, 5000)]),
    RangeError,
    "at most 16384",
  );
});

gpuTest("encode() says where its result lies in the original", async (gpu) => {
  const settings = { resize: 256, crop: 224 };
  using preprocessor = new Preprocessor(gpu, settings);
  const { geometries } = await preprocessor.encode([
    randomImage(1, 512, 1024),
    randomImage(1, 256, 256),
  ]);
  assertEquals(geometries, [
    { width: 512, height: 1024, left: 32, top: 288, right: 480, bottom: 736 },
    { width: 256, height: 256, left: 16, top: 16, right: 240, bottom: 240 },
  ]);
  assertEquals(inputSize({ width: 512, height: 1024 }, settings), [224, 224]);
});
