import { assert, assertEquals } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { openApi } from "../../../src/cli/serve/openapi.ts";
import {
  fakeService,
  formBody,
  imageBody,
  png,
  SMALL_LIMITS,
} from "./fake_service.ts";

type Responses = Record<
  string,
  { content: Record<string, { schema: object }>; headers?: object }
>;

Deno.test("openApi() is valid OpenAPI 3.1, with a token and without", async () => {
  for (const withToken of [false, true]) {
    const description = structuredClone(openApi(SMALL_LIMITS, withToken));
    const validator = new Validator();
    const { valid, errors } = await validator.validate(description);
    assert(valid, JSON.stringify(errors));
    assertEquals(validator.version, "3.1");
  }
});

Deno.test("every answer is what openApi() says of its status and type", async (t) => {
  const { fetch } = fakeService();
  const document = await (await fetch("/openapi.json")).json();
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: "service", ...document });
  const text = new TextEncoder().encode("no image");
  const good = await png();
  const full = fakeService({ limits: { queue: 1 } });
  using _room = full.queue.reserve(1);
  const starting = fakeService({
    state: () => "starting",
    loaded: () => undefined,
  });
  const nowhere = { headers: { host: "a b" } };
  const broken = fakeService({
    workers: { score: () => Promise.reject(new Error("broke")) },
  });
  const pages = { headers: { origin: "http://evil.example" } };
  const cases: [string, number, () => Promise<Response>][] = [
    ["/predict", 200, () => fetch("/predict", imageBody(good))],
    ["/predict", 200, () => fetch("/predict?map=png", imageBody(good))],
    ["/predict", 200, () => fetch("/predict", formBody({ a: good, b: text }))],
    [
      "/predict",
      200,
      () => fetch("/predict", imageBody(good, { accept: "image/png" })),
    ],
    ["/predict", 400, () => fetch("/predict", imageBody(new Uint8Array()))],
    ["/predict", 403, () => fetch("/predict", { method: "POST", ...pages })],
    ["/predict", 404, () => fetch("/predict?model=x", imageBody(good))],
    [
      "/predict",
      413,
      () => fetch("/predict", imageBody(new Uint8Array(30_000))),
    ],
    ["/predict", 415, () => fetch("/predict", { method: "POST" })],
    ["/predict", 422, () => fetch("/predict", imageBody(text))],
    ["/predict", 422, () => fetch("/predict", formBody({ a: text, b: text }))],
    ["/predict", 429, () => full.fetch("/predict", imageBody(good))],
    ["/predict", 500, () => broken.fetch("/predict", imageBody(good))],
    ["/predict", 503, () => starting.fetch("/predict", imageBody(good))],
    ["/models", 200, () => fetch("/models")],
    ["/models", 400, () => fetch("/models", nowhere)],
    ["/models", 503, () => starting.fetch("/models")],
    ["/health", 200, () => fetch("/health")],
    ["/health", 503, () => starting.fetch("/health")],
    ["/metrics", 200, () => fetch("/metrics")],
  ];
  for (const [path, status, answer] of cases) {
    await t.step(`${path} ${status}`, async () => {
      const response = await answer();
      assertEquals(response.status, status);
      const [operation] = Object.values(document.paths[path]) as [
        { responses: Responses },
      ];
      const described = operation.responses[status];
      assert(described, "the status is not described");
      const [media = ""] = response.headers.get("content-type")!.split(";");
      assert(media in described.content, `${media} is not described`);
      if (described.headers) assert(response.headers.has("retry-after"));
      if (media !== "application/json") return await response.body?.cancel();
      const pointer = ["paths", path, path === "/predict" ? "post" : "get"]
        .concat("responses", String(status), "content", media, "schema")
        .map((key) => key.replaceAll("/", "~1")).join("/");
      const validate = ajv.getSchema(`service#/${pointer}`);
      assert(validate, `no schema at ${pointer}`);
      const body = await response.json();
      assert(validate(body), JSON.stringify([validate.errors, body]));
      assert(!validate({ ...body, other: 1 }), "the schema allows anything");
    });
  }
});
