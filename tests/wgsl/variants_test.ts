import { assertEquals } from "@std/assert";
import { variantFor } from "../../src/wgsl/variants.ts";
import { gpuTest } from "../testing.ts";

const FORMS = { portable: "any", subgroup8: "8", subgroup32: "32" } as const;

Deno.test.each([[0, "any"], [4, "any"], [8, "8"], [16, "any"], [32, "32"]])(
  "variantFor() picks for subgroups of %d lanes",
  (size, expected) => {
    assertEquals(variantFor<string>(FORMS, size), expected);
  },
);

gpuTest("Gpu.pick() picks for the adapter's subgroups", (gpu) => {
  const expected = gpu.subgroupSize === 8
    ? "8"
    : gpu.subgroupSize === 32
    ? "32"
    : "any";
  assertEquals(gpu.pick<string>(FORMS), expected);
});
