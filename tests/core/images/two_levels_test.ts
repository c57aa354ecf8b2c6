import { assertEquals } from "@std/assert";
import { hasTwoLevels } from "../../../src/core/images/two_levels.ts";

function image(...colors: [number, number, number][]) {
  const data = new Uint8Array(colors.flatMap((color) => [...color, 255]));
  return { width: colors.length, height: 1, data };
}

Deno.test("hasTwoLevels() is true of black and one other grey alone", () => {
  const [black, white, one, red] = [
    [0, 0, 0],
    [255, 255, 255],
    [1, 1, 1],
    [255, 0, 0],
  ] as [number, number, number][];
  assertEquals(hasTwoLevels(image(black!, black!, white!)), true);
  assertEquals(hasTwoLevels(image(one!, black!)), true);
  assertEquals(hasTwoLevels(image(black!, black!)), false);
  assertEquals(hasTwoLevels(image(black!, red!)), false);
  assertEquals(hasTwoLevels(image(one!, white!)), false);
  assertEquals(hasTwoLevels(image(black!, one!, white!)), false);
});
