import type { Context } from "../command.ts";
import { createApp } from "./app.ts";
import { Engine } from "./engine.ts";
import { ImagePool } from "./image_pool.ts";
import { InspectionQueue } from "./inspection_queue.ts";
import { requestBytes } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import type { ServiceOptions } from "./serve_options.ts";
import { checkAddress, listen } from "./server.ts";
import type { ServiceState } from "./service_parts.ts";
import { NO_FILES, type StaticFiles } from "./static_files.ts";

/** Seconds beyond a request's own limit that stopping may take. */
const STOP_GRACE = 5;

/**
 * Loads the models, answers requests until the program is told to stop, then
 * answers what it had accepted.
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
  const { limits, token, localOnly } = options;
  checkAddress(options.address);
  const stop = Promise.withResolvers<void>();
  stop.promise.catch(() => {});
  let stopping = false;
  signal.addEventListener("abort", () => stop.resolve());
  using engine = await Engine.start(options.engine, {
    onLoss: (reason) => {
      metrics.loss();
      terminal.warn(`${reason}; opening it again`);
    },
    onFailure: (error) => stop.reject(error),
    signal,
  });
  using pool = new ImagePool(limits.decoders, limits.timeout);
  const { models, adapter, backbones } = engine.ready!;
  const byName = new Map(models.map((model) => [model.name, model]));
  const queue = new InspectionQueue(limits, {
    decode: ({ bytes, name, model }) =>
      pool.decode({ name, bytes }, byName.get(model)!, limits.maxPixels),
    score: async (model, images) => {
      const start = performance.now();
      const results = await engine.score(model, images);
      const seconds = (performance.now() - start) / 1000;
      metrics.batch(model, images.length, seconds);
      return results;
    },
  });
  const metrics = new Metrics({
    images: () => queue.images,
    limit: limits.queue,
    memory: () => Deno.memoryUsage().rss,
    models: models.map(({ name }) => name),
  });
  const state = (): ServiceState => {
    if (stopping) return "stopping";
    if (engine.ready === undefined) return "starting";
    return queue.busyMs > limits.timeout * 1000 ? "stalled" : "ok";
  };
  const handler = createApp({
    models,
    adapter,
    queue,
    pool,
    limits,
    state,
    metrics,
    token,
    localOnly,
    files,
    onAnswer: (entry) => terminal.message(JSON.stringify(entry)),
    onError: (error) => terminal.error(error.message),
  });
  const server = listen(handler, options.address);
  const ending = terminationSignal(() => stop.resolve());
  const { url } = server;
  terminal.message(
    `${models.length} ${
      models.length === 1 ? "model" : "models"
    } on ${adapter}, ${backbones} ${
      backbones === 1 ? "backbone" : "backbones"
    }; requests take at most ${
      Math.ceil(requestBytes(limits) / 2 ** 20)
    } MiB of memory`,
  );
  terminal.result(`Listening on ${url}`);
  terminal.record({ url, models: models.map(({ name }) => name), adapter });
  try {
    await stop.promise;
  } finally {
    stopping = true;
    ending[Symbol.dispose]();
    terminal.message(
      `Stopping: ${queue.images} images are still to be answered`,
    );
    await server.stop(limits.timeout + STOP_GRACE);
    engine.leave();
  }
  signal.throwIfAborted();
}

/** Calls `stop` when the system asks the program to end. */
function terminationSignal(stop: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose](): void {} };
  Deno.addSignalListener("SIGTERM", stop);
  return {
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGTERM", stop),
  };
}
