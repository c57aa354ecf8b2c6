import { limitsOf, type StoredThresholds } from "../core/mod.ts";
import { sourceOf } from "../core/threshold/rule_facts.ts";
import type { Terminal } from "./terminal.ts";

/** A model by name, of which only the thresholds count here. */
export interface JudgingModel {
  /** Its file. */
  readonly name: string;
  /** Its thresholds. */
  readonly model: StoredThresholds;
}

/**
 * Warns where models had thresholds that somebody set or calibrated, and the one
 * that was made of them has those that its training images give.
 *
 * @param models The models before.
 * @param made What was made of them.
 */
export function warnOfReplaced(
  models: readonly JudgingModel[],
  made: JudgingModel,
  terminal: Terminal,
): void {
  for (const { name, model } of models) {
    const set = howSet(model);
    if (set === undefined) continue;
    const { score, uncertainFrom, map } = limitsOf(model);
    const band = uncertainFrom === null ? "" : `${uncertainFrom}..`;
    const calibrate = `calibrate ${made.name}`;
    terminal.warn(
      `"${name}" had a threshold ${set}: ${
        inWords(model)
      }; "${made.name}" has ${
        made.model.threshold === undefined
          ? "none, as its training images give none"
          : `that of its training images instead: ${inWords(made.model)}`
      }; "${calibrate} --set ${band}${score} --map-threshold ${map} --overwrite" sets the old one again, "${calibrate} --good DIR --overwrite" finds one for the new memory bank`,
    );
  }
}

/** How a threshold came about that is none of the training images alone. */
function howSet({ threshold }: StoredThresholds): string | undefined {
  if (threshold === undefined) return undefined;
  const source = sourceOf(threshold);
  if (source === "none") return "that was set by hand";
  if (source === "good parts" || source === "good and bad parts") {
    return `that was calibrated with ${source}`;
  }
  return threshold.uncertainFrom === undefined
    ? undefined
    : "with a band of uncertain scores";
}

function inWords(model: StoredThresholds): string {
  const { score, uncertainFrom, map } = limitsOf(model);
  const number = (value: number | null): string =>
    value === null ? "none" : value.toPrecision(5);
  return `${number(score)}${
    uncertainFrom === null ? "" : `, uncertain from ${number(uncertainFrom)}`
  }, of maps ${number(map)}`;
}
