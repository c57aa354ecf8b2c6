import { type Command, defineCommand } from "./command.ts";
import { completionScript, SHELLS } from "./completion_scripts.ts";
import { EXIT, UsageError } from "./exit.ts";
import { didYouMean } from "./nearest.ts";

/**
 * `completions`: what a shell needs to complete command lines.
 *
 * @param commands Gives the program's commands, this one among them.
 */
export function completions(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: "completions",
    summary: "Print what a shell needs to complete commands and options",
    operands: {
      name: "SHELL",
      help: SHELLS.join(", "),
      min: 1,
      max: 1,
      words: SHELLS,
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
      if (!SHELLS.includes(shell)) {
        throw new UsageError(
          `Unknown shell "${shell}", expected one of ${SHELLS.join(", ")}${
            didYouMean(shell, SHELLS)
          }`,
        );
      }
      if (!/^[\w.-]+$/.test(program)) {
        throw new UsageError(
          `Cannot use --program "${program}": expected letters, digits, ".", "-" and "_"`,
        );
      }
      const script = completionScript(shell, program, commands());
      if (terminal.json) terminal.record({ shell, program, script });
      else terminal.print(script);
      return Promise.resolve(EXIT.ok);
    },
  });
}
