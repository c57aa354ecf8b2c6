import { assertEquals } from "@std/assert";
import { distinctColors } from "../../../src/core/images/distinct_colors.ts";

function image(...colors: [number, number, number][]) {
  const data = new Uint8Array(colors.flatMap((color) => [...color, 255]));
  return { width: colors.length, height: 1, data };
}

Deno.test("distinctColors() counts up to three", () => {
  const black: [number, number, number] = [0, 0, 0];
  const red: [number, number, number] = [128, 0, 0];
  const grey: [number, number, number] = [1, 1, 1];
  assertEquals(distinctColors(image(black, black)), 1);
  assertEquals(distinctColors(image(black, red, black, red)), 2);
  assertEquals(distinctColors(image(black, black, grey)), 2);
  assertEquals(distinctColors(image(grey, black, grey, red, red)), 3);
});
