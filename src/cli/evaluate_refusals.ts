import { EVALUATE_OPTIONS, type EvaluateValues } from "./evaluate_options.ts";
import { UsageError } from "./exit.ts";
import { flagName, type Options } from "./options.ts";
import { SETTINGS_OPTIONS } from "./settings_options.ts";

type Key = keyof EvaluateValues;

/** What only a fit can follow. */
const FITTING: readonly Key[] = [
  ...Object.keys(SETTINGS_OPTIONS).filter((key) => key !== "backbone") as Key[],
  "shots",
  "seeds",
  "verbose",
  "method",
  "search",
  "nprobe",
  "ensembleNorm",
];

/** What only one backbone can do. */
const SINGLE: readonly Key[] = ["method", "search", "verbose"];

/** What only PatchCore has. */
const PATCHCORE: readonly Key[] = [
  "coreset",
  "maxBank",
  "subsample",
  "patchSize",
  "stride",
  "search",
  "nprobe",
  "verbose",
  "thresholdQuantile",
  "thresholdFactor",
  "mapQuantile",
];

/**
 * Refuses what only a fit can follow, because a stored model is evaluated.
 *
 * @throws {UsageError} Naming the first such option.
 */
export function refuseFitting(values: EvaluateValues): void {
  refuse(values, FITTING, "with --model: the model was fitted already");
}

/**
 * Refuses options that the chosen method or search would ignore.
 *
 * @throws {UsageError} Naming the first such option.
 */
export function refuseUnused(values: EvaluateValues): void {
  const { method, search } = values;
  if (method !== "patchcore") {
    refuse(values, PATCHCORE, `with --method ${method}: it is PatchCore's`);
  }
  if (method === "spade" || (method === "padim" && values.dim === "concat")) {
    refuse(values, ["dim"], `with --method ${method}: it keeps them all`);
  }
  if ((values.backbone?.length ?? 1) > 1) {
    const why = "with several backbones: an ensemble has PatchCore's own parts";
    refuse(values, SINGLE, why);
    if (values.subsample === "proxies") {
      refuse(values, ["subsample"], why);
    }
  } else {
    refuse(values, ["ensembleNorm"], "with one backbone: there is no ensemble");
  }
  if (search === "exact") {
    refuse(values, ["nprobe"], "with an exact search: give --search ivfpq");
  }
}

function refuse(
  values: EvaluateValues,
  keys: readonly Key[],
  why: string,
): void {
  const option = keys.find((key) => isGiven(key, values[key]));
  if (option === undefined) return;
  throw new UsageError(`Cannot use --${flagName(option)} ${why}`);
}

function isGiven(key: Key, value: unknown): boolean {
  const options: Options = EVALUATE_OPTIONS;
  const option = options[key];
  if (option === undefined) return false;
  const absent = option.kind === "flag"
    ? false
    : "default" in option
    ? option.default
    : undefined;
  return value !== absent;
}
