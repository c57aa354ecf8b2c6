import type { TuningStore } from "../core/mod.ts";
import { VERSION } from "../core/settings/version.ts";
import { readFile, statOrNothing, writeAtomically } from "./disk.ts";
import type { Option } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { cacheFolder } from "./weights_cache.ts";

/** The option that keeps the default kernels. */
export const AUTOTUNE_OPTION = {
  kind: "flag",
  help:
    "use the default kernels; without it the best for the adapter are measured once (about 2 s) and kept in the cache folder",
} as const satisfies Option;

type Choices = Readonly<Record<string, string>>;

/** Where kernel choices are kept, unless `--no-autotune` is given. */
export function tuningStore(
  noAutotune: boolean,
  terminal: Terminal,
): { tuning?: TuningStore } {
  if (noAutotune) return {};
  try {
    return { tuning: new TuningFile(`${cacheFolder()}/tuning.json`, terminal) };
  } catch {
    return {};
  }
}

/**
 * Kernel choices in one JSON file, by version of this program, version of Deno
 * (its WebGPU) and adapter. A file that cannot be used is told of and replaced.
 */
export class TuningFile implements TuningStore {
  readonly #path: string;
  readonly #terminal: Terminal;

  /**
   * Nothing is read before it is asked for.
   *
   * @param path The file; it and its folder are made when there is something to keep.
   * @param terminal Where is told what is wrong with it.
   */
  constructor(path: string, terminal: Terminal) {
    this.#path = path;
    this.#terminal = terminal;
  }

  /** The choices of an adapter; nothing where there are none. */
  async load(adapter: string): Promise<Choices> {
    return (await this.#read())[keyOf(adapter)] ?? {};
  }

  /** Adds choices of an adapter; what other versions have chosen is dropped. */
  async save(adapter: string, choices: Choices): Promise<void> {
    const all = await this.#read();
    const kept = Object.entries(all).filter(([key]) => key.startsWith(PREFIX));
    const key = keyOf(adapter);
    const merged = {
      ...Object.fromEntries(kept),
      [key]: { ...all[key], ...choices },
    };
    const text = `${JSON.stringify(merged, null, 1)}\n`;
    if (!await may("write", this.#path)) return;
    try {
      await writeAtomically(this.#path, new TextEncoder().encode(text));
    } catch (error) {
      this.#tell(error, "they are measured again next time");
    }
  }

  async #read(): Promise<Readonly<Record<string, Choices>>> {
    if (!await may("read", this.#path)) return {};
    try {
      if (await statOrNothing(this.#path) === undefined) return {};
      const text = new TextDecoder().decode(await readFile(this.#path));
      return checked(JSON.parse(text));
    } catch (error) {
      this.#tell(error, "it is made anew");
      return {};
    }
  }

  #tell(error: unknown, consequence: string): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#terminal.message(
      `Kernel choices in "${this.#path}" are not usable (${reason}): ${consequence}`,
    );
  }
}

const PREFIX = `${VERSION} Deno ${Deno.version.deno}: `;

function keyOf(adapter: string): string {
  return PREFIX + adapter;
}

/** Whether that is allowed without asking the user. */
async function may(name: "read" | "write", path: string): Promise<boolean> {
  return (await Deno.permissions.query({ name, path })).state === "granted";
}

function checked(json: unknown): Readonly<Record<string, Choices>> {
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const isChoices = (value: unknown): value is Choices =>
    isRecord(value) &&
    Object.values(value).every((choice) => typeof choice === "string");
  if (!isRecord(json) || !Object.values(json).every(isChoices)) {
    throw new TypeError("it does not hold choices by adapter");
  }
  return json as Readonly<Record<string, Choices>>;
}
