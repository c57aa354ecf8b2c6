import { assertEquals } from "@std/assert";
import { applyMaskRule } from "../../../src/core/metrics/mask_rule.ts";

const GRAY = Uint8Array.of(0, 1, 127, 128, 254, 255);

Deno.test("applyMaskRule() takes values from 128 when the rule is half", () => {
  assertEquals(applyMaskRule(GRAY, "half"), {
    mask: Uint8Array.of(0, 0, 0, 1, 1, 1),
    defective: true,
  });
  assertEquals(applyMaskRule(Uint8Array.of(0, 127), "half"), {
    mask: new Uint8Array(2),
    defective: false,
  });
});

Deno.test("applyMaskRule() takes 255 alone when the rule is reference", () => {
  assertEquals(applyMaskRule(GRAY, "reference"), {
    mask: Uint8Array.of(0, 0, 0, 0, 0, 1),
    defective: true,
  });
});

Deno.test("applyMaskRule() calls an image with grey pixels only defective under the rule reference", () => {
  assertEquals(applyMaskRule(Uint8Array.of(0, 9), "reference"), {
    mask: new Uint8Array(2),
    defective: true,
  });
  assertEquals(
    applyMaskRule(new Uint8Array(3), "reference").defective,
    false,
  );
});
