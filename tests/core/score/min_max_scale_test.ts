import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  jointMap,
  jointScores,
  minMaxScale,
  onScale,
} from "../../../src/core/score/min_max_scale.ts";

Deno.test("minMaxScale() takes the least and the largest known score", () => {
  assertEquals(minMaxScale([NaN, 3, 0, 5, NaN]), { min: 0, max: 5 });
});

for (const scores of [[], [NaN, NaN], [0], [NaN, 4, 4]]) {
  Deno.test(`minMaxScale() finds no scale of [${scores}]`, () => {
    assertEquals(minMaxScale(scores), undefined);
  });
}

Deno.test("jointScores() averages on the members' scales and knows what is missing", () => {
  const members = [[2, 5, 3, NaN], [10, 20, 40, 30]];
  const scales = members.map((scores) => minMaxScale(scores)!);
  const joint = jointScores(members, scales);
  assertEquals(joint.length, 4);
  const expected = [0, (1 + 1 / 3) / 2, (1 / 3 + 1) / 2];
  expected.forEach((value, i) => assertAlmostEquals(joint[i]!, value, 1e-12));
  assertEquals(joint[3], NaN);
});

Deno.test("jointMap() averages pixel by pixel, beyond the scale as well", () => {
  const scales = [{ min: 1, max: 3 }, { min: -2, max: 8 }];
  const maps = [new Float32Array([1, 3, 7]), new Float32Array([8, -2, -12])];
  assertEquals(
    jointMap(maps, scales),
    Float32Array.from(
      maps[0]!,
      (value, i) =>
        (onScale(value, scales[0]!) + onScale(maps[1]![i]!, scales[1]!)) / 2,
    ),
  );
});
