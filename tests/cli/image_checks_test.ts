import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError } from "../../src/cli/disk.ts";
import { ImageChecks } from "../../src/cli/image_checks.ts";
import { FakeTerminal } from "./fake_terminal.ts";

function photo(width: number, height: number, unused = 0) {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < data.length; i++) data[i] = i % 251;
  return { pixels: { width, height, data }, unused };
}

function checks(crop: number | null, square = false) {
  const fake = new FakeTerminal();
  const checks = new ImageChecks(fake.terminal, {
    refuseMasks: true,
    advice: "add --no-crop, or --square",
  });
  checks.geometry = { resize: 256, crop, square };
  return { checks, fake };
}

Deno.test("ImageChecks tells what a crop hides, beyond that of a square image", () => {
  const cases = [
    [64, 64, 224, false, undefined],
    [66, 64, 224, false, "26 %"],
    [128, 64, 224, false, "62 %"],
    [4000, 31, 224, false, "99.4 %"],
    [64, 64, 128, false, "75 %"],
    [128, 64, 224, true, undefined],
    [128, 64, null, false, undefined],
  ] as const;
  for (const [width, height, crop, square, hidden] of cases) {
    const { checks: run, fake } = checks(crop, square);
    run.look("a.png", photo(width, height));
    run.finish();
    if (hidden === undefined) assertEquals(fake.stderr, "");
    else {
      assertStringIncludes(
        fake.stderr,
        `The crop hides ${hidden} of "a.png" (${width} × ${height}): nothing there is looked at; add --no-crop, or --square`,
      );
    }
  }
});

Deno.test("ImageChecks tells each kind once and how many there were", () => {
  const { checks: run, fake } = checks(224);
  for (const name of ["a", "b", "a", "c"]) run.look(name, photo(128, 64, 6));
  run.look("square", photo(64, 64));
  run.finish();
  const lines = fake.stderr.trim().split("\n");
  assertEquals(lines.length, 4);
  assertStringIncludes(lines[1]!, "uses at most the lower 10");
  assertStringIncludes(lines[2]!, "of 3 of 4 images, up to 62 %");
  assertStringIncludes(lines[3]!, "3 of 4 images have 16 bits");
});

Deno.test("ImageChecks refuses an image that looks like a mask", () => {
  const { checks: run } = checks(null);
  const mask = photo(4, 4);
  mask.pixels.data.fill(0);
  mask.pixels.data.fill(255, 16);
  for (let i = 3; i < 64; i += 4) mask.pixels.data[i] = 255;
  assertThrows(
    () => run.look("m.png", mask),
    FileError,
    'Refused to fit "m.png": it has two levels alone',
  );
  assertThrows(() => run.throwIfRefused(), FileError, "m.png");
});

Deno.test("ImageChecks tells of images that show nothing", () => {
  const { checks: run, fake } = checks(null);
  for (const name of ["a", "b", "c"]) {
    const blank = photo(4, 4);
    blank.pixels.data.fill(255);
    run.look(name, name === "c" ? photo(4, 4) : blank);
  }
  run.finish();
  assertEquals(
    fake.stderr,
    'warning: "a" is of one colour: it shows nothing\nwarning: 2 of 3 images are of one colour\n',
  );
});
