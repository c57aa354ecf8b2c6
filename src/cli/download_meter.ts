import type { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Shows how far a download is, once the first bytes are here. */
export class DownloadMeter implements Disposable {
  readonly #terminal: Terminal;
  readonly #name: string;
  #progress: Progress | undefined;

  /** Shows it on `terminal`; `name` says what is downloaded. */
  constructor(terminal: Terminal, name: string) {
    this.#terminal = terminal;
    this.#name = name;
  }

  /** Takes the bytes there are and, when known, those there will be. */
  readonly update = (bytes: number, total: number | undefined): void => {
    const done = megabytes(bytes);
    this.#progress ??= this.#terminal.progress(`Downloading ${this.#name}`, {
      unit: "MB",
      from: done,
      ...(total === undefined ? {} : { total: megabytes(total) }),
    });
    this.#progress.set(done);
  };

  /** Ends the display. */
  [Symbol.dispose](): void {
    this.#progress?.end();
  }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
