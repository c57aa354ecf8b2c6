import { assertEquals, assertStringIncludes } from "@std/assert";
import { duration } from "../../src/cli/progress.ts";
import { table } from "../../src/cli/table.ts";
import { oneLine } from "../../src/cli/terminal.ts";
import { FakeTerminal } from "./fake_terminal.ts";

Deno.test("Terminal separates results from messages", () => {
  const fake = new FakeTerminal();
  fake.terminal.result("score 1.5");
  fake.terminal.record({ score: 1.5 });
  fake.terminal.message("Reading");
  fake.terminal.warn("odd");
  fake.terminal.error("broken");
  assertEquals(fake.stdout, "score 1.5\n");
  assertEquals(fake.stderr, "Reading\nwarning: odd\nerror: broken\n");
});

Deno.test("Terminal prints only JSON lines on stdout in JSON mode", () => {
  const fake = new FakeTerminal();
  fake.terminal.configure({ json: true, quiet: false });
  fake.terminal.result("score 1.5");
  fake.terminal.record({ score: 1.5 });
  assertEquals(fake.stdout, '{"score":1.5}\n');
});

Deno.test("Terminal keeps warnings and errors only when quiet", () => {
  const fake = new FakeTerminal();
  fake.terminal.configure({ json: false, quiet: true });
  fake.terminal.message("Reading");
  fake.terminal.warn("odd");
  using progress = fake.terminal.progress("Fit", { total: 1 });
  progress.add();
  assertEquals(fake.stderr, "warning: odd\n");
});

Deno.test("Terminal colours only on a terminal that wants colours", () => {
  const color = new FakeTerminal({ isTerminal: true, color: true });
  color.terminal.error("x");
  assertEquals(color.stderr, "\x1b[31merror:\x1b[0m x\n");
  const plain = new FakeTerminal({ isTerminal: true });
  plain.terminal.error("x");
  assertEquals(plain.stderr, "error: x\n");
});

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

Deno.test("table() aligns names to the left and numbers to the right", () => {
  assertEquals(
    table([["category", "AUROC"], ["bottle", "1"], ["screw", "0.981"]]),
    "category  AUROC\nbottle        1\nscrew     0.981",
  );
});

Deno.test("a file's name can neither move the cursor nor break an error's line", () => {
  const fake = new FakeTerminal();
  const name = "\x1b[2J\x07a\nb\u009b";
  fake.terminal.result(name);
  fake.terminal.error(name);
  assertEquals(fake.stdout, "\\x1b[2J\\x07a\nb\\x9b\n");
  assertEquals(fake.stderr, "error: \\x1b[2J\\x07a\\nb\\x9b\n");
  assertEquals(oneLine("größe\t1"), "größe\\t1");
});
