import { assertEquals } from "@std/assert";
import {
  IMAGENET,
  normalisationTable,
} from "../../../src/core/images/normalise.ts";

Deno.test("normalisationTable() holds known values of torchvision", () => {
  const table = normalisationTable(IMAGENET);
  assertEquals(
    table.subarray(0, 4),
    Float32Array.of(
      -2.1179039478302,
      -2.0357141494751,
      -1.8044444322586,
      0,
    ),
  );
  assertEquals(
    table.subarray(255 * 4, 255 * 4 + 3),
    Float32Array.of(
      2.2489082813263,
      2.4285714626312,
      2.6400001049042,
    ),
  );
});
