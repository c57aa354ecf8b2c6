import { assertEquals, assertStringIncludes } from "@std/assert";
import { tellCpuAdapter } from "../../src/cli/adapter_line.ts";
import { FakeTerminal } from "./fake_terminal.ts";

Deno.test("tellCpuAdapter() names a CPU, and says nothing of a GPU", () => {
  const fake = new FakeTerminal();
  tellCpuAdapter({ isCpu: false, adapterName: "a card" }, fake.terminal);
  assertEquals(fake.stderr, "");
  tellCpuAdapter({ isCpu: true, adapterName: "llvmpipe" }, fake.terminal);
  assertStringIncludes(fake.stderr, 'The adapter "llvmpipe" is a CPU');
});
