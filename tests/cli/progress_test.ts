import { assertEquals, assertStringIncludes } from "@std/assert";
import { duration } from "../../src/cli/progress.ts";
import { stageProgress } from "../../src/cli/stage_progress.ts";
import { FakeTerminal } from "./fake_terminal.ts";

Deno.test("Progress writes a line each tenth when not on a terminal", () => {
  const fake = new FakeTerminal();
  using progress = fake.terminal.progress("Fit", { total: 40, unit: "images" });
  for (let i = 0; i < 40; i++) {
    fake.now += 100;
    progress.add();
  }
  const lines = fake.stderr.trimEnd().split("\n");
  assertEquals(lines.length, 10);
  assertEquals(lines[0], "Fit: 10 % (4/40 images, 10.0/s, 4 s left)");
  assertEquals(lines[9], "Fit: 100 % (40/40 images, 10.0/s)");
});

Deno.test("Progress redraws one line on a terminal, at most every 100 ms", () => {
  const fake = new FakeTerminal({ isTerminal: true });
  using progress = fake.terminal.progress("Fit", { total: 4, unit: "images" });
  fake.stderr = "";
  fake.now = 50;
  progress.add();
  assertEquals(fake.stderr, "");
  fake.now = 1000;
  progress.add();
  assertEquals(
    fake.stderr,
    "\rFit [############------------] 2/4 images, 2.00/s, 1 s left\x1b[K",
  );
});

Deno.test("Progress leaves what was done before out of the rate", () => {
  const fake = new FakeTerminal();
  const options = { total: 100, unit: "MB", from: 50 };
  using progress = fake.terminal.progress("Download", options);
  fake.now = 5000;
  progress.set(60);
  assertEquals(
    fake.stderr,
    "Download: 50 % (50/100 MB)\nDownload: 60 % (60/100 MB, 2.00/s, 20 s left)\n",
  );
});

Deno.test("Progress writes rates without an exponent, and none of the first instant", () => {
  const fake = new FakeTerminal();
  using progress = fake.terminal.progress("Coreset", { total: 10_000 });
  for (
    const [now, done] of [[1, 1000], [554, 2000], [1000, 3000], [9e6, 4000]]
  ) {
    fake.now = now!;
    progress.set(done!);
  }
  assertEquals(fake.stderr.split("\n"), [
    "Coreset: 10 % (1000/10000)",
    "Coreset: 20 % (2000/10000, 3610/s, 2 s left)",
    "Coreset: 30 % (3000/10000, 3000/s, 2 s left)",
    "Coreset: 40 % (4000/10000, 0.444/s, 3 h 45 min left)",
    "",
  ]);
});

Deno.test("stageProgress() leaves out of a rate what was done when it was first told", () => {
  const fake = new FakeTerminal();
  using progress = stageProgress(fake.terminal);
  progress("features", 8, 40);
  fake.now = 1000;
  progress("features", 16, 40);
  fake.now = 2000;
  progress("features", 40, 40);
  progress("coreset", 500, 1000);
  assertEquals(fake.stderr.split("\n"), [
    "Features: 20 % (8/40 images)",
    "Features: 40 % (16/40 images, 8.00/s, 3 s left)",
    "Features: 100 % (40/40 images, 16.0/s)",
    "Coreset: 50 % (500/1000 picks)",
    "",
  ]);
});

Deno.test("Progress makes room for messages and ends with an empty line", () => {
  const fake = new FakeTerminal({ isTerminal: true });
  const progress = fake.terminal.progress("Fit", { total: 2 });
  fake.stderr = "";
  fake.terminal.message("hello");
  assertStringIncludes(fake.stderr, "\r\x1b[Khello\n\rFit [");
  fake.stderr = "";
  progress.end();
  progress.add();
  fake.terminal.message("bye");
  assertEquals(fake.stderr, "\r\x1b[Kbye\n");
});

Deno.test.each([
  [0.4, "0 s"],
  [59.6, "1 min 0 s"],
  [125, "2 min 5 s"],
  [11_400, "3 h 10 min"],
])("duration() says %s seconds as %s", (seconds, expected) => {
  assertEquals(duration(seconds), expected);
});
