import {
  type HeldOutPart,
  type JudgedParts,
  judgeParts,
} from "../core/evaluation/mod.ts";
import { limitsOf, type StoredThresholds } from "../core/mod.ts";
import { shareInWords } from "../core/report/mod.ts";
import { rangeOf } from "../core/score/min_max_scale.ts";
import { judge, mapDisagrees } from "../core/score/verdict.ts";
import { promiseOf, sourceOf } from "../core/threshold/rule_facts.ts";
import type { SeenParts } from "./calibrate_parts.ts";
import { promiseLine } from "./lessons.ts";
import type { Terminal } from "./terminal.ts";

/** What a calibration did, for its record and its lines. */
export interface Calibrated extends SeenParts {
  /** The model's file. */
  readonly path: string;
  /** That of the new one. */
  readonly target: string;
  /** The thresholds that it had. */
  readonly before: StoredThresholds;
  /** Those that it has. */
  readonly after: StoredThresholds;
  /** Good parts that did not count. */
  readonly odd: readonly HeldOutPart[];
}

/** Tells what a calibration did: a record, and lines for people. */
export function tellCalibration(
  told: Calibrated,
  terminal: Terminal,
): void {
  const { path, target, before, after, odd, good, bad } = told;
  const limits = limitsOf(after);
  const old = limitsOf(before);
  const kinds = {
    good: judgeParts(good, "normal", limits),
    bad: judgeParts(bad, "anomalous", limits),
  };
  const disagreeing =
    [...good, ...bad].filter(({ score, highest }) =>
      mapDisagrees({
        label: judge(score, limits).label,
        highest,
        threshold: limits.map,
      })
    ).length;
  terminal.record({
    model: path,
    out: target,
    threshold: limits.score,
    uncertain_from: limits.uncertainFrom,
    map_threshold: limits.map,
    before: {
      threshold: old.score,
      uncertain_from: old.uncertainFrom,
      map_threshold: old.map,
    },
    threshold_rule: after.threshold?.rule ?? null,
    good: kinds.good.parts === 0 ? null : kinds.good,
    bad: kinds.bad.parts === 0 ? null : kinds.bad,
    map_disagrees: disagreeing,
    odd: odd.map(({ names }) => names),
  });
  const number = (value: number | null): string =>
    value === null ? "none" : value.toPrecision(5);
  const band = limits.uncertainFrom === null
    ? ""
    : `, uncertain from ${number(limits.uncertainFrom)}`;
  terminal.result(
    `Threshold ${number(limits.score)}${band}, was ${
      number(old.score)
    }; of maps ${number(limits.map)}, was ${number(old.map)}`,
  );
  const { threshold } = after;
  const promised = threshold && promiseOf(threshold);
  if (threshold !== undefined && promised !== undefined) {
    terminal.result(promiseLine(promised, sourceOf(threshold)));
  }
  const f1 = threshold?.rule["f1"];
  if (typeof f1 === "number") {
    terminal.result(
      `F1 ${
        f1.toFixed(3)
      } on these parts, of which it is the best: others are judged less well`,
    );
  }
  for (
    const line of [
      ...linesOf("Good", "normal", kinds.good),
      ...linesOf("Bad", "anomalous", kinds.bad),
    ]
  ) terminal.result(line);
  for (
    const [name, right, parts, judged] of [
      ["good", "normal", good, kinds.good],
      ["bad", "anomalous", bad, kinds.bad],
    ] as const
  ) {
    if (parts.length === 0 || judged[right] > 0) continue;
    const scores = rangeOf(parts.map(({ score }) => score));
    terminal.warn(
      `None of the ${parts.length} ${name} parts is called ${right}: their scores are ${
        number(scores.min)
      } to ${number(scores.max)}, the threshold is ${number(limits.score)}`,
    );
  }
  if (disagreeing > 0) {
    terminal.message(
      `Of ${disagreeing} of ${
        good.length + bad.length
      } parts the map says otherwise than the score`,
    );
  }
  for (const { names, score } of odd) {
    terminal.message(
      `"${names[0]}" looks unlike the other good parts (score ${
        number(score)
      }), so that it did not count`,
    );
  }
  terminal.result(`Wrote "${target}"`);
}

function linesOf(
  kind: string,
  right: "normal" | "anomalous",
  judged: JudgedParts,
): string[] {
  const { parts, images, uncertain } = judged;
  if (parts === 0) return [];
  return [
    `${kind} parts called ${right}: ${shareInWords(judged[right], parts)}${
      uncertain > 0 ? `, ${uncertain} uncertain` : ""
    }${images > parts ? `; of ${images} images` : ""}`,
  ];
}
