import {
  bestThresholds,
  promisedThresholds,
  type Recalibration,
} from "../core/evaluation/mod.ts";
import {
  readModelFile,
  type StoredThresholds,
  type ThresholdChange,
  withThresholds,
  writeModelFile,
} from "../core/mod.ts";
import {
  isEnsembleFile,
  readEnsembleFile,
  writeEnsembleFile,
} from "../core/model/ensemble_file.ts";
import { tellCalibration } from "./calibrate_output.ts";
import { inspectParts, type SeenParts } from "./calibrate_parts.ts";
import { type Command, defineCommand } from "./command.ts";
import { readFile } from "./disk.ts";
import { LIMITS } from "../core/settings/limits.ts";
import { EXIT, UsageError } from "./exit.ts";
import { MODEL_OPTIONS, namingModel } from "./model_loading.ts";
import type { Options, Values } from "./options.ts";
import { refuseExisting, writeOutput } from "./output.ts";
import { GROUP_BY_OPTION, groupingOf } from "./settings_options.ts";
import { parseThresholds, refusingThresholds } from "./threshold_options.ts";

const FALSE_ALARMS = 0.05;

const OPTIONS = {
  good: {
    kind: "list",
    value: "DIR",
    whole: true,
    help:
      "images of good parts that the model was not fitted to; give it again for more",
  },
  bad: {
    kind: "list",
    value: "DIR",
    whole: true,
    help: "images of defective parts",
  },
  groupBy: {
    ...GROUP_BY_OPTION,
    help:
      "what the paths of images of one part have in common, such as 'part[0-9]+': what it finds, or its first group in parentheses. A part is as anomalous as its worst image",
  },
  falseAlarms: {
    kind: "number",
    value: "RATE",
    min: 0,
    above: true,
    max: LIMITS.falseAlarms,
    fallback: "0.05",
    help: "the share of good parts that will be called anomalous",
  },
  bestF1: {
    kind: "flag",
    help: "take the thresholds that tell the good parts from the bad ones best",
  },
  set: {
    kind: "text",
    value: "X|LOW..HIGH",
    help:
      "take this threshold; with LOW..HIGH, scores from LOW to HIGH are uncertain",
  },
  mapThreshold: {
    kind: "number",
    value: "X",
    fallback: "moved as the threshold is",
    help: "with --set, the value from which on a map's pixels are anomalous",
  },
  uncertain: {
    kind: "number",
    value: "RATE",
    min: 0,
    above: true,
    max: 0.999,
    fallback: "none",
    help:
      "the share of good parts that will not be called normal: those below the threshold are uncertain",
  },
  out: {
    kind: "text",
    value: "M.safetensors",
    help: "where the model with the new threshold goes",
  },
  overwrite: {
    kind: "flag",
    help: "replace an existing file; without --out, the model itself",
  },
  ...MODEL_OPTIONS,
} as const satisfies Options;

type CalibrateValues = Values<typeof OPTIONS>;

/** `calibrate`: a new threshold for a model, without a fit. */
export const calibrate: Command = defineCommand({
  name: "calibrate",
  summary: "Give a model another threshold, and tell what it gets right",
  operands: {
    name: "MODEL",
    help: "the model, as fit wrote it",
    min: 1,
    max: 1,
  },
  options: OPTIONS,
  examples: [
    [
      "part.safetensors --good shift2 --out part2.safetensors",
      "From new good parts, of which 5 in 100 will be called anomalous",
    ],
    [
      "part.safetensors --good ok --bad defects --best-f1 --overwrite",
      "From good and defective parts",
    ],
    [
      "part.safetensors --good ok --false-alarms 0.01 --uncertain 0.1 --out p.safetensors",
      "With a band of uncertain scores below the threshold",
    ],
    [
      "part.safetensors --set 3.1 --out part2.safetensors",
      "A threshold that is known",
    ],
  ],
  async run([path], values, context): Promise<number> {
    checkValues(values);
    const { groupBy } = groupingOf(values.groupBy);
    const set = values.set === undefined
      ? undefined
      : parseThresholds("--set", values.set, values.mapThreshold);
    const target = values.out ?? path!;
    await refuseExisting(target, values.overwrite);
    const bytes = await readFile(path!);
    const changedTo = (change: ThresholdChange) =>
      namingModel(path!, () => Promise.resolve(changed(bytes, change)));
    const known = set && await changedTo(set);
    const seen = values.good === undefined && values.bad === undefined
      ? { good: [], bad: [], isSquared: false, failed: 0 }
      : await inspectParts(path!, { ...values, groupBy }, context);
    const { change, odd } = set === undefined
      ? found(seen, values)
      : { change: set, odd: [] };
    const { before, after, file } = known ?? await changedTo(change);
    await writeOutput(target, file, values.overwrite);
    const told = { path: path!, target, before, after, odd, ...seen };
    tellCalibration(told, context.terminal);
    return seen.failed > 0 ? EXIT.failure : EXIT.ok;
  },
});

/** @throws {UsageError} If options contradict each other or one is missing. */
function checkValues(values: CalibrateValues): void {
  const { good, bad, set, bestF1, falseAlarms, uncertain } = values;
  const ways = [
    ["--set", set !== undefined],
    ["--best-f1", bestF1],
    ["--false-alarms", falseAlarms !== undefined],
  ] as const;
  const given = ways.flatMap(([name, isGiven]) => isGiven ? [name] : []);
  if (given.length > 1) {
    throw new UsageError(`Give one of ${given.join(" and ")}, not both`);
  }
  if (set === undefined && values.mapThreshold !== undefined) {
    throw new UsageError("Cannot use --map-threshold without --set X");
  }
  if (set !== undefined && uncertain !== undefined) {
    throw new UsageError(
      "Cannot use --uncertain with --set: write --set LOW..HIGH",
    );
  }
  if (set === undefined && good === undefined) {
    throw new UsageError(
      "Option --good DIR is missing: images of good parts that the model was not fitted to; or give --set X",
    );
  }
  if (bestF1 && bad === undefined) {
    throw new UsageError(
      "Option --bad DIR is missing: --best-f1 needs images of defective parts",
    );
  }
  const rate = falseAlarms ?? FALSE_ALARMS;
  if (!bestF1 && uncertain !== undefined && uncertain <= rate) {
    throw new UsageError(
      `Cannot use --uncertain ${uncertain}: expected more than the false alarms, ${rate}`,
    );
  }
  if (values.out === undefined && !values.overwrite) {
    throw new UsageError(
      "Name a file for the new model with --out M.safetensors, or replace the model itself with --overwrite",
    );
  }
}

function found(
  { good, bad, isSquared }: SeenParts,
  { bestF1, falseAlarms = FALSE_ALARMS, uncertain }: CalibrateValues,
): Recalibration {
  return bestF1
    ? bestThresholds(good, bad, { uncertain, isSquared })
    : promisedThresholds(good, { falseAlarms, uncertain, isSquared });
}

/** A model file with other thresholds. */
function changed(
  bytes: Uint8Array,
  change: ThresholdChange,
): {
  before: StoredThresholds;
  after: StoredThresholds;
  file: Uint8Array<ArrayBuffer>;
} {
  if (isEnsembleFile(bytes)) {
    const before = readEnsembleFile(bytes);
    const after = refusingThresholds(() => withThresholds(before, change));
    return { before, after, file: writeEnsembleFile(after) };
  }
  const before = readModelFile(bytes);
  const after = refusingThresholds(() => withThresholds(before, change));
  return { before, after, file: writeModelFile(after) };
}
