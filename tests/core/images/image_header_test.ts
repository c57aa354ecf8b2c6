import { assertEquals, assertThrows } from "@std/assert";
import { ImageError } from "../../../src/core/images/image_error.ts";
import { readImageHeader } from "../../../src/core/images/image_header.ts";

/** A GIF's beginning: screen, colours, an extension, then a frame. */
function gif(
  screen: [number, number],
  frame: [number, number, number, number],
): Uint8Array {
  const bytes = new Uint8Array(13 + 6 + 8 + 10);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("GIF89a"));
  screen.forEach((side, i) => view.setUint16(6 + 2 * i, side, true));
  bytes[10] = 0x80;
  bytes.set([0x21, 0xf9, 4, 0, 0, 0, 0, 0, 0x2c], 19);
  frame.forEach((value, i) => view.setUint16(28 + 2 * i, value, true));
  return bytes;
}

Deno.test("readImageHeader() refuses a GIF whose frame leaves its screen", () => {
  assertEquals(readImageHeader(gif([8, 6], [2, 1, 6, 5]), "a").width, 8);
  for (const frame of [[0, 0, 9, 6], [0, 0, 8, 65535], [3, 0, 6, 6]] as const) {
    assertThrows(
      () => readImageHeader(gif([8, 6], [...frame]), "a"),
      ImageError,
      "first frame reaches to",
    );
  }
});

Deno.test("readImageHeader() reads size and pages of what cameras write", () => {
  const folder = new URL("../../golden/camera/", import.meta.url);
  const cases = JSON.parse(
    Deno.readTextFileSync(new URL("cases.json", folder)),
  ) as { file: string; width: number; height: number; pages?: number }[];
  for (const { file, width, height, pages = 1 } of cases) {
    const header = readImageHeader(
      Deno.readFileSync(new URL(file, folder)),
      file,
    );
    const size = [header.width, header.height];
    const expected = Number(/orientation(\d)/.exec(file)?.[1] ?? 1);
    assertEquals(header.orientation, expected, file);
    assertEquals(expected > 4 ? size.reverse() : size, [width, height], file);
    assertEquals(header.pages ?? 1, pages, file);
  }
});

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
