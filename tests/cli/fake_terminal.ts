import { Terminal } from "../../src/cli/terminal.ts";

/** A terminal that keeps what is written, with a clock that tests set. */
export class FakeTerminal {
  /** All that was written to stdout. */
  stdout = "";
  /** All that was written to stderr. */
  stderr = "";
  /** The time in milliseconds. */
  now = 0;
  /** The terminal itself. */
  readonly terminal: Terminal;

  /** A terminal whose stderr a person sees, or not. */
  constructor(options: { isTerminal?: boolean; color?: boolean } = {}) {
    const { isTerminal = false, color = false } = options;
    const columns = () => 80;
    this.terminal = new Terminal({
      stdout: {
        write: (text) => void (this.stdout += text),
        isTerminal,
        columns,
      },
      stderr: {
        write: (text) => void (this.stderr += text),
        isTerminal,
        columns,
      },
      color,
      clock: () => this.now,
    });
  }
}
