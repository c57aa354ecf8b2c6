import {
  FileError,
  readFile,
  reason,
  statOrNothing,
  writeAtomically,
} from "../disk.ts";
import { LineFile } from "../output.ts";
import type { AuditRecord } from "./audit_log.ts";

/** Who is told of images. */
export interface Channel {
  /** What the audit calls it. */
  readonly name: string;
  /** Whether it has to be told of an image. */
  wants(verdict: AuditRecord["verdict"]): boolean;
  /**
   * Tells it, and returns when it has said that it knows.
   *
   * @param signal Aborted when the program ends.
   * @throws {RefusedError} If this image is refused, others perhaps not.
   * @throws {Error} If it cannot be reached.
   */
  deliver(record: AuditRecord, signal: AbortSignal): Promise<void>;
  /** Lets go of what it holds, at once. */
  close?(): void;
}

/** An image is refused: others need not wait for it. */
export class RefusedError extends Error {
  override name = "RefusedError";
}

/** Milliseconds before a delivery is tried again, doubled each time up to a minute. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;

/** Troubles of a channel that are told in full; later ones at the longest wait. */
const TOLD = 3;

/** How an outbox works. */
interface OutboxOptions {
  /** Who is told. */
  readonly channels: readonly Channel[];
  /** Called with what went wrong and will be tried again. */
  readonly onTrouble: (sentence: string) => void;
  /** Called when acknowledgements cannot be written. */
  readonly onFailure: (error: Error) => void;
  /** Milliseconds of the first wait, 1000 by default. */
  readonly wait?: number;
}

/** What a channel has still to be told. */
interface Lane {
  readonly channel: Channel;
  readonly waiting: AuditRecord[];
  wake: () => void;
}

/** What a channel has acknowledged: every number below, and some above. */
interface Acknowledged {
  below: number;
  readonly above: Set<number>;
}

/**
 * Tells channels of the images of an audit, each at least once: what a channel
 * has acknowledged is written down, and everything else is told again after a
 * crash. A channel hears of images in their order, as long as it takes them.
 */
export class Outbox implements AsyncDisposable {
  readonly #path: string;
  readonly #options: OutboxOptions;
  readonly #acknowledged: Map<string, Acknowledged>;
  readonly #lanes: readonly Lane[];
  /** Images that channels wait for which are not there this time, by channel. */
  readonly #orphans = new Map<string, number[]>();
  readonly #end = new AbortController();
  #log: LineFile | undefined;
  #running: readonly Promise<void>[] = [];

  private constructor(
    path: string,
    acknowledged: Map<string, Acknowledged>,
    options: OutboxOptions,
  ) {
    this.#path = path;
    this.#options = options;
    this.#acknowledged = acknowledged;
    this.#lanes = options.channels.map((channel) => ({
      channel,
      waiting: [],
      wake: () => {},
    }));
  }

  /**
   * Reads what was acknowledged; {@linkcode Outbox.recall} has to follow with
   * every record of the audit, then {@linkcode Outbox.start}.
   *
   * @throws {FileError} If the file cannot be read.
   */
  static async open(path: string, options: OutboxOptions): Promise<Outbox> {
    const acknowledged = new Map<string, Acknowledged>();
    if (await statOrNothing(path) !== undefined) {
      const text = new TextDecoder().decode(await readFile(path));
      for (const line of text.split("\n")) readLine(line, acknowledged);
    }
    return new Outbox(path, acknowledged, options);
  }

  /** Names of the channels that have to be told of an image. */
  namesFor(verdict: AuditRecord["verdict"]): string[] {
    return this.#options.channels.filter((channel) => channel.wants(verdict))
      .map(({ name }) => name);
  }

  /** Takes up a record of the audit as it was found. */
  recall(record: AuditRecord): void {
    for (const name of record.deliver) {
      const known = this.#acknowledged.get(name);
      if (known?.above.has(record.n)) continue;
      if (known !== undefined && record.n < known.below) continue;
      const lane = this.#lanes.find(({ channel }) => channel.name === name);
      if (lane !== undefined) lane.waiting.push(record);
      else {
        const orphans = this.#orphans.get(name) ?? [];
        orphans.push(record.n);
        this.#orphans.set(name, orphans);
      }
    }
  }

  /** Images that channels have to be told of which are not there this time. */
  get orphans(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#orphans].map(([name, images]) => [name, images.length]),
    );
  }

  /** How much is to be told still, by channel. */
  get waiting(): ReadonlyMap<string, number> {
    return new Map(
      this.#lanes.map(({ channel, waiting }) => [channel.name, waiting.length]),
    );
  }

  /**
   * Writes what was acknowledged as shortly as it goes, and begins to tell.
   *
   * @param next The number of the record that comes next.
   */
  async start(next: number): Promise<void> {
    const lines: string[] = [];
    const names = new Set([
      ...this.#acknowledged.keys(),
      ...this.#options.channels.map(({ name }) => name),
    ]);
    for (const to of names) {
      const lane = this.#lanes.find(({ channel }) => channel.name === to);
      const open = lane?.waiting.map(({ n }) => n) ?? this.#orphans.get(to) ??
        [];
      const below = open[0] ?? next;
      const above = [...this.#acknowledged.get(to)?.above ?? []]
        .filter((n) => n > below);
      this.#acknowledged.set(to, { below, above: new Set(above) });
      lines.push(lineOf({ to, below }), ...above.map((n) => lineOf({ to, n })));
    }
    await writeAtomically(
      this.#path,
      new TextEncoder().encode(lines.join("")),
    );
    this.#log = new LineFile(this.#path);
    this.#running = this.#lanes.map((lane) =>
      this.#run(lane).catch((error) => {
        if (!this.#end.signal.aborted) this.#options.onFailure(error);
      })
    );
  }

  /** Has channels told of a new record. */
  add(record: AuditRecord): void {
    for (const lane of this.#lanes) {
      if (!record.deliver.includes(lane.channel.name)) continue;
      lane.waiting.push(record);
      lane.wake();
    }
  }

  /** Tells a channel of one image after the other. */
  async #run(lane: Lane): Promise<void> {
    const { channel, waiting } = lane;
    const { signal } = this.#end;
    let failures = 0;
    while (!signal.aborted) {
      const record = waiting[0];
      if (record === undefined) {
        await this.#sleep(lane, Infinity);
        continue;
      }
      try {
        await channel.deliver(record, signal);
        waiting.shift();
        this.#log!.add(lineOf({ to: channel.name, n: record.n }));
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof FileError) throw error;
        failures++;
        const ms = this.#waitAfter(failures);
        this.#tell(channel, record, { error, failures, ms });
        if (error instanceof RefusedError && waiting.length > 1) {
          waiting.push(waiting.shift()!);
        }
        await this.#sleep(undefined, ms);
      }
    }
  }

  #waitAfter(failures: number): number {
    const { wait = FIRST_WAIT } = this.#options;
    // Between half of it and all of it, so that many do not come at one time.
    return Math.min(LONGEST_WAIT, wait * 2 ** Math.min(failures - 1, 20)) *
      (0.5 + Math.random() / 2);
  }

  #tell(
    { name }: Channel,
    { n, image_path }: AuditRecord,
    { error, failures, ms }: {
      readonly error: unknown;
      readonly failures: number;
      readonly ms: number;
    },
  ): void {
    if (failures > TOLD && failures % 10 !== 0) return;
    this.#options.onTrouble(
      `Cannot tell ${name} of image ${n}, "${image_path}": ${
        reason(error)
      }; it is tried again in ${(ms / 1000).toFixed(1)} s`,
    );
  }

  /** Waits for a time, for something to tell, or for the end. */
  #sleep(lane: Lane | undefined, ms: number): Promise<void> {
    const { signal } = this.#end;
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
    const onAbort = (): void => resolve();
    signal.addEventListener("abort", onAbort);
    if (lane !== undefined) lane.wake = resolve;
    return promise.then(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    });
  }

  /** Ends at once: what was not acknowledged is told the next time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    for (const { channel } of this.#lanes) channel.close?.();
    await Promise.all(this.#running);
    this.#log?.[Symbol.dispose]();
  }
}

function lineOf(
  line: { to: string; n: number } | { to: string; below: number },
): string {
  return `${JSON.stringify(line)}\n`;
}

/** Reads a line; the last one may be cut off. */
function readLine(line: string, into: Map<string, Acknowledged>): void {
  try {
    const { to, n, below } = JSON.parse(line) as Record<string, unknown>;
    if (typeof to !== "string") return;
    const known = into.get(to) ?? { below: 0, above: new Set() };
    into.set(to, known);
    if (typeof below === "number") known.below = Math.max(known.below, below);
    if (typeof n === "number") known.above.add(n);
  } catch {
    // What it acknowledged is told again.
  }
}
