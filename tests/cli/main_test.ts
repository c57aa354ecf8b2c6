import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { defineCommand } from "../../src/cli/command.ts";
import { EXIT } from "../../src/cli/exit.ts";
import { runProgram } from "../../src/cli/main.ts";
import { VERSION } from "../../src/core/settings/version.ts";
import config from "../../deno.json" with { type: "json" };
import { FakeTerminal } from "./fake_terminal.ts";

const COMMANDS = [
  defineCommand({
    name: "count",
    summary: "Count the arguments",
    operands: { name: "FILES", help: "anything", min: 0 },
    options: {
      times: { kind: "integer", min: 1, default: 1, help: "factor" },
    },
    examples: [["a b", "Prints 2"]],
    run(operands, { times }, { terminal }): Promise<number> {
      const count = operands.length * times;
      terminal.result(String(count));
      terminal.record({ count });
      return Promise.resolve(EXIT.ok);
    },
  }),
  defineCommand({
    name: "break",
    summary: "Fail",
    options: {},
    examples: [],
    run: () => Promise.reject(new Error("Cannot go on: it broke")),
  }),
];

async function run(
  argv: readonly string[],
  options: { aborted?: boolean; debug?: boolean } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const fake = new FakeTerminal();
  const code = await runProgram(argv, {
    terminal: fake.terminal,
    signal: options.aborted
      ? AbortSignal.abort()
      : new AbortController().signal,
    commands: COMMANDS,
    debug: options.debug ?? false,
  });
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}

Deno.test("runProgram() runs a command with its arguments", async () => {
  assertEquals(await run(["count", "a", "b", "--times", "3"]), {
    code: 0,
    stdout: "6\n",
    stderr: "",
  });
  assertEquals((await run(["count", "a", "--json"])).stdout, '{"count":1}\n');
});

Deno.test("runProgram() prints help and the version on stdout", async () => {
  for (const argv of [["--help"], ["-h"]]) {
    const { code, stdout } = await run(argv);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "  count                     Count the");
  }
  const { code, stdout } = await run(["count", "--help"]);
  assertEquals(code, 0);
  assertMatch(
    stdout,
    /^Usage: deno run -A mod.ts count \[FILES…\] \[OPTIONS\]/,
  );
  assertStringIncludes(stdout, "--json");
  assertEquals((await run(["--version"])).stdout, `${VERSION}\n`);
});

Deno.test.each([
  [[], /^$/],
  [
    ["coutn"],
    /^error: Unknown command "coutn"; did you mean "count"\?\nSee "deno run -A mod.ts --help"\n$/,
  ],
  [
    ["--times", "3", "count"],
    /^error: Unknown option "--times": the command comes first, one of count, break/,
  ],
  [
    ["count", "--tims", "3"],
    /^error: Unknown option "--tims"; did you mean "--times"\?\nSee "deno run -A mod.ts count --help"\n$/,
  ],
])("runProgram() exits with 2 for %j", async (argv, stderr) => {
  const result = await run(argv);
  assertEquals(result.code, EXIT.usage);
  assertMatch(result.stderr, stderr);
});

Deno.test("runProgram() exits with 1 and one sentence when a command fails", async () => {
  assertEquals(await run(["break"]), {
    code: EXIT.failure,
    stdout: "",
    stderr: "error: Cannot go on: it broke\n",
  });
  assertMatch((await run(["break"], { debug: true })).stderr, /\n\s+at /);
});

Deno.test("runProgram() exits with 130 when interrupted", async () => {
  assertEquals(await run(["break"], { aborted: true }), {
    code: EXIT.interrupted,
    stdout: "",
    stderr: "Interrupted\n",
  });
});

Deno.test("VERSION is the one of deno.json", () => {
  assertEquals(VERSION, config.version);
});
