import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
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
  });
  assert(Number.isFinite(Date.parse(time)) && ms >= 0);
});
