import { type Context, Hono, HTTPException } from "./hono.ts";
import { VERSION } from "../../core/settings/version.ts";
import {
  allowOrigins,
  refuseForeign,
  refuseLongHeaders,
  requireToken,
} from "./guard.ts";
import { openApi } from "./openapi.ts";
import { predictRoute } from "./predict_route.ts";
import { HttpProblem, shortened } from "./problem.ts";
import {
  type Handler,
  loadedModels,
  type RequestEnv,
  type ServiceParts,
  type ServiceState,
} from "./service_parts.ts";
import { fileResponse } from "./static_files.ts";

/** Answers requests; the server's own matter is only where they come from. */
export type ServiceHandler = (
  request: Request,
  client?: string,
) => Promise<Response>;

/** The service as a function from requests to answers. */
export function createApp(parts: ServiceParts): ServiceHandler {
  const { metrics, token, files, origins } = parts;
  const app = new Hono<RequestEnv>();
  app.use(observe(parts));
  app.use(refuseLongHeaders());
  app.use(refuseForeign(parts));
  if (origins.length > 0) app.use(allowOrigins(origins));
  if (token !== undefined) {
    for (const path of ["/predict", "/models", "/metrics"]) {
      app.use(path, requireToken(token));
    }
  }
  app.onError((error, context) => answerTo(error, context, parts));
  route(app, "GET", "/health", (context) => {
    const state = parts.state();
    return context.json(health(state, parts), state === "ok" ? 200 : 503);
  });
  route(
    app,
    "GET",
    "/models",
    async (context) =>
      context.json({ models: await loadedModels(parts).models.list() }),
  );
  route(app, "GET", "/metrics", async () =>
    new Response(await metrics.text(), {
      headers: { "content-type": metrics.type },
    }));
  const description = openApi(parts.limits, token !== undefined);
  route(app, "GET", "/openapi.json", (context) => context.json(description));
  route(app, "POST", "/predict", predictRoute(parts));
  app.get("*", async ({ req }) => {
    loadedModels(parts);
    const file = await files(req.path);
    if (file !== undefined) return fileResponse(file);
    throw notFound(req.path);
  });
  app.notFound(({ req }) => notFound(req.path).response());
  return async (request, client) =>
    await app.fetch(request, client === undefined ? {} : { client });
}

/** Answers a path's method, and tells other methods which one it is. */
function route(
  app: Hono<RequestEnv>,
  method: "GET" | "POST",
  path: string,
  handler: Handler,
): void {
  app.use(path, async (context, next) => {
    context.set("route", path);
    await next();
  });
  app.on(method, path, handler);
  app.all(path, ({ req }) => {
    throw new HttpProblem(
      405,
      `${req.method} ${path} is not possible: use ${method}`,
      { headers: { allow: method === "GET" ? "GET, HEAD" : method } },
    );
  });
}

function notFound(path: string): HttpProblem {
  return new HttpProblem(
    404,
    `There is nothing at "${shortened(path)}"; see /openapi.json`,
  );
}

/** What `GET /health` answers. */
function health(
  status: ServiceState,
  { loaded, queue, limits }: ServiceParts,
): Record<string, unknown> {
  const { models, adapter = null } = loaded() ?? {};
  return {
    status,
    version: VERSION,
    adapter,
    models: models?.names ?? [],
    queue: { images: queue.images, limit: limits.queue },
  };
}

/** Counts and writes down every answer. */
function observe(
  { metrics, onAnswer }: ServiceParts,
): (
  context: Context<RequestEnv>,
  next: () => Promise<void>,
) => Promise<void> {
  return async (context, next) => {
    const start = performance.now();
    const time = new Date().toISOString();
    context.set("route", "other");
    context.set("note", {});
    await next();
    context.header("x-content-type-options", "nosniff");
    const ms = performance.now() - start;
    const { status } = context.res;
    metrics.request(context.get("route"), status, ms / 1000);
    const { client } = context.env;
    onAnswer({
      time,
      method: context.req.method,
      path: shortened(context.req.path),
      status,
      ms: Math.round(ms * 10) / 10,
      ...(client !== undefined && { client }),
      ...context.get("note"),
    });
  };
}

function answerTo(
  error: Error,
  context: Context<RequestEnv>,
  { onError }: ServiceParts,
): Response {
  if (error instanceof HTTPException) return error.getResponse();
  if (error instanceof HttpProblem) {
    context.set("note", { ...context.get("note"), error: error.message });
    return error.response();
  }
  onError(error);
  return new HttpProblem(
    500,
    "The service failed to answer; its log tells why",
  ).response();
}
