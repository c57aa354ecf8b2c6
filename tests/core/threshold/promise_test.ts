import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { Mt19937 } from "../../../src/core/settings/random.ts";
import {
  expectedFalseAlarms,
  promisedThreshold,
} from "../../../src/core/threshold/promise.ts";

/** 1 to `count`. */
function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Mean share of a distribution above the threshold, over many fits. */
function shareAbove(
  draw: (random: Mt19937) => number,
  above: (value: number) => number,
  { images, rate, fits = 2000 }: {
    images: number;
    rate: number;
    fits?: number;
  },
): { mean: number; within: number } {
  const random = new Mt19937(images);
  const [low, high] = expectedFalseAlarms(images, rate);
  let sum = 0;
  let within = 0;
  for (let fit = 0; fit < fits; fit++) {
    const scores = Array.from({ length: images }, () => draw(random));
    const share = above(promisedThreshold(scores, rate)!.value);
    sum += share;
    if (share >= low && share <= high) within++;
  }
  return { mean: sum / fits, within: within / fits };
}

const exponential = {
  draw: (random: Mt19937) => -Math.log1p(-random.float64()),
  above: (value: number) => Math.exp(-value),
};

const uniform = {
  draw: (random: Mt19937) => random.float64(),
  above: (value: number) => Math.max(0, 1 - value),
};

Deno.test("promisedThreshold() is the order statistic when there are scores enough", () => {
  const found = promisedThreshold(numbers(99).reverse(), 0.05)!;
  assertEquals(found.rule, { kind: "order statistic", rank: 95 });
  assertEquals(found.value, 95);
  assertEquals(found.images, 99);
});

Deno.test("expectedFalseAlarms() is a beta distribution's interval when there are scores enough", () => {
  // scipy.stats.beta.ppf([0.025, 0.975], 5, 95)
  const [low, high] = expectedFalseAlarms(99, 0.05);
  assertAlmostEquals(low, 0.016599911329843488, 1e-10);
  assertAlmostEquals(high, 0.10022790656874934, 1e-10);
});

Deno.test("promisedThreshold() interpolates when the rank is a fraction", () => {
  assertAlmostEquals(promisedThreshold(numbers(50), 0.05)!.value, 48.45, 1e-12);
  assertEquals(promisedThreshold(numbers(19), 0.05)!.value, 19);
  assertEquals(promisedThreshold(numbers(3), 0.9)!.value, 1);
});

Deno.test("promisedThreshold() follows the exponential tail when there are too few scores", () => {
  const found = promisedThreshold(numbers(10), 0.05)!;
  // Above 6 are four scores: 1, 2, 3 measured, one counted as 3: 9 in all.
  assertEquals(found.rule, {
    kind: "exponential tail",
    from: 6,
    above: 4,
    measured: 3,
    scale: 3,
  });
  const expected = 6 + 9 * ((5 / 11 / 0.05) ** (1 / 3) - 1);
  assertAlmostEquals(found.value, expected, 1e-12);
});

Deno.test("promisedThreshold() is called as often as promised when the tail is exponential", () => {
  for (const images of [3, 10, 18]) {
    const { mean, within } = shareAbove(
      exponential.draw,
      exponential.above,
      { images, rate: 0.05 },
    );
    assertAlmostEquals(mean, 0.05, 0.006, `${images} images`);
    assertAlmostEquals(within, 0.95, 0.03, `${images} images`);
  }
});

Deno.test("promisedThreshold() keeps its promise whatever the distribution when there are scores enough", () => {
  for (const shape of [exponential, uniform]) {
    for (const images of [19, 30, 50]) {
      const { mean, within } = shareAbove(shape.draw, shape.above, {
        images,
        rate: 0.05,
      });
      assertAlmostEquals(mean, 0.05, 0.007, `${images} images`);
      assertAlmostEquals(within, 0.95, 0.03, `${images} images`);
    }
  }
});

Deno.test("promisedThreshold() does not move when the largest of ten scores is odd", () => {
  const scores = numbers(10);
  const value = promisedThreshold(scores, 0.01)!.value;
  assertEquals(promisedThreshold(scores.with(9, 1000), 0.01)!.value, value);
});

Deno.test("promisedThreshold() scales with the scores", () => {
  for (const images of [5, 12, 60]) {
    const scores = numbers(images).map((x) => x ** 1.5);
    const { value } = promisedThreshold(scores, 0.05)!;
    const scaled = promisedThreshold(scores.map((x) => 7 * x + 3), 0.05)!.value;
    assertAlmostEquals(scaled, 7 * value + 3, 1e-9 * scaled);
  }
});

Deno.test("promisedThreshold() is none when there are no two different scores", () => {
  assertEquals(promisedThreshold([], 0.05), undefined);
  assertEquals(promisedThreshold([3], 0.05), undefined);
  assertEquals(promisedThreshold([0, 0, 0], 0.05), undefined);
  assert(promisedThreshold([0, 0, 1], 0.05) !== undefined);
});

Deno.test("promisedThreshold() refuses when rate or scores say nothing", () => {
  for (const rate of [0, 1, -0.1, NaN]) {
    assertThrows(() => promisedThreshold([1, 2], rate), RangeError, `${rate}`);
  }
  assertThrows(() => promisedThreshold([1, NaN], 0.05), RangeError, "NaN");
});

Deno.test("promisedThreshold() lies above scores that many images share", () => {
  const many = (count: number, score: number) =>
    new Array<number>(count).fill(score);
  for (const heap of [0, 2]) {
    for (const count of [9, 99]) {
      assertEquals(
        promisedThreshold([...many(count, heap), 5], 0.05)?.value,
        5,
      );
    }
    assertEquals(
      promisedThreshold([heap, ...many(99, heap + 1)], 0.05),
      undefined,
    );
  }
});
