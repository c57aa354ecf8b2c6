import { assertEquals } from "@std/assert";
import { readImageHeader } from "../../../src/core/images/image_header.ts";

const FOLDER = new URL("../../golden/images/", import.meta.url);
const FILES = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name)
  .filter((name) => !name.endsWith(".json")).sort();

function open(file: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(file, FOLDER));
}

Deno.test("readImageHeader() reads size and orientation of every format", () => {
  for (const file of FILES) {
    const { width, height, orientation } = readImageHeader(open(file), file);
    const expected = Number(/orientation(\d)/.exec(file)?.[1] ?? 1);
    assertEquals([width, height, orientation], [24, 17, expected]);
  }
});
