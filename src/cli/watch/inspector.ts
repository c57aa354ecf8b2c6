import { relative } from "node:path";
import { sha256 } from "../../core/weights.ts";
import { type Label, mapDisagrees } from "../../core/score/verdict.ts";
import { checkFiniteResult } from "../../core/score/finite_result.ts";
import { rangeOf } from "../../core/score/min_max_scale.ts";
import { FileError, readImage } from "../disk.ts";
import type { Inspected, InspectionQueue } from "../serve/inspection_queue.ts";
import type { ModelInfo } from "../serve/model_info.ts";
import type { ModelSource } from "../serve/model_source.ts";
import { HttpProblem } from "../serve/problem.ts";
import { type FileVersion, fileVersion } from "./arrivals.ts";
import type {
  AuditEntry,
  AuditLog,
  AuditRecord,
  WatchVerdict,
} from "./audit_log.ts";

/** Milliseconds before an image is tried again, doubled each time. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;

/** What inspects images, and who hears of it. */
interface InspectorOptions {
  /** The folder that is watched. */
  readonly root: string;
  /** The models. */
  readonly models: ModelSource;
  /** The model of all images; without it they are named by folders. */
  readonly model?: string;
  /** Decodes and scores. */
  readonly queue: Pick<InspectionQueue, "inspect">;
  /** Where results are written. */
  readonly audit: AuditLog;
  /** Images that are worked on at one time. */
  readonly most: number;
  /** Milliseconds in which a file that cannot be used is tried again. */
  readonly patience: number;
  /** Who has to be told of a verdict. */
  readonly channelsFor: (verdict: WatchVerdict) => readonly string[];
  /** Called with each record, once it is on the disk. */
  readonly onRecord: (
    record: AuditRecord,
    model: ModelInfo | undefined,
  ) => void;
  /** Called with a file that has changed since it was seen. */
  readonly onChanged: (path: string) => void;
  /** Called with what is tried again, or was in vain. */
  readonly onTrouble: (sentence: string) => void;
  /** Called when nothing can be recorded any more. */
  readonly onFailure: (error: unknown) => void;
  /** Aborted when the program ends. */
  readonly signal: AbortSignal;
}

/** A file that was found, and how often it was tried. */
interface Task {
  readonly version: FileVersion;
  readonly since: number;
  attempts: number;
}

/** What an image has, or why it has nothing. */
interface Outcome {
  readonly hash: string | null;
  readonly model?: ModelInfo;
  readonly name?: string;
  readonly inspected?: Inspected;
  readonly error?: string;
}

/** The same attempt may end otherwise later. */
class Passing extends Error {
  /** Whether it will be tried for as long as it takes. */
  readonly forever: boolean;

  /**
   * @param message What went wrong, a sentence.
   * @param forever Whether the image is not to blame.
   */
  constructor(message: string, forever: boolean) {
    super(message);
    this.forever = forever;
  }
}

/**
 * Inspects files that are complete, a few at a time, and records what was found
 * of each: once. What cannot be used is tried again for a while, since it may be
 * incomplete after all, then recorded as an error; nothing is ever recorded as
 * normal but a normal verdict.
 */
export class Inspector {
  readonly #options: InspectorOptions;
  readonly #ready: Task[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Images that are being inspected, so that none is twice. */
  readonly #claimed = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  /** Nothing is inspected yet. */
  constructor(options: InspectorOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => {
      this.#ready.length = 0;
      for (const timer of this.#timers) clearTimeout(timer);
    });
  }

  /** Takes files that are complete. */
  add(versions: readonly FileVersion[]): void {
    const since = performance.now();
    for (const version of versions) {
      this.#ready.push({ version, since, attempts: 0 });
    }
    this.#next();
  }

  /** Waits for what is being worked on. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #next(): void {
    const { most, signal, onFailure } = this.#options;
    while (this.#running.size < most && !signal.aborted) {
      const task = this.#ready.shift();
      if (task === undefined) return;
      const done = this.#do(task).catch((error) => {
        if (!signal.aborted) onFailure(error);
      }).finally(() => {
        this.#running.delete(done);
        this.#next();
      });
      this.#running.add(done);
    }
  }

  async #do(task: Task): Promise<void> {
    const { signal } = this.#options;
    task.attempts++;
    let claim: string | undefined;
    try {
      const { version } = task;
      const bytes = await this.#read(version);
      if (bytes === undefined) return;
      const hash = await sha256(bytes);
      const { path, size, modified } = version;
      claim = `${hash} ${size} ${modified} ${path}`;
      const isDone = this.#options.audit.has({
        image_path: path,
        image_sha256: hash,
        image_bytes: size,
        image_modified: modified,
      });
      if (isDone || this.#claimed.has(claim)) {
        claim = undefined;
        return;
      }
      this.#claimed.add(claim);
      await this.#record(task, await this.#inspect(task, hash, bytes));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Passing)) throw error;
      await this.#again(task, error);
    } finally {
      if (claim !== undefined) this.#claimed.delete(claim);
    }
  }

  /** The bytes of a file, if it is still what it was. */
  async #read(
    version: FileVersion,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { path } = version;
    const { onChanged, onTrouble } = this.#options;
    try {
      const bytes = await readImage(path);
      const now = await fileVersion(path);
      if (now?.stamp === version.stamp && bytes.length === now.size) {
        return bytes;
      }
      onChanged(path);
      return undefined;
    } catch (error) {
      const cause = error instanceof FileError ? error.cause : error;
      if (cause instanceof Deno.errors.NotFound) {
        onTrouble(
          `"${path}" was moved away before it could be read: it is not inspected`,
        );
        return undefined;
      }
      throw new Passing(messageOf(error), false);
    }
  }

  /** Has an image inspected; it is to blame itself for an error in the outcome. */
  async #inspect(
    { version: { path } }: Task,
    hash: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<Outcome> {
    const { models, queue, signal } = this.#options;
    const name = this.#options.model ?? this.#folderOf(path);
    if (name === undefined || !await models.has(name)) {
      throw new Passing(
        name === undefined
          ? `Cannot inspect "${path}": it is in no folder that names a model; put it into a folder called like one`
          : `Cannot inspect "${path}": there is no model "${name}"; put it into the folder of models, or name the folder of images like a model`,
        false,
      );
    }
    let model: ModelInfo | undefined;
    try {
      using taken = await models.take(name, signal);
      model = taken.info;
      if (model.threshold === null) {
        throw new Passing(
          `Cannot inspect "${path}": model "${name}" has no threshold, so that nothing is normal; set one with calibrate`,
          true,
        );
      }
      const inspected = await queue.inspect({
        model: taken.key,
        name: path,
        bytes,
        keepPixels: false,
        signal,
        finish: (inspected) => {
          checkFinite(inspected);
          return Promise.resolve(inspected);
        },
      });
      return { hash, model, name, inspected };
    } catch (error) {
      if (signal.aborted || error instanceof Passing) throw error;
      if (!(error instanceof HttpProblem)) {
        throw new Passing(
          `Cannot inspect "${path}": ${messageOf(error)}`,
          false,
        );
      }
      const { status, message } = error;
      if (status === 503 || status === 429) throw new Passing(message, true);
      if (status === 413) {
        return { hash, name, error: message, ...(model && { model }) };
      }
      throw new Passing(message, false);
    }
  }

  /** The folder below the watched one that a file is in. */
  #folderOf(path: string): string | undefined {
    const parts = relative(this.#options.root, path).split(/[/\\]/);
    return parts.length > 1 ? parts[0] : undefined;
  }

  /** Tries a file again later, or records that it was in vain. */
  async #again(task: Task, error: Passing): Promise<void> {
    const { patience, onTrouble } = this.#options;
    const { message, forever } = error;
    const wait = Math.min(
      LONGEST_WAIT,
      FIRST_WAIT * 2 ** Math.min(task.attempts - 1, 20),
    );
    const elapsed = performance.now() - task.since;
    if (!forever && elapsed >= patience) {
      const { version } = task;
      const bytes = await this.#read(version).catch((error) => {
        if (error instanceof Passing) return null;
        throw error;
      });
      if (bytes === undefined) return; // It is another file by now, or gone.
      const hash = bytes && await sha256(bytes);
      const name = this.#options.model ?? this.#folderOf(version.path);
      const outcome = { hash, error: message, ...(name && { name }) };
      return await this.#record(task, outcome);
    }
    if (forever && (task.attempts <= 2 || task.attempts % 10 === 0)) {
      onTrouble(
        `${message}; "${task.version.path}" is tried again in ${
          (wait / 1000).toFixed(1)
        } s`,
      );
    }
    const left = forever ? wait : Math.min(wait, patience - elapsed);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#ready.push(task);
      this.#next();
    }, left);
    this.#timers.add(timer);
  }

  async #record(
    { version, since }: Task,
    { hash, model, name, inspected, error }: Outcome,
  ): Promise<void> {
    const { audit, channelsFor, onRecord } = this.#options;
    const verdict = verdictOf(inspected?.label);
    const entry: AuditEntry = {
      time: new Date().toISOString(),
      image_path: version.path,
      image_sha256: hash,
      image_bytes: version.size,
      image_modified: version.modified,
      model: name ?? null,
      model_sha256: model?.sha256 ?? null,
      pred_score: inspected?.score ?? null,
      pred_score_normalized: inspected?.normalizedScore ?? null,
      pred_label: inspected?.label ?? null,
      threshold: inspected?.threshold ?? null,
      uncertain_from: inspected?.uncertainFrom ?? null,
      ...(inspected && disagrees(inspected) && { map_disagrees: true }),
      verdict,
      ...(error !== undefined && { error }),
      seconds: Math.round(performance.now() - since) / 1000,
      deliver: channelsFor(verdict),
    };
    onRecord(await audit.add(entry), model);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What is `ok` is normal, and nothing else. */
function verdictOf(label: Label | null | undefined): WatchVerdict {
  switch (label) {
    case "normal":
      return "ok";
    case "anomalous":
      return "nok";
    case "uncertain":
      return "uncertain";
    default:
      return "error";
  }
}

function disagrees({ label, map }: Inspected): boolean {
  const { max: highest } = rangeOf(map.data);
  return mapDisagrees({ label, highest, threshold: map.threshold });
}

/** Refuses a result that says nothing: a NaN is below every threshold. */
function checkFinite({ name, score, map }: Inspected): void {
  try {
    checkFiniteResult(name, { score, map: map.data });
  } catch (cause) {
    throw new HttpProblem(422, (cause as Error).message);
  }
}
