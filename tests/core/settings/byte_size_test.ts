import { assertEquals } from "@std/assert";
import {
  bytesInWords,
  parseByteSize,
} from "../../../src/core/settings/byte_size.ts";

Deno.test("parseByteSize() reads sizes as people write them", () => {
  for (
    const [text, bytes] of [
      ["512MiB", 512 * 2 ** 20],
      ["2GB", 2e9],
      ["1.5 gib", 1.5 * 2 ** 30],
      ["1024", 1024],
      [" 7 B ", 7],
      ["0", undefined],
      ["0.1B", undefined],
      ["-1MB", undefined],
      ["MB", undefined],
      ["", undefined],
      ["1 MBit", undefined],
      ["9999999TiB", undefined],
    ] as const
  ) {
    assertEquals(parseByteSize(text), bytes, text);
  }
});

Deno.test("bytesInWords() rounds up to what suffices", () => {
  for (
    const [bytes, words] of [
      [1000, "1000 bytes"],
      [1025, "1.1 KiB"],
      [64 * 2 ** 20, "64 MiB"],
      [64 * 2 ** 20 + 1, "65 MiB"],
      [1.5 * 2 ** 30, "1.5 GiB"],
      [Infinity, "any amount"],
    ] as const
  ) {
    assertEquals(bytesInWords(bytes), words);
  }
});
