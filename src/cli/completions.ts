import { type Command, defineCommand } from "./command.ts";
import { bashCompletions } from "./completions_bash.ts";
import { fishCompletions } from "./completions_fish.ts";
import { type CompletedCommand, completionSpec } from "./completion_spec.ts";
import { zshCompletions } from "./completions_zsh.ts";
import { EXIT, UsageError } from "./exit.ts";
import { didYouMean } from "./nearest.ts";

/** Writes the completions of a program of that name. */
export type WriteCompletions = (
  program: string,
  commands: readonly CompletedCommand[],
) => string;

const SHELLS: ReadonlyMap<string, WriteCompletions> = new Map([
  ["bash", bashCompletions],
  ["zsh", zshCompletions],
  ["fish", fishCompletions],
]);

/**
 * `completions`: what a shell needs to complete command lines.
 *
 * @param commands Gives the program's commands, this one among them.
 */
export function completions(commands: () => readonly Command[]): Command {
  const names = [...SHELLS.keys()];
  return defineCommand({
    name: "completions",
    summary: "Print what a shell needs to complete commands and options",
    operands: {
      name: "SHELL",
      help: names.join(", "),
      min: 1,
      max: 1,
      words: names,
    },
    options: {
      program: {
        kind: "text",
        value: "NAME",
        default: "patchcore",
        help: "what the program is called in the shell",
      },
    },
    examples: [
      [
        "bash >>~/.bashrc",
        'For a program installed by "deno install -gA -n patchcore jsr:@patchcore/webgpu"',
      ],
      ["zsh >~/.zfunc/_patchcore", "For zsh, in a folder of its fpath"],
      [
        "fish >~/.config/fish/completions/patchcore.fish",
        "For fish, where it looks for completions",
      ],
    ],
    run([shell = ""], { program }, { terminal }): Promise<number> {
      const write = SHELLS.get(shell);
      if (write === undefined) {
        throw new UsageError(
          `Unknown shell "${shell}", expected one of ${names.join(", ")}${
            didYouMean(shell, names)
          }`,
        );
      }
      if (!/^[\w.-]+$/.test(program)) {
        throw new UsageError(
          `Cannot use --program "${program}": expected letters, digits, ".", "-" and "_"`,
        );
      }
      const script = write(program, completionSpec(commands()));
      if (terminal.json) terminal.record({ shell, program, script });
      else terminal.print(script);
      return Promise.resolve(EXIT.ok);
    },
  });
}
