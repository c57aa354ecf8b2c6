import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type {
  DecodedImage,
  Inspected,
} from "../../../src/cli/serve/inspection_queue.ts";
import { unavailable } from "../../../src/cli/serve/problem.ts";
import {
  fakeService,
  formBody,
  hugePng,
  imageBody,
  inspected,
  png,
  problem,
} from "./fake_service.ts";

Deno.test("POST /predict answers with the keys of predict --json", async () => {
  const { fetch } = fakeService();
  const response = await fetch("/predict?name=a.png", imageBody(await png()));
  assertEquals(response.status, 200);
  const result = await response.json();
  assertEquals(Object.keys(result), [
    "image_path",
    "pred_score",
    "pred_score_normalized",
    "pred_label",
    "threshold",
    "uncertain_from",
    "worst_patch",
    "map",
    "regions",
    "seen",
    "ms",
  ]);
  assertEquals([result.image_path, result.pred_score], ["a.png", 1.6]);
  assertEquals(result.map, {
    path: null,
    width: 16,
    height: 16,
    min: 1,
    max: 1,
    threshold: 2,
    scale: { min: 0, max: 4, of: "model" },
    disagrees: false,
    min_area: null,
  });
  assert(result.ms.total > 5, "decoding is part of the total");
});

Deno.test("POST /predict of a form answers in its order, bad images with their error", async () => {
  const { fetch, entries } = fakeService();
  const response = await fetch(
    "/predict",
    formBody({
      "b.png": await png(24),
      "text.png": new TextEncoder().encode("no image"),
      'größe "1"\n.png': await png(),
    }),
  );
  assertEquals(response.status, 200);
  const results = await response.json();
  assertEquals(results.length, 3);
  assertEquals(results[0].pred_label, "anomalous");
  assertEquals(Object.keys(results[1]), ["image_path", "error"]);
  assertStringIncludes(results[1].error, "text file");
  assertEquals(results[2].pred_score, 1.6);
  assertStringIncludes(results[2].image_path, "größe");
  const { images, failed } = entries[0]!;
  assertEquals([images, failed], [3, 1]);
});

Deno.test("POST /predict sends the map in base64, or alone as PNG", async () => {
  const { fetch } = fakeService();
  const body = imageBody(await png());
  const { map } = await (await fetch("/predict?map=png", body)).json();
  const inJson = Uint8Array.fromBase64(map.png);
  assertEquals([...inJson.subarray(1, 4)], [80, 78, 71]);
  const alone = await fetch(
    "/predict",
    imageBody(await png(), { accept: "image/png" }),
  );
  assertEquals(alone.headers.get("content-type"), "image/png");
  assertEquals(alone.headers.get("x-pred-score"), "1.6");
  assertEquals(await alone.bytes(), inJson);
  const form = formBody({ "a.png": await png() });
  const refused = await fetch("/predict", {
    ...form,
    headers: { accept: "image/png" },
  });
  assertEquals(refused.status, 406);
  assertEquals((await fetch("/predict?map=jpeg", body)).status, 400);
});

Deno.test.each<[string, number, () => Promise<RequestInit>]>([
  ["type of a form of text fields", 415, async () =>
    imageBody(await png(), {
      "content-type": "application/x-www-form-urlencoded",
    })],
  [
    "content encoding",
    415,
    async () => imageBody(await png(), { "content-encoding": "gzip" }),
  ],
  ["empty body", 400, () => Promise.resolve(imageBody(new Uint8Array()))],
  [
    "too many bytes",
    413,
    () => Promise.resolve(imageBody(new Uint8Array(20_001))),
  ],
  [
    "text",
    422,
    () => Promise.resolve(imageBody(new TextEncoder().encode("hello"))),
  ],
  [
    "truncated image",
    422,
    async () => imageBody((await png()).subarray(0, 60)),
  ],
  ["PNG of 10,000 × 10,000", 413, async () => imageBody(await hugePng(10_000))],
  ["shape of another input", 422, async () => imageBody(await png(64, 16))],
  ["form without its boundary", 400, () =>
    Promise.resolve({
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "no form",
    })],
  [
    "form without a file",
    400,
    () => Promise.resolve({ method: "POST", body: new FormData() }),
  ],
  ["form with a text field", 400, () => {
    const body = new FormData();
    body.append("model", "part");
    return Promise.resolve({ method: "POST", body });
  }],
  ["form of thousands of empty files", 413, () => {
    const part = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n';
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    const body = `${part.repeat(300)}--x--\r\n`;
    return Promise.resolve({ method: "POST", headers, body });
  }],
  ["form of too many files", 413, async () => {
    const bytes = await png();
    const names = Array.from({ length: 5 }, (_, i) => [`${i}.png`, bytes]);
    return formBody(Object.fromEntries(names));
  }],
])("POST /predict refuses %s with %d and one sentence", async (
  _what,
  status,
  body,
) => {
  const { fetch, queue, batches } = fakeService();
  const response = await fetch("/predict", await body());
  assertEquals(response.status, status);
  await problem(response);
  assertEquals([queue.images, batches], [0, []]);
});

Deno.test.each([
  ["?modle=part", "modle", '; did you mean "model"?'],
  ["?model=part&x=1", "x", ""],
  ["?name=a&name=b", "name", "given twice"],
  ["?__proto__=1", "__proto__", ""],
])("POST /predict%s is refused, naming %s", async (query, name, more) => {
  const { fetch, uploads, batches } = fakeService();
  const response = await fetch(`/predict${query}`, imageBody(await png()));
  assertEquals(response.status, 400);
  const error = await problem(response);
  assertStringIncludes(error, `uery parameter "${name}"`);
  assertStringIncludes(error, more);
  assertEquals([uploads.bytes, batches], [0, []]);
});

Deno.test.each<[string, number, number]>([
  ["its score is NaN", NaN, 1],
  ["its score is Infinity", Infinity, 1],
  ["its anomaly map has values that are not finite", 1, NaN],
])(
  "an image is refused with 422 and counted once when %s",
  async (why, score, pixel) => {
    const bad = (image: DecodedImage): Inspected => {
      const { map, ...rest } = inspected(image);
      return {
        ...rest,
        score,
        map: { ...map, data: Float32Array.of(1, pixel) },
      };
    };
    const { fetch, entries } = fakeService({
      workers: {
        score: (_model, images) =>
          Promise.resolve(
            images.map((image) =>
              image.name === "bad.png" ? bad(image) : inspected(image)
            ),
          ),
      },
    });
    const alone = await fetch("/predict?name=bad.png", imageBody(await png()));
    assertEquals(alone.status, 422);
    assertStringIncludes(await problem(alone), `"bad.png": ${why}`);
    const files = { "good.png": await png(), "bad.png": await png() };
    const form = await fetch("/predict?map=png", formBody(files));
    assertEquals(form.status, 200);
    const [, result] = await form.json();
    assertStringIncludes(result.error, why);
    assertEquals(entries[1]!.results![0], {
      pred_score: 1.6,
      pred_label: "normal",
    });
    assertStringIncludes(JSON.stringify(entries[1]!.results![1]), why);
    const metrics = await (await fetch("/metrics")).text();
    assertStringIncludes(
      metrics,
      'patchcore_images_total{model="part",outcome="failed"} 2',
    );
    assertStringIncludes(
      metrics,
      'patchcore_images_total{model="part",outcome="normal"} 1',
    );
  },
);

Deno.test("an image whose map cannot be encoded is not counted as inspected", async () => {
  const { fetch } = fakeService({
    pool: { encodeMap: () => Promise.reject(new Error("no map")) },
  });
  const response = await fetch("/predict?map=png", imageBody(await png()));
  assertEquals(response.status, 500);
  await response.body?.cancel();
  assertStringIncludes(
    await (await fetch("/metrics")).text(),
    'patchcore_images_total{model="part",outcome="normal"} 0',
  );
});

Deno.test("POST /predict stops reading a body that is announced shorter or not at all", async () => {
  const { fetch } = fakeService();
  let pulled = 0;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller): void {
        pulled++;
        controller.enqueue(new Uint8Array(1000));
      },
    }, { highWaterMark: 0 });
  for (const headers of [{}, { "content-length": "1500" }]) {
    pulled = 0;
    const response = await fetch("/predict", {
      method: "POST",
      headers: { "content-type": "image/png", ...headers },
      body: endless(),
    });
    assertEquals(response.status, 413);
    await problem(response);
    assert(pulled <= 21, `${pulled} chunks were read`);
  }
});

Deno.test("POST /predict names a request's failures where all its images failed", async () => {
  const { fetch } = fakeService();
  const text = new TextEncoder().encode("no image");
  const response = await fetch(
    "/predict",
    formBody({ "a.png": text, "b.png": text }),
  );
  assertEquals(response.status, 422);
  const { error, images } = await response.json();
  assertStringIncludes(error, "None of the 2 images");
  assertEquals(images.length, 2);
});

Deno.test("?model= chooses among several models", async () => {
  const { fetch, batches } = fakeService({ models: ["bottle", "cable"] });
  const body = async () => imageBody(await png());
  assertEquals((await fetch("/predict?model=cable", await body())).status, 200);
  assertEquals(batches, ["cable:1"]);
  const none = await fetch("/predict", await body());
  assertEquals(none.status, 400);
  assertStringIncludes(await problem(none), "one of bottle, cable");
  const unknown = await fetch("/predict?model=cabel", await body());
  assertEquals(unknown.status, 404);
  assertStringIncludes(await problem(unknown), 'did you mean "cable"?');
});

Deno.test("a full service answers 429 and when to come back", async () => {
  const going = Promise.withResolvers<void>();
  const { fetch, queue } = fakeService({
    workers: {
      score: async (_model, images) => {
        await going.promise;
        return images.map(inspected);
      },
    },
  });
  const body = imageBody(await png());
  const held = Array.from({ length: 4 }, () => fetch("/predict", body));
  const full = await fetch("/predict", body);
  assertEquals(full.status, 429);
  assertEquals(full.headers.get("retry-after"), "1");
  assertStringIncludes(await problem(full), "4 of 4 images");
  assertEquals(queue.images, 4);
  going.resolve();
  for (const response of await Promise.all(held)) {
    assertEquals(response.status, 200);
  }
  assertEquals(queue.images, 0);
  assertEquals((await fetch("/predict", body)).status, 200);
});

Deno.test("bodies that do not arrive take no place in the queue", async () => {
  const { fetch, queue, uploads } = fakeService();
  const gone = new AbortController();
  const slow = Array.from({ length: 6 }, () =>
    fetch("/predict", {
      method: "POST",
      headers: { "content-type": "image/png", "content-length": "1000" },
      body: new ReadableStream(),
      signal: gone.signal,
    }));
  while (uploads.bodies < 6) await Promise.resolve();
  assertEquals(queue.images, 0);
  for (let i = 0; i < 5; i++) {
    const answer = await fetch("/predict", imageBody(await png()));
    assertEquals(answer.status, 200);
    await answer.body?.cancel();
  }
  gone.abort();
  for (const { status } of await Promise.all(slow)) assertEquals(status, 499);
  assertEquals([uploads.bodies, uploads.bytes], [0, 0]);
});

Deno.test("a request that takes too long is answered 503, one that arrives too slowly 408", async () => {
  const stuck = Promise.withResolvers<never>();
  const { fetch, queue } = fakeService({
    limits: { timeout: 0.05 },
    workers: { score: () => stuck.promise },
  });
  const late = await fetch("/predict", imageBody(await png()));
  assertEquals(late.status, 503);
  assert(late.headers.has("retry-after"));
  assertStringIncludes(await problem(late), "within 0.05 s");
  const slow = await fetch("/predict", {
    method: "POST",
    headers: { "content-type": "image/png" },
    body: new ReadableStream(),
  });
  assertEquals(slow.status, 408);
  await problem(slow);
  assertEquals(queue.images, 0);
});

Deno.test("a client that has gone gives its room back", async () => {
  const stuck = Promise.withResolvers<never>();
  const service = fakeService({ workers: { score: () => stuck.promise } });
  const gone = new AbortController();
  const answer = service.fetch("/predict", {
    ...imageBody(await png()),
    signal: gone.signal,
  });
  while (service.queue.images === 0) await Promise.resolve();
  gone.abort();
  assertEquals((await answer).status, 499);
  assertEquals(service.queue.images, 0);
});

Deno.test("an image that the GPU fails on does not take the others along", async () => {
  const { fetch, errors } = fakeService({
    workers: {
      score: () => Promise.reject(new Error("The GPU refused a command")),
    },
  });
  const response = await fetch("/predict", imageBody(await png()));
  assertEquals(response.status, 500);
  assertStringIncludes(await problem(response), "log tells why");
  assertEquals(errors.map(({ message }) => message), [
    "The GPU refused a command",
  ]);
  const lost = fakeService({
    workers: { score: () => Promise.reject(unavailable("The GPU was lost")) },
  });
  const answer = await lost.fetch("/predict", imageBody(await png()));
  assertEquals(answer.status, 503);
  assertEquals(lost.errors, []);
});
