import type { EnsembleFitReport, FitPlan, FitReport } from "../core/mod.ts";
import { bytesInWords } from "../core/settings/byte_size.ts";
import { whyNoThreshold } from "./no_threshold.ts";
import { duration } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** What a fit is going to do, in a line. */
export function planLine(plan: FitPlan): string {
  const { images, patches, bankRows, buckets, seconds } = plan;
  const count = (value: number | undefined, what: string): string =>
    `${value ?? "an unknown number of"} ${what}`;
  const memory = `${bytesInWords(plan.memoryBytes)} of GPU memory planned${
    plan.memoryBudget === undefined
      ? ""
      : `, ${bytesInWords(plan.memoryBudget)} allowed`
  }`;
  const work = {
    features: "exact: all features at once",
    projections:
      `exact: projected features of all patches at once, images extracted again for the bank's rows and ${plan.thresholdImages} for the threshold`,
    buckets: `approximate: reduced in ${
      count(buckets, "buckets")
    }, ${plan.thresholdImages} images extracted twice for the threshold`,
  }[plan.holds];
  const time = seconds === undefined ? "" : `; about ${duration(seconds)}`;
  const tiles = plan.tilesPerImage > 1
    ? ` of ${plan.tilesPerImage} tiles each, ${plan.batch} tiles at once`
    : "";
  return `${count(images, "images")}${tiles}, ${count(patches, "patches")}, ${
    count(bankRows, "bank rows")
  } of ${plan.dim} dimensions; ${memory}; ${work}${time}`;
}

/** A model that was fitted and written. */
interface WrittenFit {
  /** Its file. */
  readonly model: string;
  /** The file's size. */
  readonly bytes: number;
  /** Images that could not be used. */
  readonly failed: number;
  /** Scores of the training images, each held out. */
  readonly trainScores: ArrayLike<number>;
  /** What else is in the record. */
  readonly more: Readonly<Record<string, unknown>>;
}

/** Prints what a fit did. */
export function printReport(
  report: FitReport | EnsembleFitReport,
  { model, bytes, failed, trainScores, more }: WrittenFit,
  terminal: Terminal,
): void {
  const { images, patches, bankRows, dim, seconds } = report;
  terminal.record({
    model,
    images,
    failed,
    patches,
    bank_rows: bankRows,
    dim,
    threshold: numberOrNull(report.threshold),
    map_threshold: numberOrNull(report.mapThreshold),
    threshold_images: report.thresholdImages,
    expected_false_alarms: report.falseAlarms ?? null,
    train_scores: report.scoreSpread ?? null,
    odd_images: report.oddImages,
    ...more,
    coreset_radius: report.radius ?? null,
    coreset_radius_images: report.radiusImages,
    coreset_radius_bound: report.radiusBound ?? null,
    coreset_passes: report.passes,
    buckets: report.buckets,
    seconds,
    peak_gpu_bytes: report.peakGpuBytes,
    planned_gpu_bytes: report.plannedGpuBytes,
    adapter: report.adapter,
    ...("members" in report && {
      members: report.members.map((member) => ({
        bank_rows: member.bankRows,
        dim: member.dim,
        threshold: numberOrNull(member.threshold),
      })),
    }),
  });
  terminal.result(bankLine(report, model, bytes));
  terminal.result(thresholdLine(report, trainScores));
  const radius = radiusLine(report);
  if (radius !== undefined) terminal.message(radius);
  terminal.message(
    `${seconds.total.toFixed(1)} s: decode ${
      seconds.decode.toFixed(1)
    }, backbone ${seconds.trunk.toFixed(1)}, patches ${
      seconds.patches.toFixed(1)
    }, coreset ${
      seconds.coreset.toFixed(1)
    } (${report.passes} passes), threshold ${
      seconds.threshold.toFixed(1)
    }; at most ${
      (report.peakGpuBytes / 1e6).toFixed(0)
    } MB of GPU memory on ${report.adapter}`,
  );
  if (failed > 0) {
    terminal.warn(
      `${failed} images could not be used, the model is without them`,
    );
  }
}

/** The model and its bank in a line. */
export function bankLine(
  { images, patches, bankRows, dim }: Pick<
    FitReport,
    "images" | "patches" | "bankRows" | "dim"
  >,
  model: string,
  bytes: number,
): string {
  return `${model}: ${bankRows} of ${patches} patches from ${images} images, ${dim} dimensions, ${
    (bytes / 1e6).toFixed(1)
  } MB`;
}

/**
 * The thresholds in a line, or why there are none.
 *
 * @param trainScores Scores of the training images, each held out.
 */
export function thresholdLine(
  { threshold, mapThreshold }: Pick<FitReport, "threshold" | "mapThreshold">,
  trainScores: ArrayLike<number>,
): string {
  return Number.isNaN(threshold)
    ? `No threshold: ${whyNoThreshold(trainScores)}; fit more images`
    : `Threshold ${threshold.toPrecision(6)}, of maps ${
      mapThreshold.toPrecision(6)
    }`;
}

/** How far patches are from the bank, where that is known. */
export function radiusLine(
  { radius, radiusBound, radiusImages, images }: Pick<
    FitReport,
    "radius" | "radiusBound" | "radiusImages" | "images"
  >,
): string | undefined {
  if (radius !== undefined && radiusImages === 0) {
    return `Largest anchor left in the coreset ${
      radius.toPrecision(4)
    }: the covering radius may be larger, distances to the start points hide it`;
  }
  const measured = radius === undefined
    ? undefined
    : `${
      radius.toPrecision(4)
    } measured over ${radiusImages} of ${images} images`;
  const bound = radiusBound === undefined
    ? undefined
    : `at most ${radiusBound.toPrecision(4)} by the bound`;
  const known = [measured, bound].filter((part) => part !== undefined);
  return known.length === 0
    ? undefined
    : `Covering radius in the space of the coreset (projected features): ${
      known.join(", ")
    }`;
}

/** A number for JSON, where NaN stands for none. */
export function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
