import { dirname } from "node:path";
import type { Label } from "../../core/score/verdict.ts";
import { FileError, reason } from "../disk.ts";
import type { FileVersion } from "./arrivals.ts";

/** What was found of an image, which is also the folder it is sorted into. */
export type WatchVerdict = "ok" | "nok" | "uncertain" | "error";

/** What is known of an image before it has its place in the audit. */
export interface AuditEntry {
  /** When it was found, ISO 8601. */
  readonly time: string;
  /** Path of the file. */
  readonly image_path: string;
  /** SHA-256 of the file; null where it could not be read. */
  readonly image_sha256: string | null;
  /** Bytes of the file. */
  readonly image_bytes: number;
  /** When the file was last changed, milliseconds since 1970. */
  readonly image_modified: number;
  /** What the model is called; null where there is none for the image. */
  readonly model: string | null;
  /** SHA-256 of the model's file. */
  readonly model_sha256: string | null;
  /** Raw score; null where there is none. */
  readonly pred_score: number | null;
  /** Score divided by the threshold. */
  readonly pred_score_normalized: number | null;
  /** The verdict as `predict` calls it; null where the image has none. */
  readonly pred_label: Label | null;
  /** Threshold that it was judged by. */
  readonly threshold: number | null;
  /** Score from which on it is uncertain. */
  readonly uncertain_from: number | null;
  /** Whether the anomaly map contradicts the verdict. */
  readonly map_disagrees?: boolean;
  /** What was found: `ok` only of a normal image. */
  readonly verdict: WatchVerdict;
  /** Why there is no score. */
  readonly error?: string;
  /** Seconds from the file's being complete to its result. */
  readonly seconds: number;
  /** Who has to be told. */
  readonly deliver: readonly string[];
}

/** A line of the audit: keys are a contract, add, never rename. */
export interface AuditRecord extends AuditEntry {
  /** Its number, from 1 on. */
  readonly n: number;
}

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The audit of a folder: a JSON line for each image, on the disk before the image
 * counts as done. It is also what tells after a crash which images are done. A
 * line that a crash has cut off is taken out: its image is not done.
 */
export class AuditLog implements AsyncDisposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #done: Set<string>;
  readonly #stamps: Map<string, string>;
  #next: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: unknown;

  private constructor(path: string, file: Deno.FsFile, earlier: Earlier) {
    this.#path = path;
    this.#file = file;
    this.#done = earlier.done;
    this.#stamps = earlier.stamps;
    this.#next = earlier.next;
  }

  /**
   * Opens an audit; a file that is not there yet is an empty one.
   *
   * @param path The file.
   * @param onEarlier Called with each of its records.
   * @throws {FileError} If it cannot be read or is something else.
   */
  static async open(
    path: string,
    onEarlier: (record: AuditRecord) => void = () => {},
  ): Promise<AuditLog> {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path, { read: true, write: true, create: true });
    } catch (cause) {
      throw new FileError(`Cannot write "${path}": ${reason(cause)}`, {
        cause,
      });
    }
    try {
      const earlier: Earlier = { done: new Set(), stamps: new Map(), next: 1 };
      const end = await readRecords(path, file, (record) => {
        earlier.done.add(identityOf(record));
        earlier.stamps.set(record.image_path, stampOf(record));
        earlier.next = record.n + 1;
        onEarlier(record);
      });
      await file.truncate(end);
      await file.seek(end, Deno.SeekMode.Start);
      await file.sync();
      await syncFolder(dirname(path));
      return new AuditLog(path, file, earlier);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** How many images it has. */
  get images(): number {
    return this.#next - 1;
  }

  /** The number of the record that comes next. */
  get next(): number {
    return this.#next;
  }

  /** Whether the last record of a path is of this version, as far as can be seen. */
  isLast({ path, size, modified }: FileVersion): boolean {
    return this.#stamps.get(path) === `${size} ${modified}`;
  }

  /** Whether an image of these bytes is done. */
  has(image: ImageIdentity): boolean {
    return this.#done.has(identityOf(image));
  }

  /**
   * Adds a record; done once it is on the disk.
   *
   * @throws {FileError} If it cannot be written: nothing can be added after that.
   */
  async add(entry: AuditEntry): Promise<AuditRecord> {
    if (this.#failure !== undefined) throw this.#failure;
    const record: AuditRecord = { n: this.#next++, ...entry };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const line = `${JSON.stringify(record)}\n`;
    this.#waiting.push({ line, resolve, reject });
    this.#writing ??= this.#write();
    await promise;
    this.#done.add(identityOf(record));
    this.#stamps.set(record.image_path, stampOf(record));
    return record;
  }

  /** Writes what waits, and what comes meanwhile, a sync for all of a time. */
  async #write(): Promise<void> {
    // All that are added at one time share a sync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        if (this.#failure !== undefined) throw this.#failure;
        const text = batch.map(({ line }) => line).join("");
        const bytes = new TextEncoder().encode(text);
        for (let at = 0; at < bytes.length;) {
          at += await this.#file.write(bytes.subarray(at));
        }
        await this.#file.syncData();
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        this.#failure ??= new FileError(
          `Cannot write "${this.#path}": ${reason(cause)}`,
          { cause },
        );
        for (const { reject } of batch) reject(this.#failure);
      }
    }
    this.#writing = undefined;
  }

  /** Writes what waits, then closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    this.#failure ??= new FileError(`"${this.#path}" is closed`);
    this.#file.close();
  }
}

/** What makes an image another one. */
type ImageIdentity = Pick<
  AuditRecord,
  "image_path" | "image_sha256" | "image_bytes" | "image_modified"
>;

interface Earlier {
  readonly done: Set<string>;
  readonly stamps: Map<string, string>;
  next: number;
}

function identityOf(image: ImageIdentity): string {
  return `${image.image_sha256} ${stampOf(image)} ${image.image_path}`;
}

function stampOf(
  { image_bytes: size, image_modified: modified }: ImageIdentity,
): string {
  return `${size} ${modified}`;
}

/**
 * Reads the records of a file.
 *
 * @returns Bytes up to the end of the last whole one.
 */
async function readRecords(
  path: string,
  file: Deno.FsFile,
  onRecord: (record: AuditRecord) => void,
): Promise<number> {
  let [number, end, torn]: [number, number, number | undefined] = [0, 0, 0];
  torn = undefined;
  for await (const { text, length } of linesOf(file)) {
    number++;
    const record = parseRecord(text);
    if (record === undefined) torn ??= number;
    else if (torn !== undefined) {
      throw new FileError(
        `Cannot go on with "${path}:${torn}": it is no record of an image, and whole ones follow; take the line out, or name a new --out`,
      );
    } else {
      onRecord(record);
      end += length;
    }
  }
  return end;
}

/** Lines that end, with their bytes. */
async function* linesOf(
  file: Deno.FsFile,
): AsyncGenerator<{ readonly text: string; readonly length: number }> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let rest = new Uint8Array();
  while (true) {
    const count = await file.read(buffer);
    if (count === null) return;
    const bytes = new Uint8Array(rest.length + count);
    bytes.set(rest);
    bytes.set(buffer.subarray(0, count), rest.length);
    let start = 0;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, start)) {
      const length = at + 1 - start;
      yield { text: decoder.decode(bytes.subarray(start, at)), length };
      start = at + 1;
    }
    rest = bytes.slice(start);
  }
}

function parseRecord(text: string): AuditRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<AuditRecord> | null;
    return typeof record?.n === "number" &&
        typeof record.image_path === "string" &&
        typeof record.image_bytes === "number" &&
        typeof record.image_modified === "number" &&
        Array.isArray(record.deliver)
      ? record as AuditRecord
      : undefined;
  } catch {
    return undefined;
  }
}

/** Has the name of a new file survive a power cut, where the system can do that. */
async function syncFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(path);
    await folder.sync();
  } catch {
    // Windows opens no folders, and keeps names by itself.
  }
}
