import {
  type EvaluationRecord,
  type Rate,
  RATES,
  type Rates,
  sharesOf,
} from "./record.ts";

/** Name of the record that averages all categories. */
const MEAN = "mean";

/**
 * The mean over categories: metrics are averaged over the categories that have
 * them, counts and seconds are summed, thresholds have no mean. Shares of wrong
 * verdicts are those of all images together.
 *
 * @param records One record a category, at least one.
 */
export function meanRecord(
  records: readonly EvaluationRecord[],
): EvaluationRecord {
  const [{ shots, seeds }] = records as [EvaluationRecord];
  const peaks = records.flatMap(({ peak_gpu_bytes: peak }) => peak ?? []);
  return {
    ...combined(MEAN, records, total),
    ...(peaks.length > 0 && { peak_gpu_bytes: Math.max(...peaks) }),
    ...(shots !== undefined && { shots }),
    ...(seeds !== undefined && {
      ...NO_INTERVALS,
      seeds,
      std: ratesOf((rate) =>
        mean(records.map(({ std }) => std?.[rate] ?? null))
      ),
    }),
  };
}

/**
 * The mean and the standard deviation over fits that differ by the seed alone.
 *
 * @param records One record a seed, at least one.
 */
export function seedsRecord(
  records: readonly EvaluationRecord[],
): EvaluationRecord {
  const [{ category, images, bank_rows, label_masks }] = records as [
    EvaluationRecord,
  ];
  const measured = EXTRAS.flatMap((key) => {
    const value = mean(records.map((record) => record[key] ?? null));
    return value === null ? [] : [[key, value]];
  });
  return {
    ...combined(category, records, mean),
    images,
    ...(bank_rows !== undefined && { bank_rows }),
    ...(label_masks !== undefined && { label_masks }),
    ...Object.fromEntries(measured),
    ...NO_INTERVALS,
    seeds: records.length,
    std: ratesOf((rate) => deviation(records.map((record) => record[rate]))),
  };
}

/** Counts of several fits judge the same images again: they have no intervals. */
const NO_INTERVALS = {
  false_alarm_interval: null,
  miss_interval: null,
} as const;

/** What is averaged over seeds where it was measured. */
const EXTRAS = [
  "covering_radius",
  "covering_radius_random",
  "recall_at_1",
] as const satisfies readonly (keyof EvaluationRecord)[];

type Reduce = (values: readonly (number | null)[]) => number | null;

function combined(
  category: string,
  records: readonly EvaluationRecord[],
  counts: Reduce,
): EvaluationRecord {
  const count = (pick: (record: EvaluationRecord) => number | null) =>
    counts(records.map(pick));
  const judged = (kind: "normal" | "anomalous") =>
    counts(
      records.map(({ threshold_false_positives: known, images }) =>
        known === null ? null : images[kind]
      ),
    ) ?? 0;
  const falsePositives = count((r) => r.threshold_false_positives);
  const falseNegatives = count((r) => r.threshold_false_negatives);
  const sum = (pick: (record: EvaluationRecord) => number) =>
    records.reduce((all, record) => all + pick(record), 0);
  const steps = Object.keys(records[0]!.seconds);
  return {
    category,
    ...ratesOf((rate) => mean(records.map((record) => record[rate]))),
    f1_threshold: null,
    false_positives: count((record) => record.false_positives),
    false_negatives: count((record) => record.false_negatives),
    threshold: null,
    threshold_false_positives: falsePositives,
    threshold_false_negatives: falseNegatives,
    threshold_f1: mean(records.map((record) => record.threshold_f1 ?? null)),
    ...sharesOf(falsePositives, falseNegatives, {
      normal: judged("normal"),
      anomalous: judged("anomalous"),
    }),
    ...(records.some((record) => record.threshold_uncertain) && {
      threshold_uncertain: {
        normal: count((r) => r.threshold_uncertain?.normal ?? 0)!,
        anomalous: count((r) => r.threshold_uncertain?.anomalous ?? 0)!,
      },
    }),
    images: {
      train: sum(({ images }) => images.train),
      normal: sum(({ images }) => images.normal),
      anomalous: sum(({ images }) => images.anomalous),
    },
    seconds: Object.fromEntries(
      steps.map((step) => [step, sum(({ seconds }) => seconds[step] ?? 0)]),
    ),
  };
}

function ratesOf(value: (rate: Rate) => number | null): Rates {
  return Object.fromEntries(
    RATES.map((rate) => [rate, value(rate)]),
  ) as Rates;
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

function total(values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  if (numbers.length === 0) return null;
  return numbers.reduce((sum, value) => sum + value);
}

function mean(values: readonly (number | null)[]): number | null {
  const sum = total(values);
  return sum === null ? null : sum / known(values).length;
}

/** The standard deviation with n − 1; none of fewer than two values. */
function deviation(values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  if (numbers.length < 2) return null;
  const centre = mean(numbers)!;
  const squares = numbers.reduce((sum, x) => sum + (x - centre) ** 2, 0);
  return Math.sqrt(squares / (numbers.length - 1));
}
