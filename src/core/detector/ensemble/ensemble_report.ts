import type { JointThresholds } from "./joint_prediction.ts";
import type { FitReport } from "../fit/report.ts";

/** What a fit of an ensemble did: sums over the members. */
export interface EnsembleFitReport extends FitReport {
  /** What each member's fit did. */
  readonly members: readonly FitReport[];
}

/**
 * Adds up what the fits of an ensemble's members did.
 *
 * @param members One report a member, at least one.
 * @param thresholds The joint thresholds.
 */
export function jointReport(
  members: readonly FitReport[],
  thresholds: JointThresholds,
): EnsembleFitReport {
  const [first] = members as [FitReport];
  const sum = (pick: (report: FitReport) => number): number =>
    members.reduce((total, report) => total + pick(report), 0);
  return {
    ...first,
    bankRows: sum(({ bankRows }) => bankRows),
    ...thresholds,
    radius: undefined,
    passes: sum(({ passes }) => passes),
    seconds: {
      decode: sum(({ seconds }) => seconds.decode),
      trunk: sum(({ seconds }) => seconds.trunk),
      patches: sum(({ seconds }) => seconds.patches),
      coreset: sum(({ seconds }) => seconds.coreset),
      threshold: sum(({ seconds }) => seconds.threshold),
      total: sum(({ seconds }) => seconds.total),
    },
    peakGpuBytes: Math.max(...members.map((report) => report.peakGpuBytes)),
    members,
  };
}
