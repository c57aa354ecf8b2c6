import { assert, assertEquals } from "@std/assert";
import { Mt19937 } from "../../../src/core/settings/random.ts";
import {
  oddImages,
  oddScores,
} from "../../../src/core/threshold/odd_images.ts";

/** Scores as the largest of many are distributed. */
function gumbelScores(count: number, random: Mt19937): number[] {
  return Array.from(
    { length: count },
    () => 5 - 0.25 * Math.log(-Math.log(1 - random.float64())),
  );
}

Deno.test("oddScores() names nothing when all scores are alike or follow the rule", () => {
  assertEquals(oddScores([]).odd, []);
  assertEquals(oddScores([1, 2, 30]).odd, []);
  assertEquals(oddScores(new Array(50).fill(2)).odd, []);
  const quantiles = Array.from(
    { length: 200 },
    (_, i) => -Math.log(-Math.log((i + 0.5) / 200)),
  );
  assertEquals(oddScores(quantiles), { odd: [], secondKind: false });
});

Deno.test("oddScores() seldom names a good image when there is no other", () => {
  const random = new Mt19937(1);
  for (const [count, most] of [[20, 0.012], [200, 0.006]] as const) {
    let named = 0;
    for (let set = 0; set < 200; set++) {
      named += oddScores(gumbelScores(count, random)).odd.length;
    }
    assert(named / (200 * count) < most, `${named} of ${200 * count}`);
  }
});

Deno.test("oddScores() names one image when it stands out alone", () => {
  const scores = gumbelScores(24, new Mt19937(2));
  assertEquals(oddScores(scores.with(7, 9)), { odd: [7], secondKind: false });
});

Deno.test("oddScores() names those that are too many when a tenth is defective", () => {
  const random = new Mt19937(3);
  const good = Array.from(
    { length: 198 },
    (_, i) => 5 - 0.25 * Math.log(-Math.log((i + 0.5) / 198)),
  );
  const defective = Array.from({ length: 22 }, () => 6.3 + random.float64());
  assertEquals(oddScores(good), { odd: [], secondKind: false });
  const { odd, secondKind } = oddScores([...good, ...defective]);
  assert(!secondKind);
  const right = odd.filter((place) => place >= 198).length;
  assert(right >= 17, `${right} of 22`);
  assert(odd.length - right <= 3, `${odd.length - right} good ones`);
  const largest = Math.max(...defective);
  assertEquals(odd[0], 198 + defective.indexOf(largest));
});

Deno.test("oddScores() speaks of a second kind when a fifth scores higher", () => {
  const random = new Mt19937(4);
  const scores = gumbelScores(200, random)
    .map((score, i) => i % 5 === 0 ? score + 2 : score);
  const { odd, secondKind } = oddScores(scores);
  assert(secondKind);
  assert(odd.length < 40);
});

Deno.test("oddImages() joins what either kind of score names, the oddest first", () => {
  const random = new Mt19937(5);
  const scores = gumbelScores(30, random);
  const maxima = gumbelScores(30, random);
  const found = oddImages(scores.with(3, 12).with(9, 10), maxima.with(5, 12));
  assertEquals(found.odd, [3, 5, 9]);
});
