import type { Sample } from "../core/datasets/dataset.ts";
import type {
  CategoryResult,
  EvaluationObserver,
  EvaluationRecord,
  NamedScore,
} from "../core/evaluation/mod.ts";
import type { Prediction } from "../core/mod.ts";
import {
  imageCurves,
  pixelCurves,
  Report,
  type ReportCurve,
  type ReportRow,
  type ReportTable,
} from "../core/report/mod.ts";
import type { Settings } from "../core/settings/settings.ts";
import { VERSION } from "../core/settings/version.ts";
import { evaluationCells, verdictCells } from "./evaluate_output.ts";
import { UsageError } from "./exit.ts";
import { trainingReader } from "./prediction_report.ts";

/** What decides whether there is something to picture. */
interface ReportedMethod {
  /** `--method`. */
  readonly method: string;
  /** `--subsample`. */
  readonly subsample?: string | undefined;
  /** `--search`. */
  readonly search?: string | undefined;
  /** `--shots`. */
  readonly shots?: readonly string[] | undefined;
  /** `--seeds`. */
  readonly seeds: number;
}

/**
 * Refuses a report of what has no pictures: other methods find no nearest
 * training patch, and of several fits none is the one to show.
 *
 * @throws {UsageError} If there is nothing to picture.
 */
export function refuseUnpictured(values: ReportedMethod): void {
  const { method, subsample, search, shots, seeds } = values;
  const reason = method !== "patchcore"
    ? `--method ${method}`
    : subsample === "proxies"
    ? "--subsample proxies"
    : search === "ivfpq"
    ? "--search ivfpq"
    : shots !== undefined
    ? "--shots"
    : seeds > 1
    ? "--seeds"
    : undefined;
  if (reason === undefined) return;
  throw new UsageError(
    `Cannot use --report with ${reason}: a report shows one fit of PatchCore and the training patches it found; use --csv`,
  );
}

/** What a report tells of the evaluation as a whole. */
interface EvaluationFacts {
  /** Results of all categories, and their means. */
  readonly records: readonly EvaluationRecord[];
  /** Name of the adapter. */
  readonly adapter: string;
  /** Every switch of the method. */
  readonly settings: Settings;
  /** What was evaluated, e.g. a folder. */
  readonly data: string;
}

/** Gathers what `evaluate` finds for its report. */
export class EvaluationReport {
  readonly #several: boolean;
  readonly #report = new Report();
  readonly #curves: ReportCurve[] = [];

  /** @param categories How many categories there are. */
  constructor(categories: number) {
    this.#several = categories > 1;
  }

  /** Takes the predictions and the result of a category. */
  observer(category: string): EvaluationObserver {
    const rows: Pick<ReportRow, "score" | "truth">[] = [];
    return {
      onScored: (scored: NamedScore, sample: Sample): void => {
        const { label: truth } = sample;
        const { defect = truth === "normal" ? "good" : "defective" } = sample;
        rows.push({ score: scored.score, truth });
        if (!isPrediction(scored)) return;
        const group = this.#several ? category : defect;
        this.#report.add(scored, { truth, group });
      },
      onResult: ({ pixel }: CategoryResult): void => {
        const curves = [
          ...imageCurves(rows),
          ...pixel ? pixelCurves(pixel) : [],
        ];
        this.#curves.push(
          ...curves.map((curve) => ({ ...curve, group: category })),
        );
      },
    };
  }

  /** Tells of an image that could not be used. */
  addFailure(name: string, error: Error): void {
    this.#report.addFailure(name, error);
  }

  /** The report: a whole HTML page as text. */
  async render(facts: EvaluationFacts): Promise<string> {
    const { records, adapter, settings, data } = facts;
    const seconds = records.reduce(
      (sum, { category, seconds }) =>
        category === "mean" ? sum : sum + (seconds["total"] ?? 0),
      0,
    );
    return await this.#report.render({
      title: `Evaluation of ${data}`,
      facts: [
        ["Data", data],
        ["Adapter", adapter],
        ["Time of all", `${seconds.toFixed(0)} s`],
        ["Software", `@patchcore/webgpu ${VERSION}`],
        ["Written", new Date().toISOString()],
      ],
      settings,
      tables: [
        {
          caption: "Results: rates in percent",
          ...titled(evaluationCells(records)),
        },
        {
          caption:
            "Verdicts at the model's threshold, with 95 % intervals, and at the one of the best F1",
          ...titled(verdictCells(records)),
        },
      ],
      curves: this.#curves,
      readTraining: trainingReader(settings),
    });
  }
}

/** Cells with a head as headings are written. */
function titled(
  { head, rows }: ReturnType<typeof evaluationCells>,
): Pick<ReportTable, "head" | "rows"> {
  const titles = head.map((name) =>
    name.replace(/^5/, "AUPRO 5").replace(/^./, (c) => c.toUpperCase())
  );
  return { head: titles, rows };
}

function isPrediction(scored: NamedScore): scored is NamedScore & Prediction {
  return "worstPatch" in scored;
}
