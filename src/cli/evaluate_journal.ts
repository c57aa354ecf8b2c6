import { sha256 } from "../core/weights.ts";
import type { Category } from "../core/datasets/dataset.ts";
import { type EvaluationRecord, RATES } from "../core/evaluation/mod.ts";
import { shown } from "../core/settings/shown.ts";
import { FileError, readFile, statOrNothing, writeAtomically } from "./disk.ts";

/** Bytes of the largest journal that is read: some 50,000 categories. */
const MAX_BYTES = 64 * 2 ** 20;

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
    const text = new TextDecoder().decode(await readFile(path, MAX_BYTES));
    const lines = text.split("\n").filter((line) => line !== "");
    const entries = lines.map((line, i) =>
      parseEntry(line, `${path}:${i + 1}`)
    );
    return new Journal(path, entries);
  }

  /**
   * The records of a category's finished evaluation.
   *
   * @throws {FileError} If they are of another category.
   */
  find(
    key: string,
    category: string,
  ): readonly EvaluationRecord[] | undefined {
    const records = this.#entries.get(key);
    const other = records?.find((record) => record.category !== category);
    if (other === undefined) return records;
    throw notOurs(
      this.#path!,
      `under the key of ${shown(category)} it has results of ${
        shown(other.category)
      }`,
    );
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

/** Which keys records have: those with fewer are not found again. */
const RECORDS = 2;

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
  const text = JSON.stringify({ name, method, files, records: RECORDS });
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
    throw notOurs(place, "it is no JSON", cause);
  }
  const { key, records } = Object(value) as Partial<Entry>;
  if (typeof key !== "string" || !/^[0-9a-f]{64}$/.test(key)) {
    throw notOurs(place, `"key" is no SHA-256`);
  }
  if (!Array.isArray(records) || records.length === 0) {
    throw notOurs(place, `"records" is no list of results`);
  }
  for (const record of records) {
    const problem = recordProblem(record);
    if (problem !== undefined) throw notOurs(place, problem);
  }
  return { key, records };
}

/** What a field of a record may be, and how that is said. */
interface Expected {
  readonly fits: (value: unknown) => boolean;
  readonly what: string;
}

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Names and numbers, as a record's details are. */
function areNumbers(value: unknown, fits: (n: number) => boolean): boolean {
  return isObject(value) &&
    Object.entries(value).every(([name, number]) =>
      /^[\w ]{1,40}$/.test(name) && isNumber(number) && fits(number)
    );
}

const RATE: Expected = {
  fits: (value) =>
    value === null || isNumber(value) && value >= 0 && value <= 1,
  what: "a number from 0 to 1, or null",
};
const COUNT: Expected = {
  fits: (value) => value === null || isNumber(value) && value >= 0,
  what: "a number of at least 0, or null",
};
const NUMBER: Expected = {
  fits: (value) => value === null || isNumber(value),
  what: "a number, or null",
};

/** What every record has. */
const REQUIRED: Readonly<Record<string, Expected>> = {
  category: { fits: (value) => typeof value === "string", what: "a name" },
  ...Object.fromEntries(RATES.map((rate) => [rate, RATE])),
  f1_threshold: NUMBER,
  false_positives: COUNT,
  false_negatives: COUNT,
  threshold: NUMBER,
  threshold_false_positives: COUNT,
  threshold_false_negatives: COUNT,
  images: {
    fits: (value) =>
      areNumbers(value, (n) => n >= 0 && Number.isInteger(n)) &&
      ["train", "normal", "anomalous"].every((key) => key in Object(value)),
    what: "numbers of train, normal and anomalous",
  },
  seconds: {
    fits: (value) => areNumbers(value, (n) => n >= 0),
    what: "names of steps with their seconds",
  },
};

/** What a record may have beside that: numbers, or numbers by name or in a list. */
const OTHER: Expected = {
  fits: (value) =>
    NUMBER.fits(value) ||
    (isObject(value) || Array.isArray(value)) &&
      Object.values(value).every(NUMBER.fits),
  what: "a number, null, or such by name",
};

/** Why a value is no record of an evaluation; undefined when it is one. */
function recordProblem(record: unknown): string | undefined {
  if (!isObject(record)) return "a result is no object";
  for (const [key, { fits, what }] of Object.entries(REQUIRED)) {
    if (!Object.hasOwn(record, key)) return `a result lacks "${key}"`;
    if (!fits(record[key])) return problemOf(key, record[key], what);
  }
  for (const [key, value] of Object.entries(record)) {
    if (Object.hasOwn(REQUIRED, key)) continue;
    if (!/^\w{1,40}$/.test(key)) {
      return `a result has the key ${shown(key)}`;
    }
    if (!OTHER.fits(value)) return problemOf(key, value, OTHER.what);
  }
  return undefined;
}

function problemOf(key: string, value: unknown, what: string): string {
  return `"${key}" is ${shown(value)}, expected ${what}`;
}

function notOurs(place: string, why: string, cause?: unknown): FileError {
  return new FileError(
    `Cannot resume from "${place}": ${why}; take the line out, or name a new file`,
    { cause },
  );
}
