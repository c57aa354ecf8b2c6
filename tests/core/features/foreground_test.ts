import { assertEquals } from "@std/assert";
import { usesForeground } from "../../../src/core/features/foreground.ts";

const GRID = [10, 10] as const;
const AUTO = { mask: "auto", morphology: "grid", threshold: 10 } as const;

/** A mask of a disc in the middle, or of what `isPart` says. */
function maskOf(
  isPart: (row: number, column: number) => boolean = (row, column) =>
    Math.hypot(row - 4.5, column - 4.5) < 4,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: 100 },
    (_, i) => Number(isPart(Math.floor(i / 10), i % 10)),
  );
}

Deno.test("usesForeground() does as it is told", () => {
  assertEquals(usesForeground({ ...AUTO, mask: "on" }, [], GRID), true);
  assertEquals(
    usesForeground({ ...AUTO, mask: "off" }, [maskOf()], GRID),
    false,
  );
});

Deno.test("usesForeground() finds parts in the middle and no textures", () => {
  const part = maskOf();
  for (
    const [masks, expected] of [
      [[part, part, part], true],
      [[], false],
      [[maskOf(() => true)], false],
      [[maskOf(() => false)], false],
      // Ground that is taken for the part.
      [
        [maskOf((row, column) => Math.hypot(row - 4.5, column - 4.5) > 4)],
        false,
      ],
      // A stripe from edge to edge that leaves the rest of the middle out.
      [[maskOf((row) => row < 4)], false],
      // One of five may fail, not two.
      [[part, part, part, part, maskOf(() => true)], true],
      [[part, part, part, maskOf(() => true), maskOf(() => true)], false],
    ] as const
  ) {
    assertEquals(usesForeground(AUTO, masks, GRID), expected);
  }
});
