import { join, resolve } from "node:path";
import type { Context } from "../command.ts";
import { FileError, realPath, statOrNothing } from "../disk.ts";
import { DriftMonitor } from "../drift_monitor.ts";
import { lockFolder, refuseInputs, unlockFolder } from "../output.ts";
import { Engine } from "../serve/engine.ts";
import { ImagePool } from "../serve/image_pool.ts";
import { InspectionQueue } from "../serve/inspection_queue.ts";
import { ModelFolder } from "../serve/model_folder.ts";
import { fixedModels, type ModelSource } from "../serve/model_source.ts";
import { resultNames } from "../result_names.ts";
import { oneLine, type Terminal } from "../terminal.ts";
import { AnomalyCommand } from "./anomaly_command.ts";
import { Arrivals } from "./arrivals.ts";
import { AuditLog, type AuditRecord } from "./audit_log.ts";
import { FolderEvents } from "./folder_events.ts";
import { Inspector } from "./inspector.ts";
import { MqttTopic } from "./mqtt.ts";
import { type Channel, Outbox } from "./outbox.ts";
import { SortedImages } from "./sorted_images.ts";
import type { WatchPlan } from "./watch_options.ts";
import { Webhook } from "./webhook.ts";

/** What makes a folder one of ours. */
const AUDIT_FILE = "audit.jsonl";

/** What channels have acknowledged. */
const DELIVERED_FILE = "delivered.jsonl";

/** Seconds that decoding an image may take. */
const DECODING_SECONDS = 60;

/** Images that are held for each one of a batch: some are read, some decoded. */
const HELD = 4;

/** Looks take no more than a fifth of the time, however full the folder is. */
const REST = 4;

/**
 * Watches a folder until the program is told to stop: finds images that are
 * complete, inspects them, writes the audit and has everybody told.
 *
 * @param plan What is watched, and how.
 * @param context Messages go to its terminal; its signal ends it.
 * @throws {Error} If a folder or a model cannot be used, the audit cannot be
 * written, or the GPU is lost for good; the signal's reason when it ended it.
 */
export async function runWatch(
  plan: WatchPlan,
  { terminal, signal }: Context,
): Promise<void> {
  const { out } = plan;
  const root = await watchedFolder(plan.folder);
  await refuseInputs(out, [plan.folder]);
  await refuseOtherFiles(out);
  const told = new AbortController();
  const stop = Promise.withResolvers<void>();
  stop.promise.catch(() => {});
  const end = (): void => {
    told.abort();
    stop.resolve();
  };
  const fail = (error: unknown): void => {
    if (told.signal.aborted) return;
    stop.reject(error);
    told.abort();
  };
  using _ending = terminationSignal(end);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  const lock = await lockFolder(out);
  let engine: Engine | undefined;
  try {
    const drift = new DriftMonitor({
      onDaily: (facts) =>
        terminal.message(
          JSON.stringify({ time: new Date().toISOString(), drift: facts }),
        ),
      onDue: (sentence) => terminal.warn(sentence),
    });
    await using outbox = await Outbox.open(join(out, DELIVERED_FILE), {
      channels: channelsOf(plan, root, terminal),
      onTrouble: (sentence) => terminal.warn(sentence),
      onFailure: fail,
    });
    await using audit = await AuditLog.open(join(out, AUDIT_FILE), (record) => {
      outbox.recall(record);
      const { model_sha256, pred_score, pred_label } = record;
      if (model_sha256 === null || pred_score === null) return;
      drift.recall(model_sha256, { score: pred_score, label: pred_label });
    });
    tellEarlier(audit, outbox, terminal);
    await outbox.start(audit.next);
    const models = await startEngine(plan, {
      terminal,
      signal: told.signal,
      onFailure: fail,
    });
    engine = models.engine;
    const { batch, decoders, maxPixels } = plan;
    using pool = new ImagePool(decoders, DECODING_SECONDS);
    const most = HELD * batch;
    const queue = new InspectionQueue(
      { ...QUEUE_LIMITS, queue: most, batch, decoders, maxPixels },
      {
        decode: async ({ bytes, name, model }) =>
          await pool.decode(
            { name, bytes },
            models.source.info(model),
            maxPixels,
          ),
        score: async (model, images) =>
          await models.engine.score(model, images),
      },
    );
    const arrivals = new Arrivals(root, {
      settle: plan.interval * 1000,
      isDone: (version) => audit.isLast(version),
      onTrouble: (sentence) => terminal.warn(sentence),
    });
    const inspector = new Inspector({
      root,
      models: models.source,
      ...(models.only !== undefined && { model: models.only }),
      queue,
      audit,
      most,
      patience: plan.patience * 1000,
      channelsFor: (verdict) => outbox.namesFor(verdict),
      onRecord: (record, model) => {
        outbox.add(record);
        const { model: name, pred_score: score, pred_label: label } = record;
        if (model !== undefined && score !== null) {
          drift.add({ ...model, name: name! }, { score, label });
        }
        tell(record, terminal);
      },
      onChanged: (path) => arrivals.again(path),
      onTrouble: (sentence) => terminal.warn(sentence),
      onFailure: fail,
      signal: told.signal,
    });
    terminal.message(`Watching "${plan.folder}"; Ctrl-C ends it`);
    const looking = watchFolder(root, {
      arrivals,
      inspector,
      interval: plan.interval * 1000,
      signal: told.signal,
      onLook: () => drift.tick(),
      onTrouble: (sentence) => terminal.message(sentence),
    });
    looking.catch(fail);
    await stop.promise.finally(() => told.abort());
    await looking.catch(() => {});
    await inspector.settle();
    tellWaiting(outbox, terminal);
  } catch (error) {
    if (error !== told.signal.reason && !signal.aborted) throw error;
  } finally {
    told.abort();
    signal.removeEventListener("abort", end);
    engine?.leave();
    unlockFolder(out, lock);
  }
  signal.throwIfAborted();
  await stop.promise;
}

/** What the queue does not ask for: nothing comes over a network. */
const QUEUE_LIMITS = {
  maxBytes: Infinity,
  bodies: Infinity,
  bodyBytes: Infinity,
  idle: Infinity,
  pace: 0,
  timeout: Infinity,
} as const;

/**
 * The folder that is watched, links followed, so that its images are the same
 * whatever it is called.
 */
async function watchedFolder(path: string): Promise<string> {
  const info = await statOrNothing(path);
  if (info?.isDirectory) return resolve(await realPath(path));
  throw new FileError(
    `Cannot watch "${path}": ${
      info === undefined ? "it does not exist" : "it is a file"
    }, expected the folder that images come into`,
  );
}

/** Refuses a folder with files that are not of an earlier run. */
async function refuseOtherFiles(out: string): Promise<void> {
  const info = await statOrNothing(out);
  if (info === undefined) return;
  if (!info.isDirectory) {
    throw new FileError(`Cannot write to "${out}": it is a file`);
  }
  const names = (await Array.fromAsync(Deno.readDir(out)))
    .map(({ name }) => name).filter((name) => !name.startsWith("."));
  if (names.length === 0 || names.includes(AUDIT_FILE)) return;
  if (names.every((name) => name === DELIVERED_FILE)) return;
  throw new FileError(
    `Refused to write to "${out}": it holds other files than an audit; name a new folder`,
  );
}

function channelsOf(
  { out, sort, command, webhook, mqtt }: WatchPlan,
  root: string,
  terminal: Terminal,
): Channel[] {
  const onTrouble = (sentence: string): void => terminal.warn(sentence);
  return [
    ...sort === "off"
      ? []
      : [new SortedImages({ root, out, how: sort, onTrouble })],
    ...command === undefined
      ? []
      : [new AnomalyCommand({ ...command, onTrouble })],
    ...webhook === undefined ? [] : [new Webhook(webhook)],
    ...mqtt === undefined ? [] : [new MqttTopic(mqtt)],
  ];
}

interface StartedModels {
  readonly engine: Engine;
  readonly source: ModelSource;
  /** The model of all images. */
  readonly only?: string;
}

/** Opens the GPU and loads the model, if there is one for all images. */
async function startEngine(
  { models, backbone, precision, noAutotune, batch }: WatchPlan,
  { terminal, signal, onFailure }: {
    readonly terminal: Terminal;
    readonly signal: AbortSignal;
    readonly onFailure: (error: Error) => void;
  },
): Promise<StartedModels> {
  if (models.kind === "folder") {
    const info = await statOrNothing(models.path);
    if (!info?.isDirectory) {
      throw new FileError(
        `Cannot use the models of "${models.path}": it is no folder, expected one with files such as part.safetensors`,
      );
    }
  }
  let folder: ModelFolder | undefined;
  const [only] = resultNames([models.path]);
  const engine = await Engine.start({
    models: models.kind === "one"
      ? [{
        name: only!,
        path: models.path,
        ...(models.thresholds && { thresholds: models.thresholds }),
      }]
      : [],
    ...{ backbone, precision, noAutotune, batch },
  }, {
    onLoss: (sentence) => {
      folder?.forget();
      terminal.warn(`${sentence}; opening it again`);
    },
    onFailure,
    signal,
  });
  const ready = engine.ready!;
  terminal.message(`Inspecting with ${ready.adapter}`);
  if (models.kind === "folder") {
    folder = new ModelFolder({
      folder: models.path,
      memory: models.memory,
      loader: engine,
      onChange: (what, name) => terminal.message(`Model "${name}" ${what}`),
      onError: (error) => terminal.error(error.message),
    });
    return { engine, source: folder };
  }
  const [model] = ready.models;
  if (model!.threshold === null) {
    engine.leave();
    throw new FileError(
      `Cannot watch with "${models.path}": it has no threshold, so that nothing would be normal; set one with calibrate, or give --threshold X`,
    );
  }
  return { engine, source: fixedModels(ready.models), only: only! };
}

/** Looks at the folder until the end: now and then, and when it is woken. */
async function watchFolder(
  root: string,
  { arrivals, inspector, interval, signal, onLook, onTrouble }: {
    readonly arrivals: Arrivals;
    readonly inspector: Inspector;
    readonly interval: number;
    readonly signal: AbortSignal;
    readonly onLook: () => void;
    readonly onTrouble: (sentence: string) => void;
  },
): Promise<void> {
  using events = new FolderEvents(root, { signal, onTrouble });
  let due = 0;
  while (!signal.aborted) {
    const { paths, renamed } = events.take();
    for (const path of renamed) arrivals.renamed(path);
    const start = performance.now();
    const isDue = start >= due;
    inspector.add(
      isDue ? await arrivals.look() : await arrivals.lookAt(paths),
    );
    const now = performance.now();
    if (isDue) due = now + Math.max(interval, REST * (now - start));
    onLook();
    await events.wait(Math.max(0, due - performance.now()));
  }
}

function tellEarlier(
  { images }: AuditLog,
  { waiting, orphans }: Outbox,
  terminal: Terminal,
): void {
  if (images === 0) return;
  const still = [...waiting].filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} of ${count}`);
  terminal.message(
    `${images} images are done${
      still.length === 0 ? "" : `, still to be told: ${still.join(", ")}`
    }`,
  );
  for (const [name, count] of orphans) {
    terminal.warn(
      `${count} images were to be delivered by ${name}, which is not asked for this time; they wait`,
    );
  }
}

function tellWaiting({ waiting }: Outbox, terminal: Terminal): void {
  for (const [name, count] of waiting) {
    if (count === 0) continue;
    terminal.message(
      `${name} is still to be told of ${count} images; the next run with this --out does that`,
    );
  }
}

function tell(record: AuditRecord, terminal: Terminal): void {
  terminal.record({ ...record });
  const { verdict, pred_score: score, image_path: path, error } = record;
  terminal.result(
    `${verdict.padEnd(9)} ${(score?.toFixed(4) ?? "–").padStart(10)}  ${
      oneLine(path)
    }`,
  );
  if (error !== undefined) terminal.error(error);
}

/** Calls `stop` when the system asks the program to end. */
function terminationSignal(stop: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose](): void {} };
  Deno.addSignalListener("SIGTERM", stop);
  return {
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGTERM", stop),
  };
}
