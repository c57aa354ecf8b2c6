import { assertEquals } from "@std/assert";
import { table } from "../../src/cli/table.ts";

Deno.test("table() aligns names to the left and numbers to the right", () => {
  assertEquals(
    table([["category", "AUROC"], ["bottle", "1"], ["screw", "0.981"]]),
    "category  AUROC\nbottle        1\nscrew     0.981",
  );
});
