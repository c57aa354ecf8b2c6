import { type Interval, shareInterval } from "../metrics/interval.ts";
import type { CategoryResult, ThresholdErrors } from "./category_metrics.ts";
import type { Outcome, Radii } from "./runner.ts";

/** Metrics that are averaged over categories, as `evaluate --json` names them. */
export const RATES = [
  "image_auroc",
  "image_aupr",
  "f1_max",
  "pixel_auroc",
  "pixel_auroc_defective",
  "aupro_30",
  "aupro_5",
  "pro_per_image",
] as const;

/** Name of a metric that is averaged. */
export type Rate = typeof RATES[number];

/** Values of the metrics that are averaged; `null` where there is none. */
export type Rates = { readonly [R in Rate]: number | null };

/** One line of `evaluate --json`: a category, or the mean over categories. */
export interface EvaluationRecord extends Rates {
  /** Name of the category, or `mean`. */
  readonly category: string;
  /** The threshold of the best F1; `null` for a mean. */
  readonly f1_threshold: number | null;
  /** Normal images at or above it; over several categories their sum. */
  readonly false_positives: number | null;
  /** Anomalous images below it; over several categories their sum. */
  readonly false_negatives: number | null;
  /** The model's own threshold, from training images alone; `null` for none. */
  readonly threshold: number | null;
  /** Normal images at or above the model's own threshold. */
  readonly threshold_false_positives: number | null;
  /** Anomalous images below the model's own threshold. */
  readonly threshold_false_negatives: number | null;
  /**
   * F1 at the model's own threshold, uncertain images left out; over several
   * categories the mean.
   */
  readonly threshold_f1: number | null;
  /** Share of the normal images that are called anomalous at that threshold. */
  readonly false_alarm_rate: number | null;
  /** Its 95 % interval (Clopper–Pearson); `null` for a mean of several fits. */
  readonly false_alarm_interval: Interval | null;
  /** Share of the anomalous images that are called normal at that threshold. */
  readonly miss_rate: number | null;
  /** Its 95 % interval. */
  readonly miss_interval: Interval | null;
  /** Images that are uncertain, where the model has such a band. */
  readonly threshold_uncertain?: {
    readonly normal: number;
    readonly anomalous: number;
  };
  /** Images; over several categories their sums. */
  readonly images: {
    readonly train: number;
    readonly normal: number;
    readonly anomalous: number;
  };
  /** Seconds of each step; over several categories their sums. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Training images fitted, where it was asked for a few. */
  readonly shots?: number;
  /** Fits that were averaged, where it was asked for several. */
  readonly seeds?: number;
  /** Standard deviations over the seeds, with n − 1; `null` for one seed. */
  readonly std?: Rates;
  /** Rows of the memory bank, where there is one. */
  readonly bank_rows?: number;
  /** Covering radius of the bank (paper, Eq. 5), where it was measured. */
  readonly covering_radius?: number;
  /** Covering radius of as many patches drawn at random. */
  readonly covering_radius_random?: number;
  /** Recall@1 of an approximate search over the test patches. */
  readonly recall_at_1?: number;
  /** Masks that held numbers of classes, taken as anomalous above 0. */
  readonly label_masks?: number;
  /** The most GPU bytes allocated at one time; over several categories too. */
  readonly peak_gpu_bytes?: number;
}

/** What a record says beside the metrics. */
interface RecordContext {
  /** Name of the category. */
  readonly category: string;
  /** Training images fitted. */
  readonly train: number;
  /** Seconds of each step. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Rows of the memory bank. */
  readonly bankRows?: number | undefined;
  /** Covering radii, where they were measured. */
  readonly radii?: Radii | undefined;
  /** Recall@1 of an approximate search. */
  readonly recall?: number | undefined;
}

/** The record of one evaluation. */
export function evaluationRecord(
  { image, pixel, atThreshold, labelMasks }: CategoryResult,
  context: RecordContext,
): EvaluationRecord {
  const { category, train, seconds, bankRows, radii, recall } = context;
  const { f1, threshold, falsePositives, falseNegatives } = image.f1Max;
  return {
    category,
    image_auroc: finite(image.auroc),
    image_aupr: finite(image.aupr),
    f1_max: finite(f1),
    f1_threshold: finite(threshold),
    false_positives: falsePositives,
    false_negatives: falseNegatives,
    pixel_auroc: finite(pixel?.auroc),
    pixel_auroc_defective: finite(pixel?.aurocDefective),
    aupro_30: finite(pixel?.aupro30),
    aupro_5: finite(pixel?.aupro5),
    pro_per_image: finite(pixel?.proPerImage),
    threshold: finite(atThreshold?.threshold),
    threshold_false_positives: atThreshold?.falsePositives ?? null,
    threshold_false_negatives: atThreshold?.falseNegatives ?? null,
    threshold_f1: finite(atThreshold?.f1),
    ...sharesOf(
      atThreshold?.falsePositives ?? null,
      atThreshold?.falseNegatives ?? null,
      image,
    ),
    ...(hasUncertain(atThreshold) && {
      threshold_uncertain: atThreshold.uncertain,
    }),
    images: { train, normal: image.normal, anomalous: image.anomalous },
    seconds,
    ...(bankRows !== undefined && { bank_rows: bankRows }),
    ...(radii && {
      covering_radius: radii.bank,
      covering_radius_random: radii.random,
    }),
    ...(recall !== undefined && { recall_at_1: recall }),
    ...(labelMasks !== undefined && { label_masks: labelMasks }),
  };
}

/** The record of an experiment's run. */
export function outcomeRecord(
  category: string,
  { result, trainImages: train, seconds, bankRows, radii, recall }: Outcome,
): EvaluationRecord {
  return evaluationRecord(result, {
    category,
    train,
    seconds,
    bankRows,
    radii,
    recall,
  });
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** The shares of images that were judged wrongly, as a record has them. */
export type Shares = Pick<
  EvaluationRecord,
  | "false_alarm_rate"
  | "false_alarm_interval"
  | "miss_rate"
  | "miss_interval"
>;

/**
 * The shares of wrong verdicts, with 95 % intervals where the counts are of one
 * fit: means of several are no counts.
 */
export function sharesOf(
  falsePositives: number | null,
  falseNegatives: number | null,
  { normal, anomalous }: {
    readonly normal: number;
    readonly anomalous: number;
  },
): Shares {
  const [alarms, alarmInterval] = shareOf(falsePositives, normal);
  const [misses, missInterval] = shareOf(falseNegatives, anomalous);
  return {
    false_alarm_rate: alarms,
    false_alarm_interval: alarmInterval,
    miss_rate: misses,
    miss_interval: missInterval,
  };
}

function shareOf(
  count: number | null,
  images: number,
): [number | null, Interval | null] {
  if (count === null || images === 0) return [null, null];
  const isCount = Number.isInteger(count);
  return [count / images, isCount ? shareInterval(count, images) : null];
}

function hasUncertain(
  errors: ThresholdErrors | undefined,
): errors is ThresholdErrors {
  return errors !== undefined &&
    errors.uncertain.normal + errors.uncertain.anomalous > 0;
}
