import { COMMON_OPTIONS, readArgs } from "./args.ts";
import { EXIT } from "./exit.ts";
import { commandHelp } from "./help.ts";
import type { Options, Syntax, Values } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** What a command works with, besides its arguments. */
export interface Context {
  /** Where results and messages go. */
  readonly terminal: Terminal;
  /** Aborted when the user presses Ctrl-C; long loops look at it. */
  readonly signal: AbortSignal;
}

/** A command of the program. */
export interface Command {
  /** What the command line calls it. */
  readonly name: string;
  /** What it does: one sentence without a period. */
  readonly summary: string;
  /** The text of its `--help`. */
  readonly help: string;
  /** Its arguments and options, common ones included. */
  readonly syntax: Syntax;
  /**
   * Runs it.
   *
   * @param argv What follows the command's name.
   * @returns The exit code.
   * @throws {UsageError} If `argv` cannot be understood.
   */
  run(argv: readonly string[], context: Context): Promise<number>;
}

type WithCommon<O extends Options> = O & typeof COMMON_OPTIONS;

/** A command's syntax and what it does. */
interface Definition<O extends Options> extends Syntax<O> {
  /** Does the command's work; returns the exit code. */
  run(
    operands: readonly string[],
    values: Values<WithCommon<O>>,
    context: Context,
  ): Promise<number>;
}

/** Makes a command of its definition: reads its arguments, answers `--help`. */
export function defineCommand<const O extends Options>(
  definition: Definition<O>,
): Command {
  const { name, summary } = definition;
  const options: WithCommon<O> = { ...definition.options, ...COMMON_OPTIONS };
  const syntax: Syntax<WithCommon<O>> = { ...definition, options };
  return {
    name,
    summary,
    syntax,
    get help(): string {
      return commandHelp(syntax);
    },
    async run(argv, context): Promise<number> {
      const { operands, values } = readArgs(argv, syntax);
      const { help, json, quiet } = values as Values<typeof COMMON_OPTIONS>;
      if (help) {
        context.terminal.print(commandHelp(syntax));
        return EXIT.ok;
      }
      context.terminal.configure({ json, quiet });
      return await definition.run(operands, values, context);
    },
  };
}
