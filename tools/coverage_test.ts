import { assertEquals } from "@std/assert";
import { linesOf } from "./coverage.ts";

Deno.test("linesOf() counts the lines of src alone", () => {
  const lcov = `SF:/home/me/src/gpu/gpu.ts
FNF:1
DA:1,4
DA:2,0
DA:7,12
end_of_record
SF:/home/me/tests/testing.ts
DA:1,1
end_of_record
SF:/home/me/src/core/mod.ts
end_of_record
`;
  assertEquals(linesOf(lcov), [
    { file: "src/gpu/gpu.ts", found: 3, hit: 2 },
    { file: "src/core/mod.ts", found: 0, hit: 0 },
  ]);
});
