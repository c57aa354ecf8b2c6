import { accepts } from "./hono.ts";
import { checkFiniteResult } from "../../core/score/finite_result.ts";
import { didYouMean } from "../nearest.ts";
import { failureRecord, predictionRecord } from "../prediction_record.ts";
import type { FailureRecord, ScoredRecord } from "../prediction_record.ts";
import { Deadline } from "./deadline.ts";
import type { Inspected } from "./inspection_queue.ts";
import type { ModelSource } from "./model_source.ts";
import { HttpProblem, shortened } from "./problem.ts";
import { bodyKind, imagesOf, type UploadedImage } from "./request_images.ts";
import {
  type Handler,
  loadedModels,
  type ServiceParts,
  type Verdict,
} from "./service_parts.ts";

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

/** Query parameters of `POST /predict`. */
const PARAMETERS: readonly string[] = ["model", "map", "name"];

/** `POST /predict`: one image as the body, or a form of many. */
export function predictRoute(parts: ServiceParts): Handler {
  const { limits, queue, uploads, metrics, drift } = parts;
  return async (context) => {
    const { req } = context;
    const { models } = loadedModels(parts);
    checkParameters(new URL(req.url).searchParams);
    const name = await modelOf(req.query("model"), models);
    const map = mapKindOf(req.query("map"));
    const body = bodyKind(req.raw.headers);
    const wantsPng = accepts(context, {
      header: "Accept",
      supports: ["application/json", "image/png"],
      default: "application/json",
    }) === "image/png";
    if (wantsPng && body.kind === "form") {
      throw new HttpProblem(
        406,
        "A form cannot be answered with one PNG: send one image, or accept application/json",
      );
    }
    if (parts.state() === "stopping") throw stopping();
    queue.checkRoom(1);
    using deadline = new Deadline(limits.timeout, req.raw.signal);
    const { signal } = deadline;
    using arrived = await uploads.read(req.raw, signal);
    const images = imagesOf(arrived.bytes, body, {
      name: req.query("name") ?? "image",
      most: limits.queue,
    });
    using _room = queue.reserve(images.length);
    using model = await models.take(name, signal);
    const kind = map ?? (wantsPng ? "png" : undefined);
    const settled = await Promise.allSettled(
      images.map((image) => inspect(image, model.key, kind, signal, parts)),
    );
    const results = settled.map((result) =>
      result.status === "fulfilled" ? result.value : result.reason
    );
    count(results, name, metrics);
    for (const result of results) {
      if (isAnswer(result)) {
        drift.add({ ...model.info, name }, result.inspected);
      }
    }
    const answers = results.map(problemOf);
    const failures = answers.filter((answer) => answer instanceof HttpProblem);
    context.set("note", {
      model: name,
      images: images.length,
      ...(failures.length > 0 && { failed: failures.length }),
      results: answers.map(verdictOf),
    });
    const [first] = answers;
    if (body.kind === "image" && !(first instanceof HttpProblem)) {
      return wantsPng ? pngAnswer(first!) : Response.json(recordOf(first!));
    }
    const records = answers.map((answer, i) =>
      answer instanceof HttpProblem
        ? failureRecord(images[i]!.name, answer)
        : recordOf(answer)
    );
    if (failures.length < images.length) return Response.json(records);
    throw body.kind === "image" ? failures[0]! : allFailed(failures, records);
  };
}

/**
 * Refuses what would have no effect.
 *
 * @throws {HttpProblem} 400 naming the first such parameter.
 */
function checkParameters(parameters: URLSearchParams): void {
  const seen = new Set<string>();
  for (const name of parameters.keys()) {
    if (!PARAMETERS.includes(name)) {
      throw new HttpProblem(
        400,
        `Unknown query parameter "${shortened(name)}", expected ${
          PARAMETERS.join(", ")
        }${didYouMean(name, PARAMETERS)}`,
      );
    }
    if (seen.has(name)) {
      throw new HttpProblem(400, `Query parameter "${name}" is given twice`);
    }
    seen.add(name);
  }
}

async function inspect(
  image: UploadedImage,
  model: string,
  map: MapKind | undefined,
  signal: AbortSignal,
  { queue, pool }: ServiceParts,
): Promise<Answer> {
  return await queue.inspect({
    ...image,
    model,
    keepPixels: map === "overlay",
    signal,
    finish: async (inspected) => {
      checkFinite(inspected);
      const png = map === undefined ? undefined : await pool.encodeMap(
        inspected.map,
        inspected.image,
      );
      return { inspected, png };
    },
  });
}

/**
 * Refuses a result that says nothing: a NaN is below every threshold.
 *
 * @throws {HttpProblem} 422 if a number of it is not finite.
 */
function checkFinite({ name, score, map }: Inspected): void {
  try {
    checkFiniteResult(name, { score, map: map.data, unseen: map.unseen });
  } catch (cause) {
    throw new HttpProblem(422, (cause as Error).message);
  }
}

/** Counts every image once, by what came of it. */
function count(
  results: readonly unknown[],
  model: string,
  metrics: ServiceParts["metrics"],
): void {
  for (const result of results) {
    if (isAnswer(result)) metrics.image(model, result.inspected);
    else if (isRefusal(result)) metrics.failure(model);
  }
}

function isAnswer(result: unknown): result is Answer {
  return typeof result === "object" && result !== null && "inspected" in result;
}

/** Whether the image is to blame, not the service or its load. */
function isRefusal(error: unknown): error is HttpProblem {
  return error instanceof HttpProblem &&
    ![429, 499, 503].includes(error.status);
}

/** A result, or what went wrong with an image; what else went wrong is thrown. */
function problemOf(result: unknown): Answer | HttpProblem {
  if (isAnswer(result) || isRefusal(result)) return result;
  throw result;
}

function verdictOf(answer: Answer | HttpProblem): Verdict {
  if (answer instanceof HttpProblem) return { error: answer.message };
  const { score, label } = answer.inspected;
  return { pred_score: score, pred_label: label };
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

/** Names that a message lists, at the most. */
const MOST_NAMES = 20;

/** The name of the model that a request is for. */
async function modelOf(
  name: string | undefined,
  models: ModelSource,
): Promise<string> {
  if (name !== undefined && await models.has(name)) return name;
  const names = models.names.length > 0
    ? models.names
    : (await models.list()).map((model) => model.name);
  if (name === undefined && names.length === 1) return names[0]!;
  const more = names.length > MOST_NAMES ? ", …" : "";
  const some = names.slice(0, MOST_NAMES);
  if (name === undefined) {
    throw new HttpProblem(
      400,
      `There are several models: name one with ?model=, one of ${
        some.join(", ")
      }${more}`,
    );
  }
  throw new HttpProblem(
    404,
    `There is no model "${shortened(name)}", expected ${
      more === "" ? some.join(" or ") : `one of ${some.join(", ")}${more}`
    }${didYouMean(name, names)}`,
  );
}

function mapKindOf(text: string | undefined): MapKind | undefined {
  if (text === undefined) return undefined;
  const kind = MAP_KINDS.find((kind) => kind === text);
  if (kind !== undefined) return kind;
  throw new HttpProblem(
    400,
    `Cannot send a map as "${shortened(text)}": expected ?map=${
      MAP_KINDS.join(" or ?map=")
    }`,
  );
}

function stopping(): HttpProblem {
  return new HttpProblem(503, "The service is stopping; send it to another", {
    headers: { "retry-after": "5", connection: "close" },
  });
}
