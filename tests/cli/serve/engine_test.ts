import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Engine } from "../../../src/cli/serve/engine.ts";
import { EngineHost } from "../../../src/cli/serve/engine_host.ts";
import type { EngineOptions } from "../../../src/cli/serve/engine_messages.ts";
import type { DecodedImage } from "../../../src/cli/serve/inspection_queue.ts";
import { HttpProblem } from "../../../src/cli/serve/problem.ts";
import { PatchCore, type Pixels } from "../../../src/core/mod.ts";
import { gpuTest } from "../../testing.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { tinyDetector, tinyImages } from "../../tiny_model.ts";

const WORKER = new URL("./fragile_engine_worker.ts", import.meta.url);

/** Runs `fn` with the file of a tiny model, and the scores it gives. */
async function withModel(
  fn: (options: EngineOptions, scores: readonly number[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    using detector = await tinyDetector(undefined, 3);
    const path = `${folder}/tiny.safetensors`;
    await Deno.writeFile(path, detector.save({ bundle: true }));
    const scores: number[] = [];
    for await (const { score } of detector.predict(tinyImages(1).test)) {
      scores.push(score);
    }
    const models = [{ name: "a", path }, { name: "b", path }];
    const common = {
      backbone: undefined,
      precision: "f32",
      noAutotune: true,
      batch: 2,
    } as const;
    await fn({ models, ...common }, scores);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Images to score; their pixels are given away, so each call makes new ones. */
function images(...names: string[]): DecodedImage[] {
  return tinyImages(1).test.slice(0, names.length).map(({ content }, i) => {
    const { width, height, data } = content as Pixels;
    const pixels = { width, height, data: Uint8Array.from(data) };
    return { name: names[i]!, pixels, keepPixels: i === 0 };
  });
}

gpuTest(
  "Engine scores as the detector does, off this thread",
  () =>
    withModel(async (options, scores) => {
      using engine = await Engine.start(options);
      const { models, backbones } = engine.ready!;
      assertEquals(models.map(({ name }) => name), ["a", "b"]);
      assertEquals(models[0]!.input, { width: 64, height: 64 });
      assertEquals(backbones, 1);
      assertEquals(models[0]!.members.length, 1);
      const [first, second] = await engine.score("b", images("x", "y"));
      assert(first && !(first instanceof Error));
      assert(second && !(second instanceof Error));
      assertEquals([first.score, second.score], scores.slice(0, 2));
      assertEquals([first.name, second.name], ["x", "y"]);
      assertEquals(
        first.image?.data.length,
        images("x")[0]!.pixels.data.length,
      );
      assertEquals(second.image, undefined);
      const pixels = { width: 5, height: 5, data: new Uint8Array(3) };
      const broken = { name: "broken.png", pixels, keepPixels: false };
      const [refused, scored] = await engine.score("a", [
        broken,
        ...images("x"),
      ]);
      assert(refused instanceof HttpProblem);
      assertEquals(refused.status, 422);
      assertStringIncludes(refused.message, "data has 3 bytes");
      assert(scored && !(scored instanceof Error));
      assertEquals(scored.score, scores[0]);
    }),
);

gpuTest(
  "EngineHost is ready after one image, and does the rest when none comes",
  () =>
    withModel(async ({ models: [model], ...options }) => {
      const events: string[] = [];
      const done = Promise.withResolvers<void>();
      using _ = withPredictions((what) => {
        events.push(what);
        if (events.length === 8) done.resolve();
      });
      const { signal } = new AbortController();
      const { terminal } = new FakeTerminal();
      const host = new EngineHost(
        { terminal, signal },
        ({ kind }) => events.push(kind),
        0,
      );
      await host.handle({
        kind: "open",
        options: { ...options, models: [model!], batch: 4 },
      });
      assertEquals(events, ["predict 1", "ready"]);
      await done.promise;
      assertEquals(events.slice(2), [
        ...["predict 2", "predict 4", "tune"],
        ...["predict 1", "predict 2", "predict 4"],
      ]);
      await host.set![Symbol.asyncDispose]();
    }),
);

/** Tells what is asked of detectors until the end of a `using`. */
function withPredictions(tell: (what: string) => void): Disposable {
  const { predict, tune } = PatchCore.prototype;
  PatchCore.prototype.predict = function (images, options) {
    tell(`predict ${(images as unknown[]).length}`);
    return predict.call(this, images, options);
  };
  PatchCore.prototype.tune = function () {
    tell("tune");
    return tune.call(this);
  };
  return {
    [Symbol.dispose]: () =>
      Object.assign(PatchCore.prototype, { predict, tune }),
  };
}

gpuTest(
  "Engine opens a lost device again, and gives up when it keeps being lost",
  () =>
    withModel(async (options, scores) => {
      const losses: string[] = [];
      const failed = Promise.withResolvers<Error>();
      using engine = await Engine.start(options, {
        startWorker: () => new Worker(WORKER, { type: "module" }),
        onLoss: (reason) => losses.push(reason),
        onFailure: failed.resolve,
      });
      for (const way of ["lose", "break", "lose"]) {
        const { status } = await assertRejects(
          () => engine.score("a", images(way)),
          HttpProblem,
          "lost while it worked",
        );
        assertEquals(status, 503);
        assertEquals(engine.ready, undefined);
        const [result] = await engine.score("a", images("x"));
        assert(result && !(result instanceof Error));
        assertEquals(result.score, scores[0]);
      }
      assertEquals(losses.length, 3);
      await assertRejects(() => engine.score("a", images("lose")), HttpProblem);
      assert((await failed.promise).message.includes("again 3 times"));
      await assertRejects(
        () => engine.score("a", images("x")),
        Error,
        "3 times",
      );
    }),
);

Deno.test("Engine.start() tells what is wrong with a model", async () => {
  const options = {
    models: [{ name: "none", path: "/nowhere/none.safetensors" }],
    backbone: undefined,
    precision: "f32",
    noAutotune: true,
    batch: 1,
  } as const;
  let failures = 0;
  await assertRejects(
    () => Engine.start(options, { onFailure: () => failures++ }),
    Error,
    'Cannot read "/nowhere/none.safetensors": it does not exist',
  );
  assertEquals(failures, 1);
  const signal = AbortSignal.abort(new Error("Interrupted"));
  await assertRejects(() => Engine.start(options, { signal }), Error, "Inter");
});
