/** Runs `weights` as a user does. */
import { runProgram } from "../../src/cli/main.ts";
import { weights } from "../../src/cli/weights.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import type { CommandRun } from "./run_command.ts";
import { withFiles } from "./with_files.ts";

/** Runs `weights` with these arguments in this process. */
export async function runWeights(
  ...argv: readonly string[]
): Promise<CommandRun> {
  const fake = new FakeTerminal();
  const code = await runProgram(["weights", ...argv], {
    terminal: fake.terminal,
    signal: new AbortController().signal,
    commands: [weights],
    debug: false,
  });
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}

/** Runs `fn` in a folder that is also where backbones are kept. */
export async function inWeightsFolder(
  files: readonly string[],
  fn: (root: string) => Promise<void>,
): Promise<void> {
  const before = Deno.env.get("PATCHCORE_WEIGHTS");
  await withFiles(files, async (root) => {
    Deno.env.set("PATCHCORE_WEIGHTS", root);
    try {
      await fn(root);
    } finally {
      if (before === undefined) Deno.env.delete("PATCHCORE_WEIGHTS");
      else Deno.env.set("PATCHCORE_WEIGHTS", before);
    }
  });
}
