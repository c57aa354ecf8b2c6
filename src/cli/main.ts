import { environmentVariable } from "./environment.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { DownloadError } from "./download.ts";
import { EXIT, InterruptedError, UsageError } from "./exit.ts";
import { PROGRAM, programHelp } from "./help.ts";
import { didYouMean } from "./nearest.ts";
import { Terminal } from "./terminal.ts";
import { deviceStream } from "./streams.ts";
import { VERSION } from "../core/settings/version.ts";

/** Runs the program with this process's arguments, then exits. */
export async function main(): Promise<never> {
  const terminal = new Terminal({
    stdout: deviceStream(Deno.stdout),
    stderr: deviceStream(Deno.stderr),
    color: !Deno.noColor,
    clock: () => performance.now(),
  });
  const interruption = new AbortController();
  const onInterrupt = (): void => {
    if (interruption.signal.aborted) Deno.exit(EXIT.interrupted);
    interruption.abort(new InterruptedError("Interrupted"));
  };
  Deno.addSignalListener("SIGINT", onInterrupt);
  const code = await runProgram(Deno.args, {
    terminal,
    signal: interruption.signal,
    commands: COMMANDS,
    debug: environmentVariable("PATCHCORE_DEBUG") === "1",
  });
  Deno.exit(code);
}

interface ProgramOptions {
  /** Where results and messages go. */
  readonly terminal: Terminal;
  /** Aborted when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** The commands there are. */
  readonly commands: readonly Command[];
  /** Whether errors are shown with their stack. */
  readonly debug: boolean;
}

/**
 * Runs one command line and tells what went wrong, if something did.
 *
 * @returns The exit code.
 */
export async function runProgram(
  argv: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  const { terminal, signal, debug } = options;
  try {
    return await dispatch(argv, options);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return EXIT.failure;
    if (signal.aborted) {
      terminal.message("Interrupted");
      return EXIT.interrupted;
    }
    terminal.error(...linesOf(error));
    if (debug && error instanceof Error) terminal.message(`${error.stack}`);
    if (!(error instanceof UsageError)) return EXIT.failure;
    const name = options.commands.some((command) => command.name === argv[0])
      ? `${argv[0]} `
      : "";
    terminal.message(`See "${PROGRAM} ${name}--help"`);
    return EXIT.usage;
  }
}

async function dispatch(
  [name, ...rest]: readonly string[],
  { terminal, signal, commands }: ProgramOptions,
): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h") {
    terminal.print(programHelp(commands, VERSION));
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === "--version") {
    terminal.print(`${VERSION}\n`);
    return EXIT.ok;
  }
  const command = commands.find((command) => command.name === name);
  if (command !== undefined) {
    return await command.run(rest, { terminal, signal });
  }
  const names = commands.map(({ name }) => name);
  throw new UsageError(
    name.startsWith("-")
      ? `Unknown option "${name}": the command comes first, one of ${
        names.join(", ")
      }`
      : `Unknown command "${name}"${didYouMean(name, names)}`,
  );
}

function linesOf(error: unknown): readonly [string, ...string[]] {
  if (error instanceof DownloadError) return error.lines;
  return [
    error instanceof Error && error.message !== ""
      ? error.message
      : String(error),
  ];
}
