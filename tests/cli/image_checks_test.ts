import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError } from "../../src/cli/disk.ts";
import { ImageChecks } from "../../src/cli/image_checks.ts";
import { FakeTerminal } from "./fake_terminal.ts";

function photo(width: number, height: number, most = 0xffff) {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < data.length; i++) data[i] = i % 251;
  const extent = { bits: 16, kind: "unsigned", least: 0, most } as const;
  return { pixels: { width, height, data }, extent };
}

function checks(crop: number | null, square = false) {
  const fake = new FakeTerminal();
  const checks = new ImageChecks(fake.terminal, {
    refuseMasks: true,
    silentShare: 0.25,
    advice: "add --no-crop, or --square",
    rangeAdvice: "add",
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
  for (const name of ["a", "b", "a", "c"]) run.look(name, photo(128, 64, 1000));
  run.look("square", photo(64, 64));
  run.finish();
  const lines = fake.stderr.trim().split("\n");
  assertEquals(lines.length, 4);
  assertStringIncludes(
    lines[1]!,
    '"a" has 16 bits a sample and uses the lower 10: only the highest 8 are taken, so that it is nearly black; add --range auto, or --range 0..1023',
  );
  assertStringIncludes(lines[2]!, "of 3 of 4 images, up to 62 %");
  assertStringIncludes(lines[3]!, "3 of 4 images do not use the upper");
});

Deno.test("ImageChecks tells of samples far beyond the range, and of none within", () => {
  const { checks: run, fake } = checks(null);
  run.range = { low: 0, high: 4095 };
  for (const most of [4095, 4096, 5000, 255]) {
    run.look(`${most}`, photo(8, 8, most));
  }
  assertEquals(fake.stderr, "");
  for (const most of [6000, 65535]) run.look(`${most}`, photo(8, 8, most));
  run.finish();
  assertStringIncludes(
    fake.stderr,
    '"6000" has samples from 0 to 6000, the range is 0..4095: those beyond are all black or all white; add a --range that holds them',
  );
  assertStringIncludes(fake.stderr, "2 of 6 images have samples far beyond");
});

Deno.test("ImageChecks tells which files have more pages", () => {
  const { checks: run, fake } = checks(null);
  for (const name of ["a", "b"]) run.look(name, { ...photo(8, 8), pages: 12 });
  run.look("c", photo(8, 8));
  run.finish();
  assertEquals(
    fake.stderr,
    '"a" has 12 pages: the first is taken\n2 of 3 images have several pages: the first is taken\n',
  );
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
