import { sha256 } from "../core/weights.ts";
import type { Category } from "../core/datasets/dataset.ts";
import type { EvaluationRecord } from "../core/evaluation/mod.ts";
import { FileError, readFile, statOrNothing, writeAtomically } from "./disk.ts";

interface Entry {
  readonly key: string;
  readonly records: readonly EvaluationRecord[];
}

/**
 * Finished evaluations in a file, a line each, so that an interrupted run can
 * go on: written when they are done, found again by a key of everything that
 * decides them.
 */
export class Journal {
  readonly #path: string | undefined;
  readonly #entries: Map<string, readonly EvaluationRecord[]>;

  private constructor(path: string | undefined, entries: readonly Entry[]) {
    this.#path = path;
    this.#entries = new Map(entries.map(({ key, records }) => [key, records]));
  }

  /**
   * Opens a journal; a file that is not there yet is an empty one.
   *
   * @param path The file; without one nothing is kept.
   * @throws {FileError} If the file is something else.
   */
  static async open(path: string | undefined): Promise<Journal> {
    if (path === undefined || await statOrNothing(path) === undefined) {
      return new Journal(path, []);
    }
    const text = new TextDecoder().decode(await readFile(path));
    const lines = text.split("\n").filter((line) => line !== "");
    const entries = lines.map((line, i) =>
      parseEntry(line, `${path}:${i + 1}`)
    );
    return new Journal(path, entries);
  }

  /** The records of a finished evaluation. */
  find(key: string): readonly EvaluationRecord[] | undefined {
    return this.#entries.get(key);
  }

  /** Keeps the records of an evaluation. */
  async add(key: string, records: readonly EvaluationRecord[]): Promise<void> {
    this.#entries.set(key, records);
    if (this.#path === undefined) return;
    const lines = [...this.#entries].map(([key, records]) =>
      `${JSON.stringify({ key, records })}\n`
    );
    await writeAtomically(
      this.#path,
      new TextEncoder().encode(lines.join("")),
    );
  }
}

/**
 * A key of everything that decides a category's results.
 *
 * @param category The images; a file that changes its size or its time of
 * modification is another one.
 * @param method Settings, backbone, mask rule and the like, as JSON takes them.
 */
export async function evaluationKey(
  { name, train, test }: Category,
  method: Readonly<Record<string, unknown>>,
): Promise<string> {
  const files: unknown[] = [];
  for (const { path, label, mask } of [...train, ...test]) {
    files.push([path, label, await stamp(path), mask?.frame]);
    if (mask === undefined) continue;
    for (const path of [mask.path, ...mask.others ?? []]) {
      files.push([path, await stamp(path)]);
    }
  }
  const text = JSON.stringify({ name, method, files });
  return await sha256(new TextEncoder().encode(text));
}

async function stamp(path: string): Promise<unknown> {
  const info = await statOrNothing(path);
  return [info?.size, info?.mtime?.getTime()];
}

function parseEntry(line: string, place: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw notOurs(place, cause);
  }
  const { key, records } = Object(value) as Partial<Entry>;
  if (typeof key !== "string" || !Array.isArray(records)) throw notOurs(place);
  return { key, records };
}

function notOurs(place: string, cause?: unknown): FileError {
  return new FileError(
    `Cannot resume from "${place}": this line is no finished evaluation; name a new file`,
    { cause },
  );
}
