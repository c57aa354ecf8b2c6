import { reason } from "../disk.ts";
import { isImagePath } from "./arrivals.ts";

/** Milliseconds in which events are gathered. */
const GATHERING = 20;

interface FolderEventsOptions {
  /** Aborted when the program ends. */
  readonly signal: AbortSignal;
  /** Called when the system tells nothing of the folder. */
  readonly onTrouble: (sentence: string) => void;
}

/**
 * What the system tells of a folder. It only saves waiting: network file systems
 * tell nothing of what other machines write, and some events get lost, so that
 * the folder is looked at all the same.
 */
export class FolderEvents implements Disposable {
  readonly #root: string;
  readonly #signal: AbortSignal;
  readonly #watcher: Deno.FsWatcher | undefined;
  #paths = new Set<string>();
  #renamed = new Set<string>();
  #wake = (): void => {};

  /** Listens from now on. */
  constructor(root: string, { signal, onTrouble }: FolderEventsOptions) {
    this.#root = root;
    this.#signal = signal;
    try {
      this.#watcher = Deno.watchFs(root);
    } catch (error) {
      onTrouble(
        `The system tells nothing of "${root}" (${
          reason(error)
        }): it is looked at now and then`,
      );
      return;
    }
    this.#listen(this.#watcher).catch((error) => {
      onTrouble(
        `The system tells nothing of "${root}" any more (${
          reason(error)
        }): it is looked at now and then`,
      );
    });
  }

  /** Files that something has happened to since the last call. */
  take(): {
    readonly paths: readonly string[];
    readonly renamed: readonly string[];
  } {
    const taken = { paths: [...this.#paths], renamed: [...this.#renamed] };
    this.#paths = new Set();
    this.#renamed = new Set();
    return taken;
  }

  /** Waits for an event, for a time, or for the end. */
  async wait(ms: number): Promise<void> {
    if (this.#signal.aborted) return;
    const woken = Promise.withResolvers<void>();
    this.#wake = (): void => woken.resolve();
    const timer = setTimeout(this.#wake, ms);
    this.#signal.addEventListener("abort", this.#wake);
    if (this.#paths.size === 0) await woken.promise;
    this.#signal.removeEventListener("abort", this.#wake);
    this.#wake = () => {};
    clearTimeout(timer);
    if (this.#paths.size === 0 || this.#signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, GATHERING));
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of watcher) {
      if (kind === "access" || kind === "remove") continue;
      for (const path of paths) {
        if (!isImagePath(this.#root, path)) continue;
        this.#paths.add(path);
        if (kind === "rename") this.#renamed.add(path);
      }
      if (this.#paths.size > 0) this.#wake();
    }
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}
