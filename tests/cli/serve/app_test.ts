import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { HttpProblem } from "../../../src/cli/serve/problem.ts";
import { fakeService, imageBody, png, problem } from "./fake_service.ts";

Deno.test("a token is asked for, but not with health, description and page", async () => {
  const page = new TextEncoder().encode("<!doctype html>");
  const { fetch } = fakeService({
    token: "s3cret",
    files: (path) =>
      path === "/" ? { type: "text/html", bytes: page } : undefined,
  });
  const status = async (path: string, authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    return (await fetch(path, { headers })).status;
  };
  for (const path of ["/models", "/metrics"]) {
    assertEquals(await status(path), 401);
    assertEquals(await status(path, "Bearer other"), 401);
    assertEquals(await status(path, "Basic czNjcmV0"), 401);
    assertEquals(await status(path, "Bearer s3cret"), 200);
  }
  for (const path of ["/health", "/openapi.json", "/"]) {
    assertEquals(await status(path), 200);
  }
  const refused = await fetch("/predict", imageBody(await png()));
  assertEquals(refused.status, 401);
  assertMatch(refused.headers.get("www-authenticate")!, /^Bearer/);
  await problem(refused);
});

Deno.test("requests of foreign pages and host names are refused", async () => {
  const { fetch, handler } = fakeService();
  const foreign = { headers: { origin: "http://evil.example" } };
  assertEquals((await fetch("/models", foreign)).status, 403);
  const own = { headers: { origin: "http://localhost:8080" } };
  assertEquals((await fetch("/models", own)).status, 200);
  const rebound = new Request("http://evil.example:8080/models");
  assertEquals((await handler(rebound)).status, 403);
  const open = fakeService({ localOnly: false });
  assertEquals((await open.handler(rebound)).status, 200);
});

Deno.test.each([
  "a b",
  "a/b",
  "user@host",
  "host?x",
  "[::1",
  "host:99999",
  "one, two",
  "\\",
])("a request for host %j is refused with 400", async (host) => {
  for (const localOnly of [true, false]) {
    const { fetch, entries } = fakeService({ localOnly });
    const response = await fetch("/health", { headers: { host } });
    assertEquals(response.status, 400);
    assertStringIncludes(await problem(response), `"${host}" names no host`);
    assertEquals(entries.length, 1);
  }
});

Deno.test.each(["accept", "content-type", "origin", "x-other"])(
  "a request is refused when its header %s is longer than needed",
  async (name) => {
    const { fetch, uploads } = fakeService();
    const body = imageBody(await png(), { [name]: ",".repeat(9000) });
    const response = await fetch("/predict", body);
    assertEquals(response.status, 431);
    assertStringIncludes(await problem(response), `"${name}" has 9000`);
    assertEquals(uploads.bytes, 0);
  },
);

Deno.test("hosts are compared as URLs have them", async () => {
  const { fetch } = fakeService();
  const ask = async (host: string, origin: string) =>
    (await fetch("/models", { headers: { host, origin } })).status;
  assertEquals(await ask("LOCALHOST:80", "http://localhost"), 200);
  assertEquals(await ask("[::1]:8080", "http://[0::1]:8080"), 200);
  assertEquals(await ask("localhost:8080", "http://localhost"), 403);
});

Deno.test("--allow-origin lets pages of that origin ask, others not", async () => {
  const line = "https://line.example";
  const { fetch } = fakeService({ origins: [line], token: "s3cret" });
  const preflight = await fetch("/predict", {
    method: "OPTIONS",
    headers: {
      origin: line,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });
  assertEquals(preflight.status, 204);
  const allowed = (response: Response) =>
    response.headers.get("access-control-allow-origin");
  assertEquals(allowed(preflight), line);
  assertEquals(
    preflight.headers.get("access-control-allow-headers"),
    "authorization,content-type",
  );
  const ask = async (origin: string, token: string) =>
    await fetch("/predict", {
      ...imageBody(await png(), { origin, authorization: `Bearer ${token}` }),
    });
  const answer = await ask(line, "s3cret");
  assertEquals([answer.status, allowed(answer)], [200, line]);
  assertStringIncludes(answer.headers.get("vary")!, "Origin");
  assertStringIncludes(
    answer.headers.get("access-control-expose-headers")!,
    "x-pred-score",
  );
  const refused = await ask(line, "other");
  assertEquals([refused.status, allowed(refused)], [401, line]);
  for (const origin of ["https://line.example.evil", "null"]) {
    const foreign = await ask(origin, "s3cret");
    assertEquals([foreign.status, allowed(foreign)], [403, null]);
  }
  const open = fakeService({ origins: ["*"] });
  const any = await open.fetch("/models", { headers: { origin: "null" } });
  assertEquals([any.status, allowed(any)], [200, "null"]);
  const closed = fakeService();
  const headers = { origin: "http://localhost:8080" };
  assertEquals(allowed(await closed.fetch("/models", { headers })), null);
});

Deno.test("a starting service answers 503 and when to come back", async () => {
  const { fetch, uploads } = fakeService({
    state: () => "starting",
    loaded: () => undefined,
  });
  for (const path of ["/models", "/"]) {
    const response = await fetch(path);
    assertEquals(response.status, 503);
    assertEquals(response.headers.get("retry-after"), "2");
    assertStringIncludes(await problem(response), "is starting");
  }
  const image = await fetch("/predict", imageBody(await png()));
  assertEquals(image.status, 503);
  assertEquals(uploads.bodies, 0);
  const { adapter, models } = await (await fetch("/health")).json();
  assertEquals([adapter, models], [null, []]);
  assertEquals((await fetch("/metrics")).status, 200);
});

Deno.test("GET /health tells the state, with 503 unless it is ok", async () => {
  for (const state of ["ok", "starting", "stalled", "stopping"] as const) {
    const response = await fakeService({ state: () => state }).fetch("/health");
    assertEquals(response.status, state === "ok" ? 200 : 503);
    assertEquals((await response.json()).status, state);
  }
});

Deno.test("a stopping service refuses new images", async () => {
  const { fetch } = fakeService({ state: () => "stopping" });
  const response = await fetch("/predict", imageBody(await png()));
  assertEquals(response.status, 503);
  await problem(response);
});

Deno.test("other methods and paths are refused by name", async () => {
  const { fetch } = fakeService();
  const put = await fetch("/predict", { method: "PUT" });
  assertEquals([put.status, put.headers.get("allow")], [405, "POST"]);
  assertStringIncludes(await problem(put), "use POST");
  const none = await fetch("/nothing");
  assertEquals(none.status, 404);
  await problem(none);
  assertEquals((await fetch("/health", { method: "HEAD" })).status, 200);
});

Deno.test("every answer is counted and written down, without what was in it", async () => {
  const { fetch, entries } = fakeService();
  await fetch("/predict?name=secret.png", imageBody(await png()));
  await fetch("/predict", imageBody(await png(24)));
  await fetch("/predict", imageBody(new Uint8Array([1, 2])));
  const text = await (await fetch("/metrics")).text();
  for (
    const line of [
      'patchcore_requests_total{route="/predict",status="200"} 2',
      'patchcore_requests_total{route="/predict",status="422"} 1',
      'patchcore_images_total{model="part",outcome="normal"} 1',
      'patchcore_images_total{model="part",outcome="anomalous"} 1',
      'patchcore_images_total{model="part",outcome="failed"} 1',
      'patchcore_score_ratio_count{model="part"} 2',
      "patchcore_queue_images 0",
      "patchcore_queue_limit_images 4",
    ]
  ) assertStringIncludes(text, line);
  assertEquals(entries.length, 4);
  const { time, ms, ...rest } = entries[0]!;
  assertEquals(rest, {
    method: "POST",
    path: "/predict",
    status: 200,
    model: "part",
    images: 1,
    results: [{ pred_score: 1.6, pred_label: "normal" }],
  });
  assert(Number.isFinite(Date.parse(time)) && ms >= 0);
});

Deno.test("HttpProblem is one line, whatever the client calls its image", () => {
  const { message } = new HttpProblem(422, 'Cannot score image "a\r\nb\0"');
  assertEquals(message, 'Cannot score image "a\\r\\nb\\x00"');
});
