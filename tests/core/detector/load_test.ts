import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type BackboneFile,
  ModelFileError,
  PatchCore,
  readModelFile,
  setBackboneResolver,
  type StoredModel,
  writeModelFile,
} from "../../../src/core/mod.ts";
import { type Gpu, GpuError } from "../../../src/gpu/mod.ts";
import { gpuTest } from "../../testing.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyDetector,
  tinyImages,
} from "../../tiny_model.ts";

/** Changes of a sound model, each beyond what can be. */
const REFUSED: readonly [string, (model: StoredModel) => object, string][] = [
  [
    "of a neighbourhood of 10⁹",
    ({ settings }) => ({ settings: { ...settings, patchSize: 1e9 + 1 } }),
    "Cannot load the model: Cannot use patchSize 1000000001",
  ],
  [
    "of 10⁵ layers",
    ({ settings }) => ({
      settings: {
        ...settings,
        layers: Array.from({ length: 1e5 }, (_, i) => `layer${i}`),
      },
    }),
    "Cannot use 100000 layers: expected 16 at most",
  ],
  [
    "with other dimensions than its bank has",
    ({ settings }) => ({ settings: { ...settings, dim: 100 } }),
    "memory_bank has rows of 24 elements, the network and the settings give features of 100",
  ],
  [
    "whose images are too long to be resized",
    ({ imageSizes, settings }) => ({
      settings: { ...settings, square: false },
      imageSizes: imageSizes.map((_, i) => i % 2 === 0 ? 1 : 1_000_000),
    }),
    "Cannot resize a side of 1000000 pixels",
  ],
  [
    "whose images become different sizes",
    ({ imageSizes, settings }) => ({
      settings: { ...settings, square: false },
      imageSizes: imageSizes.map((_, i) => i === 2 ? 128 : 64),
    }),
    "training image 1 of 128 × 64 pixels becomes 128 × 64, and the first 64 × 64",
  ],
  [
    "with a patch outside the grid",
    ({ origin }) => ({ origin: origin.with(4, 2 ** 30) }),
    "bank row 1 comes from patch row 1073741824",
  ],
];

gpuTest("PatchCore.load() refuses what cannot be", async (gpu, t) => {
  using detector = await tinyDetector(gpu, 2);
  const sound = detector.model;
  const bytes = gpu.pool.bytes;
  for (const [what, change, message] of REFUSED) {
    await t.step(`a model ${what}`, async () => {
      const model = { ...sound, ...change(sound) };
      const backbone = tinyBackbone();
      gpu.pool.trim();
      gpu.pool.resetPeak();
      await assertRejects(
        () => PatchCore.fromModel(model, { backbone, gpu }),
        ModelFileError,
        message,
      );
      assert(gpu.pool.peakBytes - bytes < 20e6);
    });
  }
});

for (
  const [name, message] of [
    ["bank_huge_values", "so that distances to it overflow"],
    ["dim_1e9", "Cannot use dim 1000000000"],
    ["imgsize_max", "need a width and a height from 1 to 1000000"],
    ["layers_100k", "Cannot use 100000 layers"],
    ["patch_1e9", "Cannot use patchSize 1000000001"],
    ["sigma_1e9", "Cannot use map.sigma 1000000000"],
  ] as const
) {
  gpuTest(
    `PatchCore.load() refuses ${name}.safetensors`,
    async (gpu, _, shared) => {
      const path = shared("cases", "models", `${name}.safetensors`);
      const bytes = await Deno.readFile(path);
      gpu.pool.trim();
      gpu.pool.resetPeak();
      const before = gpu.pool.bytes;
      await assertRejects(
        () => PatchCore.load(bytes, { gpu, backbone: tinyBackbone() }),
        ModelFileError,
        message,
      );
      assertEquals(gpu.pool.peakBytes, before);
    },
    { shared: true },
  );
}

gpuTest(
  "PatchCore.load() opens no path that a model names, and says what is loaded",
  async (gpu) => {
    using detector = await tinyDetector(gpu, 2);
    const asked: [string, string | undefined][] = [];
    setBackboneResolver((name, stored): Promise<BackboneFile> => {
      asked.push([name, stored?.sha256]);
      return Promise.resolve(tinyBackbone());
    });
    try {
      const { model } = detector;
      const { sha256 } = model.backbone;
      for (
        const source of [
          "/etc/tiny.onnx",
          "../../tiny.onnx",
          "C:\\weights\\tiny.ONNX",
          "https://example.org/tiny",
          "tiny",
        ]
      ) {
        const backbone = { ...model.backbone, source };
        const bytes = writeModelFile({ ...model, backbone });
        assertEquals(readModelFile(bytes).backbone.source, source);
        using _ = await PatchCore.load(bytes, { gpu });
        assertEquals(asked.splice(0), [["tiny", sha256]]);
      }
      using _ = await PatchCore.load(detector.save(), {
        backbone: "mine/tiny.onnx",
        gpu,
      });
      assertEquals(asked.splice(0), [["mine/tiny.onnx", sha256]]);
    } finally {
      setBackboneResolver(undefined);
    }
  },
);

/** Does something on a device that binds so many bytes of some tensors at once. */
async function withLimit(
  { pool }: Gpu,
  limit: number,
  work: () => Promise<void>,
  of = /^/,
): Promise<void> {
  const { acquire } = pool;
  pool.acquire = (bytes, label) => {
    if (bytes <= limit || !of.test(label)) {
      return acquire.call(pool, bytes, label);
    }
    throw new GpuError(
      `Cannot allocate "${label}": ${bytes} bytes are more than the adapter binds at once (${limit})`,
    );
  };
  try {
    await work();
  } finally {
    delete (pool as { acquire?: unknown }).acquire;
  }
}

gpuTest(
  "predict() and fit() say what to choose smaller when an image is too large",
  async (gpu) => {
    const { train } = tinyImages(2);
    using detector = await tinyDetector(gpu, 2);
    await withLimit(gpu, 50_000, async () => {
      for (
        const work of [
          () => Array.fromAsync(detector.predict(train)),
          () => detector.fit(train),
        ]
      ) {
        const { message } = await assertRejects(work, GpuError);
        assert(
          /an image of 64 × 64 pixels at a time: .*\(--resize\).*\(--tile\)$/
            .test(message),
          message,
        );
      }
    });
  },
);

gpuTest(
  "predict() and fit() take half of a batch that is too large",
  async (gpu) => {
    const { train, test } = tinyImages(6);
    const create = async (): Promise<PatchCore> => {
      const detector = await PatchCore.create({
        ...TINY_SETTINGS,
        ...{ backbone: tinyBackbone(), allowRandom: true, batch: 8, gpu },
      });
      await detector.fit(train);
      return detector;
    };
    const scoresOf = async (detector: PatchCore): Promise<number[]> => {
      const images = [...train, ...test];
      const found = await Array.fromAsync(detector.predict(images));
      return found.map(({ score }) => score);
    };
    using whole = await create();
    const expected = await scoresOf(whole);
    // Four images of 64 × 64 pixels and 4 levels, and no fifth.
    await withLimit(gpu, 4 * 64 * 64 * 16, async () => {
      using halved = await create();
      assertEquals(halved.model.memoryBank, whole.model.memoryBank);
      assertEquals(await scoresOf(halved), expected);
      using loaded = await PatchCore.load(whole.save({ bundle: true }), {
        ...{ gpu, batch: 8 },
      });
      assertEquals(await scoresOf(loaded), expected);
    }, /^activations/);
  },
);

gpuTest(
  "PatchCore.create() refuses batches beyond all measure",
  async (gpu) => {
    await assertRejects(
      () => PatchCore.create({ backbone: tinyBackbone(), batch: 1e6, gpu }),
      RangeError,
      "Cannot use a batch of 1000000 images: expected an integer from 1 to 4096",
    );
  },
);
