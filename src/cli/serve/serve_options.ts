import { parseByteSize } from "../../core/settings/byte_size.ts";
import { readFile } from "../disk.ts";
import { UsageError } from "../exit.ts";
import { PRECISION_OPTION } from "../model_loading.ts";
import { AUTOTUNE_OPTION } from "../tuning_store.ts";
import type { Options, Values } from "../options.ts";
import { thresholdsOf } from "./model_thresholds.ts";
import { resultNames } from "../result_names.ts";
import type { EngineOptions } from "./engine_messages.ts";
import { isLocal } from "./guard.ts";
import type { ServiceLimits } from "./limits.ts";
import type { Address } from "./server.ts";
import { THROUGHPUT_OPTIONS, throughputOf } from "./throughput_options.ts";

/** Options of `serve`. */
export const SERVE_OPTIONS = {
  model: {
    kind: "list",
    value: "M.safetensors",
    whole: true,
    help: "a model, as fit wrote it; give it again for another one",
    fallback: "required, or --models",
  },
  models: {
    kind: "text",
    value: "FOLDER",
    help:
      "serve every model of a folder by its file's name: loaded when a request names it, freed when others need the memory, loaded anew when its file was replaced",
  },
  modelsMemory: {
    kind: "text",
    value: "SIZE",
    default: "2GiB",
    help:
      "GPU memory that the models of a folder may take, such as 512MiB or 2GB; a model that alone takes more is loaded all the same",
  },
  backbone: {
    kind: "list",
    value: "NAME|FILE.onnx",
    whole: true,
    help:
      "a backbone of the models that is neither bundled nor in the weights folder nor beside its model; give it again for another one",
  },
  threshold: {
    kind: "list",
    value: "[NAME=]X|LOW..HIGH",
    whole: true,
    fallback: "the model's",
    help:
      "judge by this threshold instead of the model's, with several models of the one of that name; with LOW..HIGH, scores from LOW to HIGH are uncertain",
  },
  precision: PRECISION_OPTION,
  noAutotune: AUTOTUNE_OPTION,
  port: {
    kind: "integer",
    min: 0,
    max: 65_535,
    default: 8080,
    help: "TCP port; 0 takes a free one",
  },
  host: {
    kind: "text",
    value: "ADDRESS",
    default: "127.0.0.1",
    help: "interface to listen on; any but this machine's own needs a token",
  },
  token: {
    kind: "text",
    value: "TOKEN",
    help:
      "bearer token that clients have to send; others on this machine can see it here",
  },
  tokenFile: {
    kind: "text",
    value: "FILE",
    help: "file with the token",
  },
  allowAnonymous: {
    kind: "flag",
    help: "listen for other machines without a token",
  },
  allowOrigin: {
    kind: "list",
    value: "ORIGIN,…",
    fallback: "none",
    help:
      "origins of web pages that may ask, such as https://line.example; * for all",
  },
  queue: {
    kind: "integer",
    min: 1,
    max: 100_000,
    unit: "images",
    default: 32,
    help: "images held at one time; beyond it clients get 429",
  },
  ...THROUGHPUT_OPTIONS,
  maxBytes: {
    kind: "text",
    value: "SIZE",
    default: "20MiB",
    help: "largest body of a request, in bytes, or with KiB, MiB or GiB",
  },
  maxPixels: {
    kind: "integer",
    min: 1,
    max: 1e9,
    unit: "pixels",
    default: 25e6,
    help: "largest image, width × height",
  },
  timeout: {
    kind: "number",
    min: 0,
    above: true,
    max: 86_400,
    unit: "seconds",
    default: 30,
    help: "longest time from a request to its answer",
  },
} as const satisfies Options;

/** Bodies that may arrive at one time, for each image of the queue. */
const BODIES = 4;
/** Seconds of silence after which a body is given up. */
const IDLE = 5;
/** Bytes a second that a body has to come with in the end. */
const PACE = 16 * 1024;

/** What `serve` was asked for. */
export interface ServiceOptions {
  /** What the GPU's thread loads. */
  readonly engine: EngineOptions;
  /** What the service accepts. */
  readonly limits: ServiceLimits;
  /** A folder whose models are loaded when they are asked for. */
  readonly folder?: {
    /** Path of the folder. */
    readonly path: string;
    /** GPU bytes that its models may take. */
    readonly memory: number;
  };
  /** Where it listens. */
  readonly address: Address;
  /** Whether it listens for this machine only. */
  readonly localOnly: boolean;
  /** The token that clients send. */
  readonly token: string | undefined;
  /** Origins whose pages may ask, `*` for all of them. */
  readonly origins: readonly string[];
}

/**
 * Understands the options of `serve`.
 *
 * @throws {UsageError} If they do not go together.
 */
export async function serviceOptions(
  values: Values<typeof SERVE_OPTIONS>,
): Promise<ServiceOptions> {
  const { model: paths = [], host, port } = values;
  if (values.models !== undefined && paths.length > 0) {
    throw new UsageError(
      "Give either --model or --models: a folder has its models loaded when they are asked for",
    );
  }
  if (values.models !== undefined && values.threshold !== undefined) {
    throw new UsageError(
      "Cannot use --threshold with --models: each model has its own; change it with calibrate",
    );
  }
  if (values.models === undefined && paths.length === 0) {
    throw new UsageError(
      "Option --model M.safetensors is missing: a model, as fit wrote it",
    );
  }
  if (new Set(paths).size < paths.length) {
    throw new UsageError("Cannot serve a model twice: give each --model once");
  }
  const { batch, decoders } = throughputOf(values);
  const token = await tokenOf(values);
  const localOnly = isLocal(host);
  if (!localOnly && token === undefined && !values.allowAnonymous) {
    throw new UsageError(
      `Refused to listen on "${host}" without a token: other machines could use it; give --token-file FILE, or --allow-anonymous if that is wanted`,
    );
  }
  const names = resultNames(paths);
  const thresholds = thresholdsOf(values.threshold, names);
  const maxBytes = bytesOf("--max-bytes", values.maxBytes);
  return {
    engine: {
      models: paths.map((path, i) => {
        const change = thresholds.get(names[i]!);
        return { name: names[i]!, path, ...(change && { thresholds: change }) };
      }),
      backbone: values.backbone,
      precision: values.precision,
      noAutotune: values.noAutotune,
      batch,
    },
    limits: {
      queue: values.queue,
      batch,
      decoders,
      maxBytes,
      bodies: BODIES * values.queue,
      bodyBytes: values.queue * maxBytes,
      idle: IDLE,
      pace: PACE,
      maxPixels: values.maxPixels,
      timeout: values.timeout,
    },
    ...(values.models !== undefined && {
      folder: {
        path: values.models,
        memory: memoryOf(values.modelsMemory),
      },
    }),
    address: { host, port },
    localOnly: localOnly && token === undefined,
    token,
    origins: (values.allowOrigin ?? []).map(originOf),
  };
}

function memoryOf(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  throw new UsageError(
    `Cannot use --models-memory "${text}": expected a size such as 512MiB or 2GB`,
  );
}

/** An origin as browsers write it. */
function originOf(text: string): string {
  if (text === "*" || URL.parse(text)?.origin === text) return text;
  throw new UsageError(
    `Cannot use --allow-origin "${text}": expected an origin without a path, such as https://line.example or http://localhost:3000, or *`,
  );
}

async function tokenOf(
  { token, tokenFile }: Pick<
    Values<typeof SERVE_OPTIONS>,
    "token" | "tokenFile"
  >,
): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined) {
    throw new UsageError("Give either --token or --token-file, not both");
  }
  const text = tokenFile === undefined
    ? token
    : new TextDecoder().decode(await readFile(tokenFile)).trim();
  if (text === undefined || /^[A-Za-z0-9._~+/-]+=*$/.test(text)) return text;
  throw new UsageError(
    `Cannot use the token${
      tokenFile === undefined ? "" : ` in "${tokenFile}"`
    }: expected letters, digits and - . _ ~ + /, without spaces`,
  );
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Bytes of a size such as `20MiB`. */
function bytesOf(name: string, text: string): number {
  const [, digits = "", unit = ""] = /^(\d+) *([KMG]iB)?$/.exec(text) ?? [];
  const bytes = digits === "" ? NaN : Number(digits) * UNITS[unit]!;
  if (bytes >= 1 && bytes <= UNITS["GiB"]!) return bytes;
  throw new UsageError(
    `Cannot use ${name} "${text}": expected a number of bytes up to 1GiB, such as 20MiB`,
  );
}
