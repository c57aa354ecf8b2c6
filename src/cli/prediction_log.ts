import {
  predictionHead,
  predictionRow,
  regionHead,
  regionRows,
} from "./csv.ts";
import { FileError, readFile, statOrNothing } from "./disk.ts";
import type { LineFile, OutputFolder } from "./output.ts";
import type { PredictionFiles } from "./prediction_files.ts";
import type { PredictionRecord, ScoredRecord } from "./prediction_record.ts";
import { join } from "../core/datasets/files.ts";

const LINES_FILE = "predictions.jsonl";
const TABLE_FILE = "predictions.csv";
const REGION_FILE = "regions.csv";

/** A file of the run, and what it says of an image. */
interface RecordFile {
  readonly lines: LineFile;
  readonly textOf: (record: PredictionRecord) => string;
}

interface PredictionLogOptions {
  /** Whether tables of images and of regions are written beside the lines. */
  readonly csv: boolean;
  /** What decides the results: a run with others cannot be resumed. */
  readonly run: Readonly<Record<string, unknown>>;
  /** All images of the run. */
  readonly paths: readonly string[];
  /** Writes the images' files. */
  readonly files: PredictionFiles;
}

/**
 * The records of a run in its folder, each written when it is known, so that
 * nothing is lost when the run ends early.
 */
export class PredictionLog implements Disposable {
  /** Records of images that the run before has finished. */
  readonly earlier: readonly ScoredRecord[];
  /** When the run began, the one before where that is resumed. */
  readonly started: string;
  readonly #files: readonly RecordFile[];

  private constructor(
    { earlier, started }: Pick<PredictionLog, "earlier" | "started">,
    files: readonly RecordFile[],
  ) {
    this.earlier = earlier;
    this.started = started;
    this.#files = files;
  }

  /**
   * Begins the records in a folder, with those of the run before where that is
   * resumed. An image that has changed since, failed, or lacks a file is scored
   * again.
   *
   * @throws {FileError} If the run before had another model or other options.
   */
  static async open(
    folder: OutputFolder,
    { csv, run, paths, files }: PredictionLogOptions,
  ): Promise<PredictionLog> {
    const before = folder.earlier;
    if (before !== undefined) refuseOther(folder.path, before, run);
    const started = typeof before?.["started"] === "string"
      ? before["started"]
      : new Date().toISOString();
    const earlier = before === undefined
      ? []
      : await finishedRecords(folder, { paths, files, started });
    await folder.record({ finished: false, ...run, started });
    using opened = new DisposableStack();
    const begin = async (
      name: string,
      head: readonly string[],
      textOf: RecordFile["textOf"],
    ): Promise<RecordFile> => {
      const before = [...head, ...earlier.map(textOf)];
      const lines = opened.use(await folder.writeLines(name, before));
      return { lines, textOf };
    };
    const kept = [await begin(LINES_FILE, [], lineOf)];
    if (csv) {
      kept.push(
        await begin(TABLE_FILE, [predictionHead()], predictionRow),
        await begin(REGION_FILE, [regionHead()], regionRows),
      );
    }
    opened.move();
    return new PredictionLog({ earlier, started }, kept);
  }

  /** Writes the record of an image. */
  add(record: PredictionRecord): void {
    for (const { lines, textOf } of this.#files) lines.add(textOf(record));
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const { lines } of this.#files) lines[Symbol.dispose]();
  }
}

function lineOf(record: PredictionRecord): string {
  return `${JSON.stringify(record)}\n`;
}

function refuseOther(
  path: string,
  before: Readonly<Record<string, unknown>>,
  run: Readonly<Record<string, unknown>>,
): void {
  for (const [key, value] of Object.entries(run)) {
    if (JSON.stringify(before[key]) === JSON.stringify(value)) continue;
    throw new FileError(
      `Cannot resume in "${path}": its run had another ${
        key.replaceAll("_", " ")
      } (${JSON.stringify(before[key])} instead of ${
        JSON.stringify(value)
      }); name another folder, or leave --resume out to begin anew`,
    );
  }
}

async function finishedRecords(
  folder: OutputFolder,
  { paths, files, started }: {
    readonly paths: readonly string[];
    readonly files: PredictionFiles;
    readonly started: string;
  },
): Promise<ScoredRecord[]> {
  const path = join(folder.path, LINES_FILE);
  if (await statOrNothing(path) === undefined) return [];
  const text = new TextDecoder().decode(await readFile(path));
  const wanted = new Set(paths);
  const written = folder.earlierFiles();
  const records = new Map<string, ScoredRecord>();
  for (const line of text.split("\n")) {
    const record = parseRecord(line);
    if (record === undefined || !wanted.has(record.image_path)) continue;
    const image = record.image_path;
    const info = await statOrNothing(image);
    if (info?.mtime && info.mtime >= new Date(started)) continue;
    const own = written.get(image) ?? [];
    const names = files.namesOf(image);
    const isComplete = names.length === own.length &&
      names.every((name) => own.includes(name));
    if (!isComplete) continue;
    const there = await Promise.all(
      names.map((name) => statOrNothing(join(folder.path, name))),
    );
    if (there.includes(undefined)) continue;
    records.set(image, record);
  }
  return [...records.values()];
}

/** A record of an image that was scored; the last line may be cut off. */
function parseRecord(line: string): ScoredRecord | undefined {
  try {
    const record = JSON.parse(line) as Partial<ScoredRecord> | null;
    return typeof record?.image_path === "string" &&
        typeof record.pred_score === "number" &&
        Number.isFinite(record.pred_score) &&
        typeof record.worst_patch?.nearest === "object" &&
        Array.isArray(record.regions)
      ? record as ScoredRecord
      : undefined;
  } catch {
    return undefined;
  }
}
