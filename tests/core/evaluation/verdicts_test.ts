import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  CategoryMetrics,
  type EvaluationRecord,
  evaluationRecord,
  meanRecord,
  seedsRecord,
} from "../../../src/core/evaluation/mod.ts";
import type { Limits } from "../../../src/core/score/verdict.ts";

const MAP = { width: 1, height: 1, data: new Float32Array(1) };

/** The record of good and bad images with these scores. */
function record(
  good: readonly number[],
  bad: readonly number[],
  limits?: Limits,
): EvaluationRecord {
  const metrics = new CategoryMetrics(false);
  for (const score of good) {
    metrics.add({ label: "normal" }, { score, map: MAP }, undefined);
  }
  for (const score of bad) {
    metrics.add({ label: "anomalous" }, { score, map: MAP }, undefined);
  }
  const context = { category: "bolt", train: 9, seconds: { total: 1 } };
  return evaluationRecord(metrics.result(limits), context);
}

const LIMITS: Limits = { score: 3, uncertainFrom: null, map: 3 };

Deno.test("evaluationRecord() tells false alarms and misses at the model's threshold", () => {
  const found = record([1, 2, 2.5, 3], [2, 3, 4, 5, 6], LIMITS);
  assertEquals(
    [found.threshold_false_positives, found.threshold_false_negatives],
    [1, 1],
  );
  assertEquals([found.false_alarm_rate, found.miss_rate], [0.25, 0.2]);
  // Clopper and Pearson's 95 % intervals of 1 of 4 and of 1 of 5.
  const [low, high] = found.false_alarm_interval!;
  assertAlmostEquals(low, 0.0063, 1e-4);
  assertAlmostEquals(high, 0.8059, 1e-4);
  assertAlmostEquals(found.miss_interval![1], 0.7164, 1e-4);
  // 4 found, 1 false alarm, 1 miss.
  assertAlmostEquals(found.threshold_f1!, 8 / 10);
  assertEquals(found.threshold_uncertain, undefined);
});

Deno.test("evaluationRecord() counts uncertain images neither right nor wrong", () => {
  const found = record([1, 2, 2.5, 3], [2, 2.5, 4, 5, 6], {
    ...LIMITS,
    uncertainFrom: 2.2,
  });
  assertEquals(found.threshold_uncertain, { normal: 1, anomalous: 1 });
  assertEquals(
    [found.threshold_false_positives, found.threshold_false_negatives],
    [1, 1],
  );
  assertAlmostEquals(found.threshold_f1!, 6 / 8);
});

Deno.test("evaluationRecord() tells nothing of verdicts without a threshold", () => {
  const { threshold, false_alarm_rate, miss_interval, threshold_f1, f1_max } =
    record([1], [2]);
  assertEquals([threshold, false_alarm_rate, miss_interval, threshold_f1], [
    ...[null, null, null, null],
  ]);
  assertEquals(f1_max, 1);
});

Deno.test("meanRecord() pools wrong verdicts of the categories that have a threshold", () => {
  const mean = meanRecord([
    record([1, 3], [2, 4], LIMITS),
    record([1, 1], [4, 4], LIMITS),
    record([1, 1, 1, 1], [4]),
  ]);
  assertEquals(mean.threshold_false_positives, 1);
  assertEquals([mean.false_alarm_rate, mean.miss_rate], [0.25, 0.25]);
  assertAlmostEquals(mean.false_alarm_interval![1], 0.8059, 1e-4);
  // One of 2 · 1 / (2 + 1 + 1), one of 1.
  assertAlmostEquals(mean.threshold_f1!, 0.75);
  assertEquals(mean.images, { train: 27, normal: 8, anomalous: 5 });
});

Deno.test("seedsRecord() averages wrong verdicts and claims no interval", () => {
  const found = seedsRecord([
    record([1, 3], [2, 4], LIMITS),
    record([1, 1], [4, 4], LIMITS),
  ]);
  assertEquals([found.false_alarm_rate, found.miss_rate], [0.25, 0.25]);
  assertEquals(found.false_alarm_interval, null);
});
