import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  batchSize,
  batchSizes,
  type DecodedImage,
  InspectionQueue,
} from "../../../src/cli/serve/inspection_queue.ts";
import { HttpProblem } from "../../../src/cli/serve/problem.ts";
import { inspected, SMALL_LIMITS } from "./fake_service.ts";

const LIMITS = { ...SMALL_LIMITS, queue: 40, batch: 4, decoders: 2 };

/** A queue whose GPU waits to be told, and what it did so far. */
function pausedQueue(): {
  queue: InspectionQueue;
  /** The batches so far, as `model:names`. */
  batches: string[];
  /** Names of the images decoded so far. */
  decoded: string[];
  /** Lets the batch at hand go on, and waits until the next one is there. */
  step: () => Promise<void>;
  inspect: (
    name: string,
    options?: { model?: string; signal?: AbortSignal },
  ) => Promise<string>;
} {
  const [batches, decoded]: [string[], string[]] = [[], []];
  let going = Promise.withResolvers<void>();
  const queue = new InspectionQueue(LIMITS, {
    decode: ({ name }) => {
      decoded.push(name);
      return Promise.resolve({ width: 1, height: 1, data: new Uint8Array(4) });
    },
    score: async (model: string, images: readonly DecodedImage[]) => {
      batches.push(`${model}:${images.map(({ name }) => name).join("")}`);
      await going.promise;
      return images.map(inspected);
    },
  });
  return {
    queue,
    batches,
    decoded,
    step: async () => {
      going.resolve();
      going = Promise.withResolvers();
      await settle();
    },
    inspect: (name, { model = "m", signal } = {}) =>
      queue.inspect({
        name,
        model,
        bytes: new Uint8Array(),
        keepPixels: false,
        signal: signal ?? new AbortController().signal,
        finish: (result) => Promise.resolve(result.name),
      }),
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("batchSize() is the largest power of two that fits", () => {
  const sizes = [1, 2, 3, 4, 7, 8, 9].map((images) => batchSize(images, 8));
  assertEquals(sizes, [1, 2, 2, 4, 4, 8, 8]);
  assertEquals(batchSizes(8), [1, 2, 4, 8]);
  assertEquals(batchSizes(1), [1]);
});

Deno.test("InspectionQueue scores what has gathered while the GPU was busy", async () => {
  const { batches, step, inspect } = pausedQueue();
  const results = [..."abcdefgh"].map((name) => inspect(name));
  await settle();
  for (let i = 0; i < 4; i++) await step();
  assertEquals(await Promise.all(results), [..."abcdefgh"]);
  assertEquals(batches, ["m:a", "m:bcde", "m:fg", "m:h"]);
});

Deno.test("InspectionQueue takes the model whose oldest image waits longest", async () => {
  const { batches, step, inspect } = pausedQueue();
  const results = [
    inspect("a", { model: "x" }),
    inspect("b", { model: "y" }),
    inspect("c", { model: "x" }),
    inspect("d", { model: "y" }),
  ];
  await settle();
  for (let i = 0; i < 3; i++) await step();
  await Promise.all(results);
  assertEquals(batches, ["x:a", "y:bd", "x:c"]);
});

Deno.test("InspectionQueue decodes two batches ahead and no more", async () => {
  const { decoded, step, inspect } = pausedQueue();
  const results = Array.from({ length: 30 }, (_, i) => inspect(`${i}`));
  await settle();
  assertEquals(decoded.length, 2 * LIMITS.batch + LIMITS.decoders);
  for (let i = 0; i < 20; i++) await step();
  assertEquals((await Promise.all(results)).length, 30);
});

Deno.test("InspectionQueue forgets images that nobody waits for", async () => {
  const { batches, decoded, step, inspect } = pausedQueue();
  const gone = new AbortController();
  const reason = new HttpProblem(499, "The client has gone");
  const first = inspect("a");
  const left = Array.from(
    { length: 20 },
    () => inspect("x", { signal: gone.signal }),
  );
  const last = inspect("z");
  await settle();
  const before = decoded.length;
  gone.abort(reason);
  for (const result of left) await assertRejects(() => result, HttpProblem);
  await step();
  await step();
  assertEquals([await first, await last], ["a", "z"]);
  assertEquals(batches, ["m:a", "m:z"]);
  assertEquals(decoded.length, before + 1);
  await assertRejects(
    () => inspect("b", { signal: gone.signal }),
    HttpProblem,
    "has gone",
  );
});

Deno.test("InspectionQueue.reserve() gives room up to the limit and takes it back", () => {
  const { queue } = pausedQueue();
  {
    using form = queue.reserve(39);
    assert(form);
    assertThrows(() => queue.reserve(2), HttpProblem, "39 of 40 images");
    queue.checkRoom(1);
    using one = queue.reserve(1);
    assert(one);
    assertEquals(queue.images, 40);
    const full = assertThrows(() => queue.checkRoom(1), HttpProblem);
    assertEquals(full.status, 429);
  }
  assertEquals(queue.images, 0);
});
