import { assertEquals } from "@std/assert";
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

Deno.test("a file's name can neither move the cursor nor break an error's line", () => {
  const fake = new FakeTerminal();
  const name = "\x1b[2J\x07a\nb\u009b";
  fake.terminal.result(name);
  fake.terminal.error(name);
  assertEquals(fake.stdout, "\\x1b[2J\\x07a\nb\\x9b\n");
  assertEquals(fake.stderr, "error: \\x1b[2J\\x07a\\nb\\x9b\n");
  assertEquals(oneLine("größe\t1"), "größe\\t1");
  assertEquals(oneLine("a\u2028b"), "a\\u2028b");
});

Deno.test("Terminal.error() writes further lines as lines", () => {
  const fake = new FakeTerminal();
  fake.terminal.error("broken", "  - mend it", "  - a\nb");
  assertEquals(fake.stderr, "error: broken\n  - mend it\n  - a\\nb\n");
});

Deno.test("results have headings and colours on a terminal alone", () => {
  const lines = (options: { isTerminal?: boolean; color?: boolean }) => {
    const fake = new FakeTerminal(options);
    fake.terminal.heading("verdict");
    fake.terminal.result("anomalous", 31);
    return fake.stdout;
  };
  assertEquals(lines({}), "anomalous\n");
  assertEquals(lines({ isTerminal: true }), "verdict\nanomalous\n");
  assertEquals(
    lines({ isTerminal: true, color: true }),
    "\x1b[1mverdict\x1b[0m\n\x1b[31manomalous\x1b[0m\n",
  );
});
