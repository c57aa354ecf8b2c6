import { Progress, type ProgressOptions } from "./progress.ts";
import type { Stream } from "./streams.ts";

interface TerminalOptions {
  /** Where results go. */
  readonly stdout: Stream;
  /** Where messages and progress go. */
  readonly stderr: Stream;
  /** Whether colours are allowed where a stream is a terminal. */
  readonly color: boolean;
  /** Milliseconds since some fixed moment. */
  readonly clock: () => number;
}

/** What the user asked of the output. */
interface OutputMode {
  /** Results are JSON lines. */
  readonly json: boolean;
  /** No progress, no messages but warnings and errors. */
  readonly quiet: boolean;
}

/** Results on stdout, everything else on stderr. */
export class Terminal {
  readonly #options: TerminalOptions;
  #mode: OutputMode = { json: false, quiet: false };
  #progress: Progress | undefined;

  /** Writes to the given streams. */
  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** Whether results are to be JSON lines. */
  get json(): boolean {
    return this.#mode.json;
  }

  /** Sets what the user asked of the output. */
  configure(mode: OutputMode): void {
    this.#mode = mode;
  }

  /** Writes text to stdout as it is, in every mode. */
  print(text: string): void {
    this.#around(() => this.#options.stdout.write(text));
  }

  /**
   * A line of results for people; nothing when results are JSON.
   *
   * @param color Number of its colour, where stdout is a terminal.
   */
  result(line: string, color?: number): void {
    if (this.#mode.json) return;
    const { stdout } = this.#options;
    const text = printable(line);
    this.print(
      `${color === undefined ? text : this.#paint(text, color, stdout)}\n`,
    );
  }

  /** What columns of results are, for who looks at a terminal. */
  heading(line: string): void {
    if (this.#options.stdout.isTerminal) this.result(line, 1);
  }

  /** One object of results as a JSON line; nothing when they are for people. */
  record(object: Readonly<Record<string, unknown>>): void {
    if (this.#mode.json) this.print(`${JSON.stringify(object)}\n`);
  }

  /** A line that tells what happens; not with `--quiet`. */
  message(line: string): void {
    if (!this.#mode.quiet) this.#tell(printable(line));
  }

  /** A line about something that is probably not what the user wants. */
  warn(line: string): void {
    this.#tell(`${this.#paint("warning:", 33)} ${oneLine(line)}`);
  }

  /**
   * A line about something that failed.
   *
   * @param more Further lines, about what can be done.
   */
  error(line: string, ...more: readonly string[]): void {
    const lines = [line, ...more].map(oneLine).join("\n");
    this.#tell(`${this.#paint("error:", 31)} ${lines}`);
  }

  /** Starts a progress display; end it with `using` or `end()`. */
  progress(label: string, options: ProgressOptions = {}): Progress {
    this.#progress?.end();
    const { stderr, clock } = this.#options;
    const progress = new Progress(label, {
      ...options,
      stderr,
      clock,
      hidden: this.#mode.quiet,
    });
    this.#progress = progress;
    return progress;
  }

  #tell(line: string): void {
    this.#around(() => this.#options.stderr.write(`${line}\n`));
  }

  #around(write: () => void): void {
    this.#progress?.hide();
    write();
    this.#progress?.show();
  }

  #paint(
    text: string,
    color: number,
    stream: Stream = this.#options.stderr,
  ): string {
    return this.#options.color && stream.isTerminal
      ? `\x1b[${color}m${text}\x1b[0m`
      : text;
  }
}

/**
 * Text with its control characters in writing, so that a file's name can
 * neither move the cursor nor colour anything; line breaks stay.
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, escaped);
}

/** The same for what has to stay on one line, such as a name. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, escaped);
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  const hexadecimal = code.toString(16).padStart(2, "0");
  return ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[character] ??
    (code > 0xff ? `\\u${hexadecimal}` : `\\x${hexadecimal}`);
}
