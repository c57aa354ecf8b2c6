import { assert, assertEquals } from "@std/assert";
import {
  leastShare,
  scoreReference,
  shiftOf,
} from "../../../src/core/threshold/score_drift.ts";
import { Chance } from "../../fuzz/damage.ts";

/** So many scores from 0 to 1, moved. */
function scores(chance: Chance, count: number, shift = 0): number[] {
  return Array.from(
    { length: count },
    () => chance.below(1_000_000) / 1e6 + shift,
  );
}

Deno.test("scoreReference() has deciles of normal scores", () => {
  const train = Array.from({ length: 100 }, (_, i) => 100 - i);
  const reference = scoreReference([...train, NaN, 500], 101)!;
  assertEquals(reference.images, 100);
  assertEquals(reference.edges, [10, 20, 30, 40, 50, 60, 70, 80, 90]);
  assertEquals(reference.shares, new Array(10).fill(0.1));
  assertEquals(scoreReference(train.slice(0, 19)), undefined);
  assertEquals(scoreReference(train, 20), undefined);
});

Deno.test("scoreReference() merges bins of equal scores", () => {
  const reference = scoreReference(new Array(30).fill(2))!;
  assertEquals(reference.edges, [2]);
  assertEquals(reference.shares, [1, 0]);
});

Deno.test("shiftOf() is the sum over the bins, and small where nothing changed", () => {
  const reference = {
    images: 100,
    edges: [1],
    shares: [0.5, 0.5],
  };
  const recent = [...new Array(150).fill(0), ...new Array(50).fill(2)];
  const p = 50.5 / 101, q = [150.5 / 201, 50.5 / 201] as const;
  const expected = (q[0] - p) * Math.log(q[0] / p) +
    (q[1] - p) * Math.log(q[1] / p);
  const { index, chance } = shiftOf(reference, recent)!;
  assert(Math.abs(index - expected) < 1e-12);
  // χ² at 0.999 is 10.83 of one degree of freedom, 27.88 of nine.
  assert(Math.abs(chance / (1 / 100 + 1 / 200) - 10.83) < 0.4, `${chance}`);
  const ten = scoreReference(Array.from({ length: 100 }, (_, i) => i))!;
  const nine = shiftOf(ten, recent)!.chance / (1 / 100 + 1 / 200);
  assert(Math.abs(nine - 27.88) < 0.3, `${nine}`);
  assertEquals(shiftOf(reference, recent.slice(0, 99)), undefined);
});

Deno.test("shiftOf() exceeds chance where scores moved, and not where they did not", () => {
  const chance = new Chance(7);
  let beyond = 0;
  for (let i = 0; i < 200; i++) {
    const reference = scoreReference(scores(chance, 60))!;
    const same = shiftOf(reference, scores(chance, 500))!;
    if (same.index > same.chance) beyond++;
    const moved = shiftOf(reference, scores(chance, 500, 0.4))!;
    assert(moved.index > moved.chance, `${moved.index}`);
  }
  assert(beyond <= 3, `${beyond} of 200`);
});

Deno.test("leastShare() is the lower end of Wilson's interval", () => {
  assertEquals(leastShare(0, 0), 0);
  assertEquals(leastShare(0, 100), 0);
  // From the quadratic equation that the interval solves.
  const [p, n, z] = [0.3, 200, 3.0902];
  const low = leastShare(60, n);
  assert(low < p);
  assert(Math.abs((p - low) ** 2 - z * z * low * (1 - low) / n) < 1e-12);
});
