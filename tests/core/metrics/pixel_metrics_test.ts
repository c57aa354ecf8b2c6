import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { labelComponents } from "../../../src/core/images/components.ts";
import {
  PixelMetrics,
  type PixelResult,
} from "../../../src/core/metrics/pixel_metrics.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";
import {
  auproByDefinition,
  aurocByDefinition,
} from "../../reference/pixel_metrics.ts";
import { goldenCases } from "./golden.ts";

interface Image {
  readonly map: Float32Array;
  readonly mask?: Uint8Array;
}

function measure(width: number, ...images: Image[]): PixelResult {
  const metrics = new PixelMetrics();
  for (const { map, mask } of images) {
    metrics.add(map, mask, { width, height: map.length / width });
  }
  return metrics.result();
}

for (const { name, width, height, maps, masks, expected } of goldenCases()) {
  Deno.test(`PixelMetrics equals scikit-learn and a dense AUPRO on the case "${name}"`, () => {
    const metrics = new PixelMetrics();
    for (const [index, map] of maps.entries()) {
      metrics.add(map, masks[index], { width, height });
    }
    const result = metrics.result();
    assertAlmostEquals(result.auroc, expected.pixel_auroc!, 1e-12);
    assertAlmostEquals(
      result.aurocDefective,
      expected.pixel_auroc_defective_images!,
      1e-12,
    );
    assertAlmostEquals(result.aupr, expected.pixel_aupr!, 1e-12);
    assertAlmostEquals(result.f1Max.f1, expected.pixel_f1max!, 1e-12);
    assertEquals(result.f1Max.threshold, expected.pixel_f1max_threshold);
    assertAlmostEquals(result.aupro30, expected.aupro_30!, 1e-12);
    assertAlmostEquals(result.aupro5, expected.aupro_5!, 1e-12);
    assertEquals(result.images, maps.length);
    assertEquals(result.pixels, maps.length * width * height);
  });
}

Deno.test("PixelMetrics is perfect when every anomalous pixel scores highest", () => {
  const mask = Uint8Array.of(0, 0, 1, 0, 1, 1);
  const result = measure(
    3,
    { map: Float32Array.of(1, 2, 8, 3, 9, 7), mask },
    { map: Float32Array.of(1, 2, 3, 4, 5, 6) },
  );
  assertEquals(result, {
    auroc: 1,
    aurocDefective: 1,
    aupr: 1,
    f1Max: { f1: 1, threshold: 7, falsePositives: 0, falseNegatives: 0 },
    aupro30: 1,
    aupro5: 1,
    proPerImage: 1,
    proPerImageAll: 0.5,
    images: 2,
    defectiveImages: 1,
    pixels: 12,
    anomalousPixels: 3,
    components: 1,
    rocPoints: [[0, 0], [0, 1 / 3], [0, 2 / 3], [0, 1], [1, 1]],
    proPoints: [[0, 0], [0, 1 / 3], [0, 2 / 3], [0, 1], [0.3, 1]],
  });
});

Deno.test("PixelMetrics gives AUROC ½ and half the limit as AUPRO when all pixels tie", () => {
  const map = new Float32Array(12).fill(2);
  const mask = Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0);
  const result = measure(4, { map, mask });
  assertEquals(result.auroc, 0.5);
  assertEquals(result.aupr, 0.25);
  assertAlmostEquals(result.aupro30, 0.15, 1e-15);
  assertAlmostEquals(result.aupro5, 0.025, 1e-15);
  assertAlmostEquals(result.proPerImage, 0.15, 1e-15);
});

Deno.test("PixelMetrics weighs components of different size alike in AUPRO", () => {
  // A component of 1 is found before, one of 4 after all anomaly-free pixels.
  const map = Float32Array.of(9, 5, 5, 5, 5, 5, 1, 1, 5, 5, 1, 1);
  const mask = Uint8Array.of(1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1);
  const result = measure(4, { map, mask });
  assertEquals(result.components, 2);
  assertEquals(result.anomalousPixels, 5);
  assertAlmostEquals(result.aupro30, 0.5, 1e-15);
  assertAlmostEquals(result.auroc, 0.2, 1e-15);
});

Deno.test("PixelMetrics takes diagonal neighbours as one component", () => {
  const map = Float32Array.of(9, 0, 0, 1);
  const mask = Uint8Array.of(1, 0, 0, 1);
  const result = measure(2, { map, mask });
  assertEquals(result.components, 1);
  assertEquals(result.aupro30, 1);
  const apart = measure(3, {
    map: Float32Array.of(9, 0, 1),
    mask: Uint8Array.of(1, 0, 1),
  });
  assertEquals(apart.components, 2);
});

Deno.test("PixelMetrics interpolates the overlap at exactly the limit", () => {
  // Overlap ½ at FPR 0; then 2 of 4 anomaly-free pixels tie with the other
  // half, so overlap rises on a line to 1 at FPR ½: 0.5 + FPR.
  const map = Float32Array.of(9, 5, 5, 5, 1, 1);
  const mask = Uint8Array.of(1, 1, 0, 0, 0, 0);
  const result = measure(6, { map, mask });
  assertAlmostEquals(result.aupro30, 0.5 + 0.15, 1e-15);
  assertAlmostEquals(result.aupro5, 0.5 + 0.025, 1e-15);
});

Deno.test("PixelMetrics takes the false-positive rate over all images for AUPRO", () => {
  const defective = {
    map: Float32Array.of(4, 6, 0, 0),
    mask: Uint8Array.of(1, 0, 0, 0),
  };
  // Its own rate is ⅓ > 0.3 before the defect is found; overall it is 1/7.
  const normal = { map: new Float32Array(4) };
  assertEquals(measure(2, defective).aupro30, 0);
  assertAlmostEquals(
    measure(2, defective, normal).aupro30,
    (0.3 - 1 / 7) / 0.3,
    1e-15,
  );
  assertEquals(measure(2, defective, normal).proPerImage, 0);
});

Deno.test("PixelMetrics ignores pixels whose score is NaN", () => {
  // The crop's border: a component of its own, and a part of another.
  const map = Float32Array.of(NaN, NaN, NaN, NaN, NaN, 7, 2, 3);
  const mask = Uint8Array.of(1, 0, 1, 1, 0, 0, 1, 0);
  const result = measure(4, { map, mask });
  assertEquals(result.pixels, 3);
  assertEquals(result.anomalousPixels, 1);
  assertEquals(result.components, 1);
  assertEquals(
    result,
    measure(3, {
      map: Float32Array.of(7, 2, 3),
      mask: Uint8Array.of(0, 1, 0),
    }),
  );
});

Deno.test("PixelMetrics splits a component that the crop cuts in two", () => {
  const map = Float32Array.of(3, NaN, 1, 2);
  const mask = Uint8Array.of(1, 1, 1, 0);
  assertEquals(measure(4, { map, mask }).components, 2);
});

Deno.test("PixelMetrics does not count a defect that the crop removes", () => {
  const map = Float32Array.of(NaN, 1, 2, 3);
  const mask = Uint8Array.of(1, 0, 0, 0);
  const result = measure(4, { map, mask });
  assertEquals(result.defectiveImages, 0);
  assertEquals(result.auroc, NaN);
  assertEquals(result.aupro30, NaN);
  assertEquals(result.proPerImage, NaN);
});

Deno.test("PixelMetrics counts an image as defective when it is told so", () => {
  const scene = (defective: boolean): PixelResult => {
    const metrics = new PixelMetrics();
    const size = { width: 2, height: 1 };
    metrics.add(Float32Array.of(5, 1), Uint8Array.of(1, 0), size);
    metrics.add(Float32Array.of(9, 9), new Uint8Array(2), {
      ...size,
      defective,
    });
    return metrics.result();
  };
  assertAlmostEquals(scene(false).auroc, 1 / 3, 1e-15);
  assertEquals(scene(false).aurocDefective, 1);
  assertAlmostEquals(scene(true).aurocDefective, 1 / 3, 1e-15);
  assertEquals(scene(true).defectiveImages, 2);
});

Deno.test("PixelMetrics gives full PRO = PRO · defective / all, as published", () => {
  const [golden] = goldenCases();
  const { maps, masks, width, height } = golden!;
  const metrics = new PixelMetrics();
  for (const [index, map] of maps.entries()) {
    metrics.add(map, masks[index], { width, height });
  }
  const result = metrics.result();
  assertAlmostEquals(
    result.proPerImageAll,
    result.proPerImage * result.defectiveImages / result.images,
    1e-15,
  );
  const alone = maps.flatMap((map, index) => {
    const { aupro30 } = measure(width, { map, mask: masks[index]! });
    return Number.isNaN(aupro30) ? [] : [aupro30];
  });
  const mean = alone.reduce((sum, value) => sum + value, 0) / alone.length;
  assertAlmostEquals(result.proPerImage, mean, 1e-15);
});

Deno.test("PixelMetrics equals the definitions on random maps", () => {
  const random = new Mt19937(21);
  for (let round = 0; round < 12; round++) {
    const levels = [3, 40, 100000][round % 3]!;
    const width = 4 + random.below(6), height = 4 + random.below(6);
    const images = Array.from({ length: 3 }, () => {
      const mask = new Uint8Array(width * height).map(() =>
        random.below(4) === 0 ? 1 : 0
      );
      const map = new Float32Array(mask.length).map((_, i) => {
        const score = random.below(levels) / levels - 0.5 + 0.3 * mask[i]!;
        return random.below(12) === 0 ? NaN : score;
      });
      return { map, mask };
    });
    const result = measure(width, ...images);
    const labelled = images.map(({ map, mask }) => {
      const visible = mask.map((value, i) => Number.isNaN(map[i]) ? 0 : value);
      const { labels } = labelComponents(visible, { width, height });
      return { map, components: labels };
    });
    const pixels = labelled.flatMap(({ map, components }) =>
      Array.from(map, (score, i) => ({ score, label: components[i]! }))
    ).filter(({ score }) => !Number.isNaN(score));
    const expected = aurocByDefinition(
      pixels.map(({ score }) => score),
      pixels.map(({ label }) => label),
    );
    assertAlmostEquals(result.auroc, expected, 1e-12);
    for (
      const [limit, value] of [
        [0.3, result.aupro30],
        [0.05, result.aupro5],
      ] as const
    ) {
      assertAlmostEquals(value, auproByDefinition(labelled, limit), 1e-12);
    }
  }
});

Deno.test("PixelMetrics.result() can be asked again after more images", () => {
  const metrics = new PixelMetrics();
  const size = { width: 2, height: 1 };
  metrics.add(Float32Array.of(1, 2), Uint8Array.of(0, 1), size);
  const first = metrics.result();
  assertEquals(metrics.result(), first);
  assertEquals(first.auroc, 1);
  metrics.add(Float32Array.of(3, 3), undefined, size);
  assertAlmostEquals(metrics.result().auroc, 1 / 3, 1e-15);
});

Deno.test("PixelMetrics is NaN when it has no images", () => {
  const result = new PixelMetrics().result();
  assertEquals([result.auroc, result.aupro30, result.pixels], [NaN, NaN, 0]);
});

Deno.test("PixelMetrics.add() leaves its inputs as they were and keeps no hold of them", () => {
  const map = Float32Array.of(2, 1), mask = Uint8Array.of(1, 0);
  const metrics = new PixelMetrics();
  metrics.add(map, mask, { width: 2, height: 1 });
  assertEquals([...map, ...mask], [2, 1, 1, 0]);
  map.fill(0);
  mask.fill(0);
  assertEquals(metrics.result().auroc, 1);
});

Deno.test("PixelMetrics.add() refuses maps and masks of another size", () => {
  const metrics = new PixelMetrics();
  const size = { width: 2, height: 2 };
  assertThrows(
    () => metrics.add(new Float32Array(3), undefined, size),
    RangeError,
    "its map has 3 pixels, expected 2 × 2",
  );
  assertThrows(
    () => metrics.add(new Float32Array(4), new Uint8Array(6), size),
    RangeError,
    "its mask has 6 pixels, expected 2 × 2",
  );
});
