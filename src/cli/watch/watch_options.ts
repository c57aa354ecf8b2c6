import type { ThresholdChange } from "../../core/mod.ts";
import { parseByteSize } from "../../core/settings/byte_size.ts";
import { environmentVariable } from "../environment.ts";
import { UsageError } from "../exit.ts";
import { PRECISION_OPTION } from "../model_loading.ts";
import type { Options, Values } from "../options.ts";
import { MAX_PIXELS_OPTION } from "../read_pixels.ts";
import {
  THROUGHPUT_OPTIONS,
  throughputOf,
} from "../serve/throughput_options.ts";
import { parseThresholds } from "../threshold_options.ts";
import { AUTOTUNE_OPTION } from "../tuning_store.ts";
import { brokerUrl, publishedTopic } from "./mqtt.ts";
import { secretBytes, webhookUrl } from "./webhook.ts";

/** Options of `watch`. */
export const WATCH_OPTIONS = {
  out: {
    kind: "text",
    value: "DIR",
    required: true,
    help:
      "folder of the audit and of the sorted images; a run that is started again with it goes on where it was",
  },
  model: {
    kind: "text",
    value: "M.safetensors",
    help:
      "the model, as fit wrote it, for all images; this or --models is required",
  },
  models: {
    kind: "text",
    value: "FOLDER",
    help:
      "models by sub-folder: images in DIR/NAME are inspected with FOLDER/NAME.safetensors, loaded when the first one comes and loaded anew when it was replaced",
  },
  modelsMemory: {
    kind: "text",
    value: "SIZE",
    default: "2GiB",
    help:
      "GPU memory that the models of a folder may take, such as 512MiB or 2GB",
  },
  backbone: {
    kind: "list",
    value: "NAME|FILE.onnx",
    whole: true,
    help:
      "a backbone of the models that is neither bundled nor in the weights folder nor beside its model; give it again for another one",
  },
  threshold: {
    kind: "text",
    value: "X|LOW..HIGH",
    help:
      "judge by this threshold instead of the model's; with LOW..HIGH, scores from LOW to HIGH are uncertain",
  },
  sort: {
    kind: "choice",
    choices: ["copy", "link", "off"],
    default: "copy",
    help:
      "put each image into the folder ok, nok, uncertain or error of --out, as a copy or as a second name of the same file",
  },
  onAnomaly: {
    kind: "text",
    value: "PROGRAM",
    help:
      "run a program, without a shell, for each image that is not normal: its path is the argument, PATCHCORE_VERDICT, PATCHCORE_SCORE and PATCHCORE_RECORD tell the rest",
  },
  onAnomalySeconds: {
    kind: "number",
    min: 0,
    above: true,
    max: 3600,
    unit: "seconds",
    default: 30,
    help: "longest time that this program may take before it is ended",
  },
  webhook: {
    kind: "text",
    value: "URL",
    help: "send each verdict as JSON in a POST request, until it is accepted",
  },
  webhookSecretEnv: {
    kind: "text",
    value: "NAME",
    help:
      "environment variable with the secret that requests are signed with (HMAC-SHA256, as Standard Webhooks says)",
  },
  mqtt: {
    kind: "text",
    value: "URL",
    help:
      "publish each verdict as JSON at an MQTT broker with quality of service 1, such as mqtt://line.example",
  },
  mqttTopic: {
    kind: "text",
    value: "TOPIC",
    default: "patchcore/verdicts",
    help: "topic that verdicts are published under",
  },
  mqttPasswordEnv: {
    kind: "text",
    value: "NAME",
    help:
      "environment variable with the password that goes with the name in the broker's address",
  },
  interval: {
    kind: "number",
    min: 0.05,
    max: 3600,
    unit: "seconds",
    default: 0.5,
    help:
      "time between two looks at the folder; a file that is the same in both is complete",
  },
  patience: {
    kind: "number",
    min: 0,
    max: 86_400,
    unit: "seconds",
    default: 10,
    help:
      "how long a file that cannot be read is tried again before it is recorded as an error",
  },
  ...THROUGHPUT_OPTIONS,
  maxPixels: MAX_PIXELS_OPTION,
  precision: PRECISION_OPTION,
  noAutotune: AUTOTUNE_OPTION,
} as const satisfies Options;

/** Where the models of a run are. */
export type WatchModels =
  | {
    /** One model for all images. */
    readonly kind: "one";
    /** Its file. */
    readonly path: string;
    /** Thresholds to judge by instead of its own. */
    readonly thresholds: ThresholdChange | undefined;
  }
  | {
    /** A model for each folder of images. */
    readonly kind: "folder";
    /** The folder of the models. */
    readonly path: string;
    /** GPU bytes that they may take. */
    readonly memory: number;
  };

/** What `watch` was asked for. */
export interface WatchPlan {
  /** The folder that is watched. */
  readonly folder: string;
  /** The folder of the audit. */
  readonly out: string;
  /** What images are inspected with. */
  readonly models: WatchModels;
  /** Backbones beside those that the models find. */
  readonly backbone: readonly string[] | undefined;
  /** How their weights are stored. */
  readonly precision: "f32" | "f16";
  /** Whether the default kernels are kept. */
  readonly noAutotune: boolean;
  /** Images of the largest batch. */
  readonly batch: number;
  /** Threads that decode. */
  readonly decoders: number;
  /** The most pixels of an image. */
  readonly maxPixels: number;
  /** Seconds between two looks. */
  readonly interval: number;
  /** Seconds in which an image that cannot be read is tried again. */
  readonly patience: number;
  /** How images are sorted. */
  readonly sort: "copy" | "link" | "off";
  /** A program that is run for each image that is not normal. */
  readonly command:
    | { readonly program: string; readonly seconds: number }
    | undefined;
  /** Where verdicts are sent. */
  readonly webhook:
    | {
      readonly url: URL;
      readonly secret: Uint8Array<ArrayBuffer> | undefined;
    }
    | undefined;
  /** Where verdicts are published. */
  readonly mqtt:
    | {
      readonly url: URL;
      readonly topic: string;
      readonly password: string | undefined;
    }
    | undefined;
}

/**
 * Understands the options of `watch`.
 *
 * @throws {UsageError} If they do not go together.
 */
export function watchPlan(
  folder: string,
  values: Values<typeof WATCH_OPTIONS>,
): WatchPlan {
  return {
    folder,
    out: values.out,
    models: modelsOf(values),
    backbone: values.backbone,
    precision: values.precision,
    noAutotune: values.noAutotune,
    ...throughputOf(values),
    maxPixels: values.maxPixels,
    interval: values.interval,
    patience: values.patience,
    sort: values.sort,
    command: values.onAnomaly === undefined ? undefined : {
      program: values.onAnomaly,
      seconds: values.onAnomalySeconds,
    },
    webhook: webhookOf(values),
    mqtt: mqttOf(values),
  };
}

function modelsOf(
  { model, models, modelsMemory, threshold }: Values<typeof WATCH_OPTIONS>,
): WatchModels {
  if (model !== undefined && models !== undefined) {
    throw new UsageError(
      "Give either --model, for all images, or --models, by sub-folder",
    );
  }
  if (model !== undefined) {
    const thresholds = threshold === undefined
      ? undefined
      : parseThresholds("--threshold", threshold);
    return { kind: "one", path: model, thresholds };
  }
  if (models === undefined) {
    throw new UsageError(
      "Option --model M.safetensors is missing: a model, as fit wrote it, or --models FOLDER",
    );
  }
  if (threshold !== undefined) {
    throw new UsageError(
      "Cannot use --threshold with --models: each model has its own; change it with calibrate",
    );
  }
  const memory = parseByteSize(modelsMemory);
  if (memory !== undefined) return { kind: "folder", path: models, memory };
  throw new UsageError(
    `Cannot use --models-memory "${modelsMemory}": expected a size such as 512MiB or 2GB`,
  );
}

function webhookOf(
  { webhook, webhookSecretEnv: variable }: Values<typeof WATCH_OPTIONS>,
): WatchPlan["webhook"] {
  if (webhook === undefined) {
    if (variable === undefined) return undefined;
    throw new UsageError("Cannot use --webhook-secret-env without --webhook");
  }
  const secret = variable === undefined
    ? undefined
    : secretBytes(secretOf("--webhook-secret-env", variable), variable);
  return { url: webhookUrl(webhook), secret };
}

function mqttOf(
  { mqtt, mqttTopic, mqttPasswordEnv: variable }: Values<typeof WATCH_OPTIONS>,
): WatchPlan["mqtt"] {
  if (mqtt === undefined) {
    if (variable === undefined) return undefined;
    throw new UsageError("Cannot use --mqtt-password-env without --mqtt");
  }
  const url = brokerUrl(mqtt);
  if (variable !== undefined && url.username === "") {
    throw new UsageError(
      "Cannot use --mqtt-password-env: the broker's address has no name, as in mqtt://name@line.example",
    );
  }
  const password = variable === undefined
    ? undefined
    : secretOf("--mqtt-password-env", variable);
  return { url, topic: publishedTopic(mqttTopic), password };
}

function secretOf(option: string, variable: string): string {
  const value = environmentVariable(variable);
  if (value !== undefined && value !== "") return value;
  throw new UsageError(
    `Cannot use ${option} ${variable}: the environment has no such variable, or it may not be read`,
  );
}
