import { assert, assertMatch } from "@std/assert";
import { decodeImage, resolveSettings } from "../../../src/core/mod.ts";
import { createApp, type ServiceHandler } from "../../../src/cli/serve/app.ts";
import {
  checkImage,
  imageProblem,
} from "../../../src/cli/serve/check_image.ts";
import {
  type DecodedImage,
  type Inspected,
  InspectionQueue,
  type QueueWorkers,
} from "../../../src/cli/serve/inspection_queue.ts";
import type { ServiceLimits } from "../../../src/cli/serve/limits.ts";
import { Metrics } from "../../../src/cli/serve/metrics.ts";
import type { ModelInfo } from "../../../src/cli/serve/model_info.ts";
import { fixedModels } from "../../../src/cli/serve/model_source.ts";
import type {
  AccessEntry,
  ServiceParts,
} from "../../../src/cli/serve/service_parts.ts";
import { NO_FILES } from "../../../src/cli/serve/static_files.ts";
import { Uploads } from "../../../src/cli/serve/uploads.ts";
import { encodePng } from "../../../src/core/images/png.ts";

/** Limits small enough to run into. */
export const SMALL_LIMITS: ServiceLimits = {
  queue: 4,
  batch: 2,
  decoders: 1,
  maxBytes: 20_000,
  bodies: 8,
  bodyBytes: 80_000,
  idle: 5,
  pace: 1000,
  maxPixels: 10_000,
  timeout: 5,
};

/** A service without a GPU: every score is the image's width / 10. */
export interface FakeService {
  /** Answers a request for `path`. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** The handler itself. */
  readonly handler: ServiceHandler;
  /** What was written down. */
  readonly entries: AccessEntry[];
  /** Errors of the service itself. */
  readonly errors: Error[];
  /** Sizes of the batches, as `model:images`. */
  readonly batches: string[];
  /** The queue. */
  readonly queue: InspectionQueue;
  /** Bodies on their way. */
  readonly uploads: Uploads;
}

/** A model that takes 16 × 16 pixels of square images. */
export function fakeModel(name: string): ModelInfo {
  return {
    name,
    sha256: "0".repeat(64),
    threshold: 2,
    uncertain_from: null,
    min_area: null,
    input: { width: 16, height: 16 },
    members: [{
      backbone: "fake",
      backbone_sha256: "0".repeat(64),
      bank_rows: 10,
      dim: 8,
    }],
    images: 3,
    training_scores: null,
    promised_false_alarms: null,
    settings: resolveSettings({ resize: 16, crop: null }),
    software_version: "0.1.0",
  };
}

/** A service of fake models. */
export function fakeService(
  options:
    & Partial<
      Pick<
        ServiceParts,
        | "state"
        | "token"
        | "localOnly"
        | "files"
        | "pool"
        | "loaded"
        | "origins"
      >
    >
    & {
      readonly models?: readonly string[];
      readonly limits?: Partial<ServiceLimits>;
      readonly workers?: Partial<QueueWorkers>;
    } = {},
): FakeService {
  const { models: names = ["part"], state = () => "ok" } = options;
  const limits = { ...SMALL_LIMITS, ...options.limits };
  const [entries, errors, batches]: [AccessEntry[], Error[], string[]] = [
    [],
    [],
    [],
  ];
  const queue = new InspectionQueue(limits, {
    decode: async ({ bytes, name, model }) => {
      checkImage({ bytes, name }, fakeModel(model), limits.maxPixels);
      return await decodeImage(bytes, name).catch((error) => {
        throw imageProblem(error);
      });
    },
    score: (model, images) => {
      batches.push(`${model}:${images.length}`);
      return Promise.resolve(images.map(inspected));
    },
    ...options.workers,
  });
  const uploads = new Uploads(limits);
  const handler = createApp({
    loaded: options.loaded ??
      (() => ({
        models: fixedModels(names.map(fakeModel)),
        adapter: "none",
      })),
    queue,
    uploads,
    pool: options.pool ?? {
      encodeMap: ({ width, height, data, threshold }) =>
        encodePng({
          width,
          height,
          grey: Uint8Array.from(data, (v) => v / threshold!),
        }),
    },
    limits,
    state,
    metrics: new Metrics({
      images: () => queue.images,
      limit: limits.queue,
      memory: () => 1,
      models: names,
    }),
    drift: { add(): void {} },
    token: options.token,
    localOnly: options.localOnly ?? true,
    origins: options.origins ?? [],
    files: options.files ?? NO_FILES,
    onAnswer: (entry) => entries.push(entry),
    onError: (error) => errors.push(error),
  });
  const fetch = (path: string, init?: RequestInit): Promise<Response> =>
    handler(new Request(`http://localhost:8080${path}`, init));
  return { fetch, handler, entries, errors, batches, queue, uploads };
}

/** The fake result of an image. */
export function inspected({ name, pixels }: DecodedImage): Inspected {
  const { width, height } = pixels;
  const score = width / 10;
  const box = { x: 0, y: 0, width: 4, height: 4 };
  return {
    name,
    score,
    normalizedScore: score / 2,
    label: score >= 2 ? "anomalous" : "normal",
    threshold: 2,
    uncertainFrom: null,
    worstPatch: { ...box, nearest: { image: "good/0.png", box } },
    map: {
      width: 16,
      height: 16,
      data: new Float32Array(256).fill(1),
      threshold: 2,
      geometry: {
        width,
        height,
        left: 0,
        top: 0,
        right: width,
        bottom: height,
      },
    },
    ms: { decode: 0, trunk: 1, patches: 1, search: 1, map: 1, total: 5 },
  };
}

/** A grey PNG. */
export async function png(
  width = 16,
  height = width,
): Promise<Uint8Array<ArrayBuffer>> {
  const grey = new Uint8Array(width * height).fill(128);
  return await encodePng({ width, height, grey });
}

/** What a PNG of so many pixels begins with, to its end marker. */
export async function hugePng(side: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await png();
  const view = new DataView(bytes.buffer);
  view.setUint32(16, side);
  view.setUint32(20, side);
  return bytes;
}

/** A request with an image as its body. */
export function imageBody(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "image/png", ...headers },
    body: bytes,
  };
}

/** A request with a form of files, by name. */
export function formBody(
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
): RequestInit {
  const form = new FormData();
  for (const [name, bytes] of Object.entries(files)) {
    form.append("image", new File([bytes], name));
  }
  return { method: "POST", body: form };
}

/** The sentence of a refusal; fails unless it is one. */
export async function problem(response: Response): Promise<string> {
  const { error } = await response.json();
  assertMatch(error, /^[A-Z].*[^.]$/);
  assert(!error.includes("\n"), error);
  return error;
}
