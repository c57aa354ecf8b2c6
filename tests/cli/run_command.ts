import type { Command } from "../../src/cli/command.ts";
import { runProgram } from "../../src/cli/main.ts";
import { FakeTerminal } from "./fake_terminal.ts";

/** What a command line did. */
export interface CommandRun {
  /** The exit code. */
  readonly code: number;
  /** What was written to stdout. */
  readonly stdout: string;
  /** What was written to stderr. */
  readonly stderr: string;
}

/**
 * Registers a test of commands that use a GPU of their own. Deno tells the end
 * of a buffer's mapping some milliseconds late, when the command has returned.
 */
export function programTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({ name, sanitizeOps: false, fn });
}

/** Runs one command line in this process. */
export async function runCommand(
  command: Command,
  ...argv: readonly string[]
): Promise<CommandRun> {
  const fake = new FakeTerminal();
  const code = await runProgram([command.name, ...argv], {
    terminal: fake.terminal,
    signal: new AbortController().signal,
    commands: [command],
    debug: true,
  });
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}
