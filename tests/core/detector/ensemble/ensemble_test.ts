import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import {
  Ensemble,
  type Pixels,
  type Prediction,
} from "../../../../src/core/mod.ts";
import { promisedThreshold } from "../../../../src/core/threshold/promise.ts";
import type { Gpu } from "../../../../src/gpu/mod.ts";
import { gpuTest } from "../../../testing.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyImages,
} from "../../../tiny_model.ts";

const BACKBONES = [tinyBackbone(1), { ...tinyBackbone(2), name: "other" }];

function create(gpu: Gpu, batch = 4): Promise<Ensemble> {
  return Ensemble.create({
    ...TINY_SETTINGS,
    backbones: BACKBONES,
    allowRandom: true,
    batch,
    gpu,
  });
}

/** The least and the largest training score, as an oracle. */
function scaleOf(scores: ArrayLike<number>): (value: number) => number {
  const values = Array.from(scores);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return (value) => (value - min) / (max - min);
}

gpuTest(
  "Ensemble averages its members on the scales of their training images",
  async (gpu) => {
    const { train, test } = tinyImages(4);
    using ensemble = await create(gpu);
    const report = await ensemble.fit(train);
    const { members } = ensemble;
    assertEquals(report.images, 4);
    assertEquals(report.members.length, 2);
    assertEquals(
      report.bankRows,
      members[0]!.model.rows + members[1]!.model.rows,
    );
    const own: Prediction[][] = [];
    for (const member of members) {
      own.push(await Array.fromAsync(member.predict(test)));
    }
    const scales = members.map(({ model }) => scaleOf(model.trainScores));
    const training = train.map((_, i) =>
      (scales[0]!(members[0]!.model.trainScores[i]!) +
        scales[1]!(members[1]!.model.trainScores[i]!)) / 2
    );
    const { value } = promisedThreshold(training, 0.05)!;
    assertAlmostEquals(report.threshold, value, 1e-6);
    const maxima = train.map((_, i) =>
      (scales[0]!(members[0]!.model.trainMapMaxima![i]!) +
        scales[1]!(members[1]!.model.trainMapMaxima![i]!)) / 2
    );
    const mapLimit = promisedThreshold(maxima, 0.05)!.value;
    assertAlmostEquals(report.mapThreshold, mapLimit, 1e-6);
    assertEquals(
      ensemble.model.mapThreshold!.rule["scores"],
      "map maxima of held-out folds, mean of members on their scales",
    );
    const joint = await Array.fromAsync(ensemble.predict(test));
    assertEquals(joint.map(({ name }) => name), test.map(({ name }) => name));
    joint.forEach((prediction, i) => {
      const parts = own.map((predictions, m) =>
        scales[m]!(predictions[i]!.score)
      );
      assertAlmostEquals(prediction.score, (parts[0]! + parts[1]!) / 2, 1e-5);
      assertEquals(prediction.threshold, report.threshold);
      assertEquals(
        prediction.label,
        prediction.score >= report.threshold ? "anomalous" : "normal",
      );
      assertEquals(prediction.map.threshold, report.mapThreshold);
      const worst = parts[0]! >= parts[1]! ? 0 : 1;
      assertEquals(prediction.worstPatch, own[worst]![i]!.worstPatch);
      for (const at of [0, 777, prediction.map.data.length - 1]) {
        const values = own.map((predictions, m) =>
          scales[m]!(predictions[i]!.map.data[at]!)
        );
        assertAlmostEquals(
          prediction.map.data[at]!,
          (values[0]! + values[1]!) / 2,
          1e-4,
        );
      }
    });
  },
);

gpuTest(
  "Ensemble.load() predicts as the ensemble that was saved",
  async (gpu) => {
    const { train, test } = tinyImages(3);
    using ensemble = await create(gpu);
    await ensemble.fit(train);
    const wanted: string[] = [];
    using loaded = await Ensemble.load(ensemble.save(), {
      gpu,
      batch: 1,
      backbone: ({ name }, member) => {
        wanted.push(name);
        return Promise.resolve(BACKBONES[member]!);
      },
    });
    assertEquals(wanted, ["tiny", "other"]);
    const before = await Array.fromAsync(ensemble.predict(test));
    const after = await Array.fromAsync(loaded.predict(test));
    assertEquals(
      after.map(({ score, label, map }) => [score, label, map.data]),
      before.map(({ score, label, map }) => [score, label, map.data]),
    );
    using bundled = await Ensemble.load(ensemble.save({ bundle: true }), {
      gpu,
    });
    const [first] = await Array.fromAsync(bundled.predict(test.slice(0, 1)));
    assertEquals(first!.score, before[0]!.score);
  },
);

gpuTest(
  "Ensemble tells of an image that fails once and goes on",
  async (gpu) => {
    const { train, test } = tinyImages(3);
    using ensemble = await create(gpu);
    const broken = { name: "broken.png", content: new Uint8Array([1, 2, 3]) };
    const failures: string[] = [];
    const onImageError = (name: string): void => void failures.push(name);
    const sources = [train[0]!, broken, ...train.slice(1)];
    const report = await ensemble.fit(sources, { onImageError });
    assertEquals(report.images, 3);
    assertEquals(failures, ["broken.png"]);
    const predictions = await Array.fromAsync(
      ensemble.predict([broken, ...test], { onImageError }),
    );
    assertEquals(failures, ["broken.png", "broken.png"]);
    assertEquals(predictions.map(({ name }) => name), test.map((t) => t.name));
  },
);

gpuTest(
  "Ensemble.fit() leaves out the image that failed, not another of its name",
  async (gpu) => {
    const { train, test } = tinyImages(4);
    const same = train.map((image) => ({ ...image, name: "same.png" }));
    const broken = { name: "same.png", content: new Uint8Array([1, 2, 3]) };
    const failures: string[] = [];
    using ensemble = await create(gpu);
    const report = await ensemble.fit(
      [same[0]!, same[1]!, broken, same[2]!, same[3]!],
      { onImageError: (name) => failures.push(name) },
    );
    assertEquals(failures, ["same.png"]);
    assertEquals(report.members.map(({ images }) => images), [4, 4]);
    using wanted = await create(gpu);
    await wanted.fit(same);
    assertEquals(ensemble.trainScores, wanted.trainScores);
    const scores = async (of: Ensemble): Promise<number[]> =>
      (await Array.fromAsync(of.predict(test))).map(({ score }) => score);
    assertEquals(await scores(ensemble), await scores(wanted));
  },
);

gpuTest(
  "Ensemble.fit() refuses images that change while it works",
  async (gpu) => {
    const { train } = tinyImages(4);
    let loaded = 0;
    const vanishing = {
      name: "vanishing.png",
      content: () =>
        loaded++ === 0
          ? Promise.resolve(train[0]!.content as Pixels)
          : Promise.reject(new Error("gone")),
    };
    using ensemble = await create(gpu);
    await assertRejects(
      () => ensemble.fit([vanishing, ...train], { onImageError: () => {} }),
      RangeError,
      "could use 5 and 4 images",
    );
  },
);

gpuTest(
  "Ensemble.predict() gives what it gives alone when several run at a time",
  async (gpu) => {
    const { train, test } = tinyImages(3);
    using ensemble = await create(gpu, 2);
    await ensemble.fit(train);
    const images = [...test, ...train];
    const results = async (sources: typeof images) =>
      (await Array.fromAsync(ensemble.predict(sources)))
        .map(({ ms: _, ...prediction }) => prediction);
    const alone = await results(images);
    const together = await Promise.all(
      images.map((_, i) =>
        results([...images.slice(i), ...images.slice(0, i)])
      ),
    );
    together.forEach((found, i) => {
      assertEquals(found, [...alone.slice(i), ...alone.slice(0, i)]);
    });
    const begun = ensemble.predict(images);
    await begun.next();
    await ensemble.fit(train);
    await assertRejects(
      () => Array.fromAsync(begun),
      TypeError,
      "fitted anew since it began",
    );
  },
);

gpuTest("Ensemble refuses a fit during another one", async (gpu) => {
  using ensemble = await create(gpu);
  const { train } = tinyImages(4);
  const first = ensemble.fit(train);
  await assertRejects(() => ensemble.fit(train), TypeError, "being fitted");
  assertEquals((await first).images, 4);
  assertEquals((await ensemble.fit(train)).images, 4);
});

gpuTest("Ensemble refuses what cannot be joined", async (gpu) => {
  await assertRejects(
    () =>
      Ensemble.create({
        ...TINY_SETTINGS,
        backbones: BACKBONES.slice(1),
        allowRandom: true,
        gpu,
      }),
    RangeError,
    "Cannot make an ensemble of 1 backbones: expected at least 2",
  );
  using ensemble = await create(gpu);
  await assertRejects(
    () => Array.fromAsync(ensemble.predict([])),
    TypeError,
    "not fitted",
  );
  const error = await assertRejects(
    () => ensemble.fit(tinyImages(1).train),
    RangeError,
  );
  assert(error.message.startsWith('Cannot join backbone "tiny"'));
});
