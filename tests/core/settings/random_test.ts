import { assertEquals, assertThrows } from "@std/assert";
import {
  choice,
  Mt19937,
  permutation,
  shuffle,
} from "../../../src/core/settings/random.ts";

function draw<T>(count: number, next: () => T): T[] {
  return Array.from({ length: count }, next);
}

Deno.test("Mt19937.uint32() gives NumPy's words", () => {
  const zero = new Mt19937(0);
  assertEquals(draw(4, () => zero.uint32()), [
    2357136044,
    2546248239,
    3071714933,
    3626093760,
  ]);
  const five = new Mt19937(5);
  assertEquals(draw(1000, () => five.uint32()).slice(-3), [
    2225786747,
    2507965046,
    3298208229,
  ]);
  const largest = new Mt19937(2 ** 32 - 1);
  assertEquals(draw(2, () => largest.uint32()), [419326371, 479346978]);
});

Deno.test("Mt19937.uint32() equals the standard's 10000th word for seed 5489", () => {
  const random = new Mt19937(5489);
  assertEquals(draw(10000, () => random.uint32()).at(-1), 4123659995);
});

Deno.test("Mt19937() refuses seeds that are no 32-bit integers", () => {
  for (const seed of [-1, 0.5, 2 ** 32, NaN]) {
    assertThrows(() => new Mt19937(seed), RangeError, `value is ${seed}`);
  }
});

Deno.test("Mt19937.float64() gives numpy.random.random_sample", () => {
  const random = new Mt19937(0);
  assertEquals(draw(3, () => random.float64()), [
    0.5488135039273248,
    0.7151893663724195,
    0.6027633760716439,
  ]);
});

Deno.test("Mt19937.float32() gives torch.rand and stays in range", () => {
  const random = new Mt19937(0);
  // torch.manual_seed(0); torch.rand(5)
  const expected = [0.4963, 0.7682, 0.0885, 0.1320, 0.3074];
  assertEquals(
    draw(5, () => random.float32()).map((x) => Number(x.toFixed(4))),
    expected,
  );
  for (let i = 0; i < 1000; i++) {
    const value = random.float32(-0.25, 0.125);
    assertEquals(value >= -0.25 && value < 0.125, true);
    assertEquals(value, Math.fround(value));
  }
});

Deno.test("Mt19937.below() gives numpy.random.randint", () => {
  const random = new Mt19937(1);
  assertEquals(
    draw(12, () => random.below(10)),
    [5, 8, 9, 5, 0, 0, 1, 7, 6, 9, 2, 4],
  );
});

Deno.test("Mt19937.below() covers its whole range", () => {
  const random = new Mt19937(3);
  assertEquals(random.below(1), 0);
  assertEquals(
    random.below(2 ** 32),
    new Mt19937(3).uint32(),
    "a bound of 1 must not draw, a bound of 2^32 must take the whole word",
  );
  assertEquals(new Set(draw(200, () => random.below(5))).size, 5);
  for (const bound of [0, 1.5, 2 ** 32 + 1]) {
    assertThrows(() => random.below(bound), RangeError, `value is ${bound}`);
  }
});

Deno.test("Mt19937.normal() gives numpy.random.standard_normal", () => {
  const random = new Mt19937(0);
  const expected = [
    1.764052345967664,
    0.4001572083672233,
    0.9787379841057392,
    2.240893199201458,
    1.8675579901499675,
  ];
  for (const value of expected) {
    assertEquals(Math.abs(random.normal() - value) < 1e-15, true);
  }
});

Deno.test("permutation() gives numpy.random.permutation", () => {
  assertEquals(
    [...permutation(new Mt19937(7), 12)],
    [7, 10, 2, 5, 0, 1, 11, 8, 3, 6, 9, 4],
  );
  assertEquals([...permutation(new Mt19937(7), 0)], []);
});

Deno.test("shuffle() gives numpy.random.shuffle", () => {
  const letters = [..."abcdefg"];
  shuffle(new Mt19937(2), letters);
  assertEquals(letters, ["e", "b", "d", "c", "g", "f", "a"]);
});

Deno.test("choice() gives numpy.random.choice without replacement", () => {
  const random = new Mt19937(3);
  assertEquals([...choice(random, 20, 5)], [14, 2, 1, 17, 4]);
  assertEquals([...choice(random, 20, 5)], [4, 9, 7, 6, 19]);
  assertThrows(() => choice(random, 4, 5), RangeError, "Cannot choose 5 of 4");
});

const START_POINTS = [
  { seed: 0, count: 1000, start: "993 859 298 553 672 971 27 231 306 706" },
  {
    seed: 0,
    count: 163856,
    start: "61587 130619 91549 30689 32225 130105 25966 96545 31837 4447",
  },
  {
    seed: 0,
    count: 47040,
    start: "35319 42747 44991 40000 37902 1594 32381 12734 27158 9017",
  },
  { seed: 3, count: 1176, start: "977 948 574 458 842 959 427 943 131 173" },
  { seed: 3, count: 294, start: "151 280 101 262 16 204 25 46 79 205" },
  {
    seed: 3,
    count: 4704,
    start: "434 884 4161 3875 1203 1047 4384 17 4474 203",
  },
];

for (const { seed, count, start } of START_POINTS) {
  Deno.test(`choice() gives the start points of seed ${seed} among ${count} patches`, () => {
    assertEquals(choice(new Mt19937(seed), count, 10).join(" "), start);
  });
}
