import { bytesInWords } from "../../core/settings/byte_size.ts";
import type { Context } from "../command.ts";
import { FileError, statOrNothing } from "../disk.ts";
import { DriftMonitor } from "../drift_monitor.ts";
import { createApp } from "./app.ts";
import { Engine } from "./engine.ts";
import { Garbage } from "./garbage.ts";
import { ImagePool } from "./image_pool.ts";
import { InspectionQueue } from "./inspection_queue.ts";
import { requestBytes } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import { ModelFolder } from "./model_folder.ts";
import { fixedModels } from "./model_source.ts";
import type { ServiceOptions } from "./serve_options.ts";
import { listen } from "./server.ts";
import type { LoadedModels, ServiceState } from "./service_parts.ts";
import { NO_FILES, type StaticFiles } from "./static_files.ts";
import { Uploads } from "./uploads.ts";

/** Seconds beyond a request's own limit that stopping may take. */
const STOP_GRACE = 5;

/**
 * Listens, loads the models, answers requests until the program is told to
 * stop, then answers what it had accepted. Until the models are loaded it
 * answers 503.
 *
 * @param options What to serve, and where.
 * @param context Messages go to its terminal; its signal stops the service.
 * @param files What else is sent: the inspection page.
 * @throws {Error} If a model cannot be loaded, the address is taken, or the GPU
 * is lost for good; the signal's reason when it stopped the service.
 */
export async function runService(
  options: ServiceOptions,
  { terminal, signal }: Context,
  files: StaticFiles = NO_FILES,
): Promise<void> {
  const { limits, token, localOnly, origins } = options;
  const stop = Promise.withResolvers<void>();
  stop.promise.catch(() => {});
  const told = new AbortController();
  const end = (): void => {
    told.abort();
    stop.resolve();
  };
  let engine: Engine | undefined;
  let loaded: LoadedModels | undefined;
  let folder: ModelFolder | undefined;
  using pool = new ImagePool(limits.decoders, limits.timeout);
  const queue = new InspectionQueue(limits, {
    decode: async ({ bytes, name, model }) => {
      const info = loaded!.models.info(model);
      return await pool.decode({ name, bytes }, info, limits.maxPixels);
    },
    score: async (model, images) => {
      const start = performance.now();
      const results = await engine!.score(model, images);
      const seconds = (performance.now() - start) / 1000;
      metrics.batch(model.split("\n", 1)[0]!, images.length, seconds);
      return results;
    },
  });
  const metrics = new Metrics({
    images: () => queue.images,
    limit: limits.queue,
    memory: () => Deno.memoryUsage().rss,
    models: options.engine.models.map(({ name }) => name),
    drift: () => drift.facts(),
    ...(options.folder && {
      loaded: () => folder?.loaded ?? { models: 0, bytes: 0 },
    }),
  });
  const state = (): ServiceState => {
    if (told.signal.aborted) return "stopping";
    if (engine?.ready === undefined) return "starting";
    return queue.busyMs > limits.timeout * 1000 ? "stalled" : "ok";
  };
  const garbage = new Garbage();
  const drift = new DriftMonitor({
    onDaily: (facts) =>
      terminal.message(
        JSON.stringify({ time: new Date().toISOString(), drift: facts }),
      ),
    onDue: (sentence) => terminal.warn(sentence),
  });
  const handler = createApp({
    loaded: () => loaded,
    queue,
    uploads: new Uploads(limits),
    pool,
    limits,
    state,
    metrics,
    drift,
    token,
    localOnly,
    origins,
    files,
    onAnswer: (entry) => {
      garbage.add();
      terminal.message(JSON.stringify(entry));
      drift.tick();
    },
    onError: (error) => terminal.error(error.message),
  });
  const server = listen(handler, options.address);
  const { url } = server;
  using _ending = terminationSignal(end);
  signal.addEventListener("abort", end);
  try {
    if (options.folder !== undefined) await checkFolder(options.folder.path);
    const count = options.engine.models.length;
    terminal.message(
      options.folder !== undefined
        ? `Opening the GPU: ${url} answers 503 until that is done`
        : `Loading ${
          count === 1 ? "a model" : `${count} models`
        }: ${url} answers 503 until that is done`,
    );
    engine = await Engine.start(options.engine, {
      onLoss: (reason) => {
        metrics.loss();
        folder?.forget();
        terminal.warn(`${reason}; opening it again`);
      },
      onFailure: (error) => stop.reject(error),
      signal: told.signal,
    });
    const { models, adapter, backbones } = engine.ready!;
    if (options.folder !== undefined) {
      folder = new ModelFolder({
        folder: options.folder.path,
        memory: options.folder.memory,
        loader: engine,
        onChange: (what, name) => {
          metrics.model(what);
          terminal.message(
            JSON.stringify({ time: new Date().toISOString(), [what]: name }),
          );
        },
        onError: (error) => terminal.error(error.message),
      });
      await folder.list();
    }
    const source = folder ?? fixedModels(models);
    loaded = { models: source, adapter };
    const names = source.names;
    terminal.message(
      `${names.length} ${names.length === 1 ? "model" : "models"} ${
        folder === undefined
          ? `on ${adapter}, ${backbones} ${
            backbones === 1 ? "backbone" : "backbones"
          }`
          : `in "${
            options.folder!.path
          }", of which those that are asked for may take ${
            bytesInWords(options.folder!.memory)
          } on ${adapter}`
      }; requests take at most ${
        Math.ceil(requestBytes(limits) / 2 ** 20)
      } MiB of memory`,
    );
    terminal.result(`Listening on ${url}`);
    terminal.record({ url, models: names, adapter });
    await stop.promise;
    terminal.message(
      `Stopping: ${queue.images} images are still to be answered`,
    );
  } catch (error) {
    if (!told.signal.aborted) throw error;
  } finally {
    told.abort();
    signal.removeEventListener("abort", end);
    await server.stop(limits.timeout + STOP_GRACE);
    engine?.leave();
  }
  signal.throwIfAborted();
}

/**
 * Refuses a folder that is none.
 *
 * @throws {FileError} Saying why.
 */
async function checkFolder(path: string): Promise<void> {
  if ((await statOrNothing(path))?.isDirectory) return;
  throw new FileError(
    `Cannot serve the models of "${path}": it is no folder, expected one with files such as part.safetensors`,
  );
}

/** Calls `stop` when the system asks the program to end. */
function terminationSignal(stop: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose](): void {} };
  Deno.addSignalListener("SIGTERM", stop);
  return {
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGTERM", stop),
  };
}
