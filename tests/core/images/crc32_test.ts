import { assertEquals } from "@std/assert";
import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32 } from "../../../src/core/images/crc32.ts";

Deno.test("crc32() agrees with zlib's, in pieces as well", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * i % 251);
  assertEquals(crc32(bytes), zlibCrc32(bytes));
  assertEquals(crc32(new Uint8Array()), 0);
  const first = crc32(bytes.subarray(0, 333));
  assertEquals(crc32(bytes.subarray(333), first), zlibCrc32(bytes));
});
