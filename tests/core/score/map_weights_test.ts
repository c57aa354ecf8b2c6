import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  foldPosition,
  gaussianTaps,
} from "../../../src/core/score/map_weights.ts";

Deno.test("gaussianTaps() are the 33 taps of the published maps", () => {
  const taps = gaussianTaps(4);
  assertEquals(taps.length, 33);
  assertAlmostEquals(taps[16]!, 0.0997391, 5e-8);
  assertAlmostEquals(taps[0]!, 3.3459e-5, 5e-10);
  assertAlmostEquals(taps.reduce((sum, tap) => sum + tap), 1, 1e-15);
  assertEquals([...gaussianTaps(0)], [1]);
  assertEquals([...gaussianTaps(0.1)], [1]);
});

Deno.test("foldPosition() repeats the edge only when symmetric", () => {
  const positions = Array.from({ length: 14 }, (_, i) => i - 6);
  assertEquals(
    positions.map((position) => foldPosition(position, 3, "symmetric")),
    [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1],
  );
  assertEquals(
    positions.map((position) => foldPosition(position, 3, "reflect")),
    [2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1],
  );
  assertEquals(foldPosition(-9, 1, "reflect"), 0);
  assertEquals(foldPosition(5, 1, "symmetric"), 0);
});
