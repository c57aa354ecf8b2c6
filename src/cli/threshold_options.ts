import type { ThresholdChange } from "../core/mod.ts";
import { UsageError } from "./exit.ts";
import { trainScoresOf } from "./lessons.ts";
import { type Detector, modelsOf } from "./model_loading.ts";
import { whyNoThreshold } from "./no_threshold.ts";
import type { Options, Values } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** From which size on regions of maps confirm verdicts. */
export const MIN_AREA_OPTION = {
  kind: "integer",
  min: 1,
  unit: "pixels",
  fallback: "regions have no say",
  help:
    "call an image anomalous only where a region above the map's threshold has this area, in pixels of the image, besides a score at the threshold; where one of the two says so alone, it is uncertain",
} as const;

/** Options of commands that judge with a model. */
export const THRESHOLD_OPTIONS = {
  threshold: {
    kind: "text",
    value: "X|LOW..HIGH",
    help:
      "judge by this threshold instead of the model's; with LOW..HIGH, scores from LOW to HIGH are uncertain",
  },
  mapThreshold: {
    kind: "number",
    value: "X",
    fallback: "the model's, moved as the threshold is",
    help:
      "with --threshold, the value from which on a map's pixels are anomalous",
  },
  minArea: { ...MIN_AREA_OPTION, fallback: "the model's" },
} as const satisfies Options;

/**
 * The thresholds of a command line; nothing where it names none.
 *
 * @throws {UsageError} If they cannot be understood.
 */
export function thresholdChange(
  { threshold, mapThreshold }: Pick<
    Values<typeof THRESHOLD_OPTIONS>,
    "threshold" | "mapThreshold"
  >,
): ThresholdChange | undefined {
  if (threshold !== undefined) {
    return parseThresholds("--threshold", threshold, mapThreshold);
  }
  if (mapThreshold === undefined) return undefined;
  throw new UsageError(
    "Cannot use --map-threshold alone: give --threshold X as well",
  );
}

/**
 * Reads `X` or `LOW..HIGH`.
 *
 * @param option What the user calls it.
 * @throws {UsageError} If it is neither.
 */
export function parseThresholds(
  option: string,
  text: string,
  map?: number,
): ThresholdChange {
  const parts = text.split("..");
  const values = parts.map((part) =>
    /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(part) ? Number(part) : NaN
  );
  const [first = NaN, second = first] = values;
  const isBand = parts.length === 2;
  const areNumbers = values.every(Number.isFinite) && parts.length <= 2;
  if (!areNumbers || isBand && !(first < second)) {
    throw new UsageError(
      `Cannot use ${option} "${text}": expected a score, or LOW..HIGH for a band of uncertain ones`,
    );
  }
  return {
    score: second,
    ...(isBand && { uncertainFrom: first }),
    ...(map !== undefined && { map }),
  };
}

/**
 * Judges by other thresholds where the command line names some, and says what
 * is missing where the model has none then.
 *
 * @param what What each of these options needs a threshold for, if it is given.
 * @throws {UsageError} If a threshold is none that the model's scores can have,
 * or an option needs one that is not there.
 */
export function applyThresholds(
  detector: Detector,
  change: ThresholdChange | undefined,
  { path, terminal, minArea, needing = [] }: {
    readonly path: string;
    readonly terminal: Terminal;
    /** Another least area of regions than the model's. */
    readonly minArea?: number | undefined;
    readonly needing?: readonly (string | false)[];
  },
): void {
  if (change !== undefined) {
    refusingThresholds(() => detector.setThresholds(change));
  }
  if (minArea !== undefined) detector.setMinArea(minArea);
  if (detector.model.threshold !== undefined) return;
  const reason = whyNoThreshold(trainScoresOf(modelsOf(detector)));
  const why =
    `model "${path}" has no threshold: ${reason}; give --threshold X, or set one with "calibrate"`;
  const area = minArea !== undefined && "--min-area";
  const option = [area, ...needing].find((option) => option !== false);
  if (option !== undefined) {
    throw new UsageError(`Cannot use ${option}: ${why}`);
  }
  terminal.warn(
    `M${
      why.slice(1)
    }; images get scores, but no verdicts, and pictures of maps go from 0 to the image's own highest value`,
  );
}

/**
 * Does something with thresholds of the command line.
 *
 * @throws {UsageError} If they are none that the model's scores can have.
 */
export function refusingThresholds<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(cause.message, { cause });
  }
}
