import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { PatchCore, type Prediction } from "../../../../src/core/mod.ts";
import { FeatureExtractor } from "../../../../src/core/features/extractor.ts";
import { dryGpu, Gpu, GpuError } from "../../../../src/gpu/mod.ts";
import { gpuTest } from "../../../testing.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyDetector,
  tinyImages,
} from "../../../tiny_model.ts";

const { train, test } = tinyImages(5);
const IMAGES = [...test, ...train];

/** What must not depend on what else goes on. */
function comparable({ ms: _, ...prediction }: Prediction): unknown {
  return prediction;
}

gpuTest(
  "PatchCore.predict() gives what it gives alone when eight run at a time",
  async (gpu) => {
    using fitted = await tinyDetector(gpu, 3);
    using detector = await PatchCore.load(fitted.save(), {
      backbone: tinyBackbone(),
      batch: 2,
      gpu,
    });
    const all = await Array.fromAsync(detector.predict(IMAGES));
    const wanted = new Map(all.map((p) => [p.name, comparable(p)]));
    assertEquals(new Set(all.map(({ score }) => score)).size, IMAGES.length);
    const runs = Array.from({ length: 8 }, (_, i) => {
      const order = IMAGES.map((_, k) => IMAGES[(k + i) % IMAGES.length]!);
      return { order, predictions: detector.predict(order), seen: 0 };
    });
    await Promise.all(runs.map(async (run) => {
      for await (const prediction of run.predictions) {
        const { name } = run.order[run.seen++]!;
        assertEquals(comparable(prediction), wanted.get(name));
      }
      assertEquals(run.seen, IMAGES.length);
    }));
    for (const { predictions } of runs) await predictions.return(undefined);
  },
);

gpuTest(
  "PatchCore.predict() may take its images from another prediction",
  async (gpu) => {
    using detector = await tinyDetector(gpu, 3);
    async function* images() {
      for await (const { name, image } of detector.predict(IMAGES)) {
        yield { name, content: image };
      }
    }
    const alone = await Array.fromAsync(detector.predict(IMAGES));
    const nested = await Array.fromAsync(detector.predict(images()));
    assertEquals(nested.map(comparable), alone.map(comparable));
  },
);

gpuTest("PatchCore.fit() ends predictions that began before", async (gpu) => {
  using detector = await PatchCore.create({
    ...TINY_SETTINGS,
    backbone: tinyBackbone(),
    allowRandom: true,
    batch: 1,
    gpu,
  });
  await detector.fit(train);
  const before = detector.predict(IMAGES);
  await before.next();
  const fit = detector.fit(train.slice(1));
  await assertRejects(() => detector.fit(train), TypeError, "is being fitted");
  const report = await fit;
  assertEquals(report.images, train.length - 1);
  await assertRejects(() => before.next(), TypeError, "was fitted anew");
  const after = await Array.fromAsync(detector.predict(test));
  assertEquals(after.length, test.length);
});

gpuTest(
  "PatchCore.dispose() ends what is under way and frees everything",
  async (gpu) => {
    const used = (): number => {
      gpu.pool.trim();
      return gpu.pool.bytes;
    };
    const before = used();
    const predicting = await tinyDetector(gpu, 3);
    const running = Array.from({ length: 3 }, () => predicting.predict(IMAGES));
    const results = running.map((predictions) =>
      Array.fromAsync(predictions).then(() => "done", ({ message }) => message)
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    await predicting[Symbol.asyncDispose]();
    for (const result of await Promise.all(results)) {
      assertMatch(result, /^Cannot .* disposed of/);
    }
    assertEquals(used(), before);

    const fitting = await tinyDetector(gpu, 3);
    const fit = fitting.fit(train);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertThrows(() => fitting.model, TypeError, "is being fitted");
    fitting.dispose();
    await assertRejects(() => fit, TypeError, "disposed of");
    assertEquals(used(), before);
    await assertRejects(() => fitting.fit(train), TypeError, "disposed of");
  },
);

Deno.test(
  "PatchCore leaves nothing on a shared device when an allocation fails",
  async () => {
    using device = await Gpu.create();
    using fitted = await tinyDetector(device, 3);
    const bundle = fitted.save({ bundle: true });
    const { gpu } = dryGpu(device);
    const { pool } = gpu;
    const acquire = pool.acquire;
    let left = Infinity;
    pool.acquire = (bytes, label) => {
      if (left-- <= 0) throw new GpuError("Out of memory");
      return acquire.call(pool, bytes, label);
    };
    /** Allows so many allocations; `undefined` when they suffice. */
    const leftBy = async (allowed: number): Promise<number | undefined> => {
      left = allowed;
      let failed = false;
      try {
        using detector = await PatchCore.load(bundle, { gpu, batch: 5 });
        await Array.fromAsync(detector.predict(IMAGES));
      } catch (error) {
        if (!(error instanceof GpuError)) throw error;
        failed = true;
      }
      pool.trim();
      return failed ? pool.bytes : undefined;
    };
    await leftBy(Infinity);
    const before = pool.bytes;
    let allowed = 0;
    for (let bytes = await leftBy(0); bytes !== undefined; allowed++) {
      assertEquals(bytes, before, `after ${allowed} allocations`);
      bytes = await leftBy(allowed + 1);
    }
    assert(allowed > 50, `only ${allowed} allocations were made`);
  },
);

gpuTest(
  "PatchCore.predict() has kernels measured after its first batch, not before",
  async (gpu) => {
    using detector = await tinyDetector(gpu, 3);
    const before = await Array.fromAsync(detector.predict(IMAGES));
    using again = await PatchCore.load(detector.save(), {
      backbone: tinyBackbone(),
      batch: 2,
      gpu,
    });
    const events: string[] = [];
    using _ = withTune((images) => {
      events.push(`measure ${images}`);
      return true; // all is laid out anew
    });
    const after: Prediction[] = [];
    for await (const prediction of again.predict(IMAGES)) {
      events.push("image");
      after.push(prediction);
    }
    assertEquals(events.slice(0, 4), ["image", "image", "measure 2", "image"]);
    assertEquals(events.filter((event) => event !== "image").length, 1);
    assertEquals(after.map(comparable), before.map(comparable));

    await Array.fromAsync(again.predict(IMAGES.slice(0, 1)));
    await again.tune();
    assertEquals(events.slice(-2), ["measure 2", "measure 1"]);
    const [last] = await Array.fromAsync(again.predict(IMAGES.slice(0, 1)));
    assertEquals(comparable(last!), comparable(before[0]!));
  },
);

/** Measures by other means until the end of a `using`. */
function withTune(measure: (images: number) => boolean): Disposable {
  const { tune } = FeatureExtractor.prototype;
  FeatureExtractor.prototype.tune = (images) =>
    Promise.resolve(measure(images));
  return {
    [Symbol.dispose]: () => FeatureExtractor.prototype.tune = tune,
  };
}
