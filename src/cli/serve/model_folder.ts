import { join } from "node:path";
import type { LoadedModel, ModelFile } from "./engine_messages.ts";
import type { ModelInfo } from "./model_info.ts";
import type { ListedModel, ModelSource, TakenModel } from "./model_source.ts";
import { HttpProblem, shortened, unavailable } from "./problem.ts";

/** What model files are called. */
const EXTENSION = ".safetensors";

/** GPU bytes that a model takes for each byte of its file, before any is known. */
const BYTES_PER_BYTE = 2;

/** Loads models and frees them, one after the other. */
export interface ModelLoader {
  /** Loads a model. */
  load(file: ModelFile): Promise<LoadedModel>;
  /** Frees it after what it was asked before. */
  unload(key: string): Promise<void>;
}

/** How a {@linkcode ModelFolder} works. */
interface ModelFolderOptions {
  /** The folder. */
  readonly folder: string;
  /** GPU bytes that its models may take. */
  readonly memory: number;
  /** Puts models on the GPU. */
  readonly loader: ModelLoader;
  /** Called when a model was loaded or freed. */
  readonly onChange?: (what: "loaded" | "evicted", name: string) => void;
  /** Called with the reason why a model cannot be loaded. */
  readonly onError?: (error: Error) => void;
}

/** A file as it is now. */
interface FileVersion {
  readonly version: string;
  readonly size: number;
}

/** A version of a model that is loaded or being loaded. */
interface Entry {
  readonly name: string;
  readonly version: string;
  readonly key: string;
  /** Settled once it is loaded, or cannot be. */
  readonly ready: Promise<void>;
  /** Requests that hold it or wait for it. */
  holders: number;
  /** Place in the order of their last use. */
  used: number;
  loaded?: LoadedModel;
}

/**
 * The models of a folder: loaded when a request names one, freed when others need
 * the memory, the one that was not used for longest first, and loaded anew when
 * their file has changed. A request keeps the version that it began with; one that
 * comes after the change waits for the new one.
 */
export class ModelFolder implements ModelSource {
  readonly #options: ModelFolderOptions;
  /** The newest version of each model. */
  readonly #entries = new Map<string, Entry>();
  /** All versions that take memory, by key. */
  readonly #held = new Map<string, Entry>();
  /** Versions that cannot be loaded, by name. */
  readonly #broken = new Map<string, string>();
  /** What models took when they were loaded last. */
  readonly #bytes = new Map<string, number>();
  /** GPU bytes for each byte of a file, at the most so far. */
  #ratio = BYTES_PER_BYTE;
  #names: readonly string[] = [];
  #lane: Promise<void> = Promise.resolve();
  #clock = 0;
  #freed = Promise.withResolvers<void>();

  /** Nothing is looked at or loaded yet. */
  constructor(options: ModelFolderOptions) {
    this.#options = options;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** Models that are loaded now, and their GPU bytes. */
  get loaded(): { readonly models: number; readonly bytes: number } {
    return { models: this.#held.size, bytes: this.#total() };
  }

  async list(): Promise<readonly ListedModel[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.#options.folder)) {
      if (isName(name) && name.endsWith(EXTENSION)) {
        names.push(name.slice(0, -EXTENSION.length));
      }
    }
    this.#names = names.sort();
    return this.#names.map((name) => {
      const info = this.#entries.get(name)?.loaded?.info;
      return info ? { ...info, loaded: true } : { name, loaded: false };
    });
  }

  async has(name: string): Promise<boolean> {
    return await this.#look(name) !== undefined;
  }

  info(key: string): ModelInfo {
    const entry = this.#held.get(key);
    if (entry !== undefined) return entry.loaded!.info;
    throw unavailable("The GPU was lost meanwhile; send the image again");
  }

  async take(name: string, signal: AbortSignal): Promise<TakenModel> {
    const file = await this.#look(name);
    signal.throwIfAborted();
    const before = this.#entries.get(name);
    if (file === undefined) {
      this.#entries.delete(name);
      if (before !== undefined) this.#letGo(before);
      throw new HttpProblem(404, `Model "${shortened(name)}" is gone`);
    }
    const isKnown = before?.version === file.version ||
      before !== undefined && this.#broken.get(name) === file.version;
    const entry = isKnown ? before : this.#begin(name, file);
    try {
      return await this.#hold(entry, signal);
    } catch (error) {
      // A file that is being written, or broken, does not replace one that works.
      const stands = before !== undefined && entry !== before &&
        this.#held.get(before.key) === before;
      if (signal.aborted || !stands) throw error;
      return await this.#hold(before, signal);
    }
  }

  /** Forgets all models: the device that they were on is lost. */
  forget(): void {
    this.#entries.clear();
    this.#held.clear();
    this.#broken.clear();
    this.#freed.resolve();
  }

  async #look(name: string): Promise<FileVersion | undefined> {
    if (!isName(name)) return undefined;
    try {
      const path = join(this.#options.folder, `${name}${EXTENSION}`);
      const { isFile, size, mtime, ino } = await Deno.stat(path);
      if (!isFile) return undefined;
      return { version: `${ino} ${size} ${mtime?.getTime()}`, size };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Waits until a version is loaded, and keeps it from being freed. */
  async #hold(entry: Entry, signal: AbortSignal): Promise<TakenModel> {
    entry.holders++;
    entry.used = ++this.#clock;
    const release = (): void => {
      entry.holders--;
      this.#freed.resolve();
      if (this.#entries.get(entry.name) !== entry) this.#letGo(entry);
    };
    try {
      await untilAborted(entry.ready, signal);
      const { info } = entry.loaded!;
      return { info, key: entry.key, [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Begins to load a version; the one before stays until it is there. */
  #begin(name: string, { version, size }: FileVersion): Entry {
    const before = this.#entries.get(name);
    const key = `${name}\n${version}`;
    const ready = this.#next(async () => {
      await this.#makeRoom(this.#bytes.get(name) ?? size * this.#ratio);
      const path = join(this.#options.folder, `${name}${EXTENSION}`);
      const { info, bytes } = await this.#options.loader.load({
        name: key,
        path,
      });
      entry.loaded = { info: { ...info, name }, bytes };
      this.#held.set(key, entry);
      this.#bytes.set(name, bytes);
      this.#ratio = Math.max(this.#ratio, bytes / size);
      this.#options.onChange?.("loaded", name);
      if (before !== undefined) this.#letGo(before);
      await this.#makeRoom(0, entry);
    }).catch((error: Error) => {
      const stands = before !== undefined &&
        this.#held.get(before.key) === before;
      if (this.#entries.get(name) === entry) {
        if (stands) this.#entries.set(name, before);
        else this.#entries.delete(name);
      }
      if (error instanceof HttpProblem) throw error;
      this.#broken.set(name, version);
      this.#options.onError?.(error);
      throw unavailable(
        `Model "${shortened(name)}" cannot be loaded; the log tells why`,
      );
    });
    ready.catch(() => {});
    const entry: Entry = { name, version, key, ready, holders: 0, used: 0 };
    this.#entries.set(name, entry);
    return entry;
  }

  /** Frees a version that is not the newest, once no request holds it. */
  #letGo(entry: Entry): void {
    const isHeld = this.#held.get(entry.key) === entry;
    if (isHeld && entry.holders === 0) void this.#next(() => this.#free(entry));
  }

  async #free(entry: Entry): Promise<void> {
    if (this.#held.get(entry.key) !== entry || entry.holders > 0) return;
    this.#held.delete(entry.key);
    if (this.#entries.get(entry.name) === entry) {
      this.#entries.delete(entry.name);
    }
    await this.#options.loader.unload(entry.key);
    this.#options.onChange?.("evicted", entry.name);
  }

  /** Frees models until so many bytes more fit, or nothing is left to free. */
  async #makeRoom(bytes: number, spared?: Entry): Promise<void> {
    while (this.#total() + bytes > this.#options.memory) {
      const others = [...this.#held.values()]
        .filter((entry) => entry !== spared);
      if (others.length === 0) return;
      const [oldest] = others.filter(({ holders }) => holders === 0)
        .sort((a, b) => a.used - b.used);
      if (oldest !== undefined) await this.#free(oldest);
      else if (spared !== undefined) return;
      else {
        this.#freed = Promise.withResolvers();
        await this.#freed.promise;
      }
    }
  }

  #total(): number {
    let total = 0;
    for (const { loaded } of this.#held.values()) total += loaded!.bytes;
    return total;
  }

  /** Loading and freeing take turns. */
  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#lane.then(work);
    this.#lane = done.catch(() => {});
    return done;
  }
}

/** Whether a name can be one of a file in the folder, and no hidden one. */
function isName(name: string): boolean {
  return /^[^./\\\0][^/\\\0]*$/.test(name);
}

async function untilAborted(
  work: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
