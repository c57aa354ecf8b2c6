import { accepts } from "hono/accepts";
import { didYouMean } from "../nearest.ts";
import { failureRecord, predictionRecord } from "../prediction_record.ts";
import type { FailureRecord, ScoredRecord } from "../prediction_record.ts";
import { Deadline } from "./deadline.ts";
import type { Inspected } from "./inspection_queue.ts";
import type { ModelInfo } from "./model_info.ts";
import { HttpProblem } from "./problem.ts";
import { readUpload, type UploadedImage } from "./request_images.ts";
import type { Handler, ServiceParts } from "./service_parts.ts";

/** What `?map=` may ask for. */
const MAP_KINDS = ["png", "overlay"] as const;

type MapKind = typeof MAP_KINDS[number];

/** What `POST /predict` answers of an image: `predict --json`, and the map. */
type ServedRecord =
  & ScoredRecord
  & { readonly map: { readonly png?: string } };

interface Answer {
  readonly inspected: Inspected;
  readonly png: Uint8Array<ArrayBuffer> | undefined;
}

/** `POST /predict`: one image as the body, or a form of many. */
export function predictRoute(parts: ServiceParts): Handler {
  const { limits, queue, metrics, models } = parts;
  return async (context) => {
    const { req } = context;
    const model = modelOf(req.query("model"), models);
    const map = mapKindOf(req.query("map"));
    const wantsPng = accepts(context, {
      header: "Accept",
      supports: ["application/json", "image/png"],
      default: "application/json",
    }) === "image/png";
    if (parts.state() === "stopping") throw stopping();
    using room = queue.reserve();
    using deadline = new Deadline(limits.timeout, req.raw.signal);
    const { signal } = deadline;
    const { single, images } = await readUpload(req.raw, {
      maxBytes: limits.maxBytes,
      maxImages: limits.queue,
      name: req.query("name") ?? "image",
      signal,
    });
    if (wantsPng && !single) {
      throw new HttpProblem(
        406,
        "A form cannot be answered with one PNG: send one image, or accept application/json",
      );
    }
    room.grow(images.length);
    const kind = map ?? (wantsPng ? "png" : undefined);
    const results = await Promise.allSettled(
      images.map((image) => inspect(image, model, kind, signal, parts)),
    );
    const answers = results.map((result) =>
      result.status === "fulfilled" ? result.value : problemOf(result.reason)
    );
    const failures = answers.filter((answer) => answer instanceof HttpProblem);
    for (const _ of failures) metrics.failure(model.name);
    context.set("note", {
      model: model.name,
      images: images.length,
      ...(failures.length > 0 && { failed: failures.length }),
    });
    const [first] = answers;
    if (single && !(first instanceof HttpProblem)) {
      return wantsPng ? pngAnswer(first!) : Response.json(recordOf(first!));
    }
    const records = answers.map((answer, i) =>
      answer instanceof HttpProblem
        ? failureRecord(images[i]!.name, answer)
        : recordOf(answer)
    );
    if (failures.length < images.length) return Response.json(records);
    throw single ? failures[0]! : allFailed(failures, records);
  };
}

async function inspect(
  image: UploadedImage,
  model: ModelInfo,
  map: MapKind | undefined,
  signal: AbortSignal,
  { queue, pool, metrics }: ServiceParts,
): Promise<Answer> {
  return await queue.inspect({
    ...image,
    model: model.name,
    keepPixels: map === "overlay",
    signal,
    finish: async (inspected) => {
      metrics.image(model.name, inspected);
      const png = map === undefined ? undefined : await pool.encodeMap(
        inspected.map,
        inspected.image,
      );
      return { inspected, png };
    },
  });
}

/** What went wrong as a problem of the request; what did not is thrown. */
function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem && ![429, 499, 503].includes(error.status)) {
    return error;
  }
  throw error;
}

function allFailed(
  failures: readonly HttpProblem[],
  records: readonly (ServedRecord | FailureRecord)[],
): HttpProblem {
  const [first] = failures;
  return new HttpProblem(
    failures.every(({ status }) => status === first!.status)
      ? first!.status
      : 422,
    failures.length === 1
      ? first!.message
      : `None of the ${failures.length} images could be used; "images" tells why`,
    { images: records as readonly FailureRecord[] },
  );
}

function recordOf({ inspected, png }: Answer): ServedRecord {
  const record = predictionRecord(inspected, undefined);
  return png === undefined
    ? record
    : { ...record, map: { ...record.map, png: png.toBase64() } };
}

function pngAnswer({ inspected, png }: Answer): Response {
  const { score, label, threshold } = inspected;
  return new Response(png!, {
    headers: {
      "content-type": "image/png",
      "x-pred-score": String(score),
      ...label !== null && { "x-pred-label": label },
      ...threshold !== null && { "x-threshold": String(threshold) },
    },
  });
}

function modelOf(
  name: string | undefined,
  models: readonly ModelInfo[],
): ModelInfo {
  const names = models.map((model) => model.name);
  if (name === undefined) {
    if (models.length === 1) return models[0]!;
    throw new HttpProblem(
      400,
      `There are several models: name one with ?model=, one of ${
        names.join(", ")
      }`,
    );
  }
  const model = models.find((model) => model.name === name);
  if (model !== undefined) return model;
  throw new HttpProblem(
    404,
    `There is no model "${name}", expected ${names.join(" or ")}${
      didYouMean(name, names)
    }`,
  );
}

function mapKindOf(text: string | undefined): MapKind | undefined {
  if (text === undefined) return undefined;
  const kind = MAP_KINDS.find((kind) => kind === text);
  if (kind !== undefined) return kind;
  throw new HttpProblem(
    400,
    `Cannot send a map as "${text}": expected ?map=${
      MAP_KINDS.join(" or ?map=")
    }`,
  );
}

function stopping(): HttpProblem {
  return new HttpProblem(503, "The service is stopping; send it to another", {
    headers: { "retry-after": "5", connection: "close" },
  });
}
