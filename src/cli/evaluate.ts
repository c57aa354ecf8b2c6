import { type EvaluationRecord, meanRecord } from "../core/evaluation/mod.ts";
import { type Command, type Context, defineCommand } from "./command.ts";
import { evaluationCsv } from "./csv.ts";
import {
  type FailedCategory,
  findCategories,
  type FoundCategory,
  noteMissingMasks,
} from "./evaluate_data.ts";
import { evaluationKey, Journal } from "./evaluate_journal.ts";
import { EVALUATE_OPTIONS } from "./evaluate_options.ts";
import { evaluationTable } from "./evaluate_output.ts";
import { EvaluationWorks } from "./evaluate_work.ts";
import { EvaluationReport, refuseUnpictured } from "./evaluation_report.ts";
import { EXIT, UsageError } from "./exit.ts";
import { checkOperands } from "./layout_options.ts";
import { checkMasks } from "./mask_check.ts";
import { refuseExisting, writeOutput } from "./output.ts";
import { duration } from "./progress.ts";
import { regionOf } from "./region_options.ts";
import { withMeasuredRange } from "./sample_range.ts";
import { stageProgress } from "./stage_progress.ts";
import type { Terminal } from "./terminal.ts";
import { unseenBy } from "./unseen_images.ts";

/** `evaluate`: every metric on labelled datasets. */
export const evaluate: Command = defineCommand({
  name: "evaluate",
  summary: "Fit, predict and compute every metric on labelled datasets",
  operands: {
    name: "DATASET",
    help:
      "dataset folders as published: MVTec AD (all or one category), MVTec LOCO AD, VisA, BTAD, Magnetic Tile Defects, KolektorSDD and KolektorSDD2, ShanghaiTech Campus, or folders normal (good, OK), abnormal (bad, NG) and masks",
    min: 0,
  },
  options: EVALUATE_OPTIONS,
  examples: [
    ["mvtec --coreset 0.01", "All categories of MVTec AD"],
    [
      "mvtec --category bottle,cable --preset reference --mask-rule reference",
      "Two categories as the published implementation has them",
    ],
    ["parts --model part.safetensors --json", "A model on own images"],
    [
      "parts --category bottle --report bottle.html",
      "One category, with a page to look at",
    ],
    ["mvtec --method padim", "Another of the paper's systems"],
    ["mvtec --shots 1,5,16 --seeds 5", "Few training images, mean ± deviation"],
  ],
  async run(operands, values, context): Promise<number> {
    const { terminal } = context;
    const { csv, report: reportPath, overwrite } = values;
    checkOperands(operands, "DATASET", values);
    for (const file of [csv, reportPath]) {
      if (file !== undefined) await refuseExisting(file, overwrite);
    }
    if (reportPath !== undefined) refuseUnpictured(values);
    const found = await findCategories(operands, values);
    const unusable = await checkMasks(found.categories, context.signal);
    const categories = found.categories.filter((one) => !unusable.has(one));
    const lost = [
      ...found.failed,
      ...[...unusable].map(([{ category: { name } }, error]) => ({
        category: name,
        error,
      })),
    ];
    for (const failure of lost) tellFailure(failure, terminal);
    noteMissingMasks(categories, terminal);
    const journal = await Journal.open(values.resume);
    const ranged = await withMeasuredRange(
      values,
      categories.flatMap(({ category }) =>
        category.train.map(({ path }) => path)
      ),
      context,
    );
    const [sample] = categories[0]?.category.train ?? [];
    const region = await regionOf(values, sample?.path);
    using works = new EvaluationWorks(ranged, region, context);
    const report = reportPath === undefined
      ? undefined
      : new EvaluationReport(categories.length);
    const { records, failed, broken } = await evaluateAll(
      categories,
      { works, journal, report, maxPixels: values.maxPixels },
      context,
    );
    const without = [...lost.map(({ category }) => category), ...broken];
    if (values.verbose) {
      for (const record of records) printMemory(record, terminal);
    }
    const means = meansOf(records);
    for (const mean of means) terminal.record({ ...mean });
    const all = [...records, ...means];
    if (all.length > 0) terminal.result(evaluationTable(all));
    if (csv !== undefined) {
      await writeOutput(csv, evaluationCsv(all), overwrite);
    }
    if (report !== undefined && reportPath !== undefined && all.length > 0) {
      const { settings, adapterName } = await works.of(categories[0]?.layout);
      const page = await report.render({
        records: all,
        adapter: adapterName,
        settings,
        data: operands.join(", "),
      });
      await writeOutput(reportPath, page, overwrite);
    }
    if (failed > 0) {
      terminal.warn(
        `${failed} images could not be used: the results lack them`,
      );
    }
    if (without.length > 0) {
      terminal.warn(
        `${without.length} of ${
          without.length + categories.length - broken.length
        } categories could not be evaluated (${
          without.join(", ")
        }): the mean is without them`,
      );
    }
    return failed + without.length === 0 ? EXIT.ok : EXIT.failure;
  },
});

/** What evaluating categories needs and fills. */
interface Evaluation {
  readonly works: EvaluationWorks;
  readonly journal: Journal;
  readonly report: EvaluationReport | undefined;
  readonly maxPixels: number;
}

async function evaluateAll(
  categories: readonly FoundCategory[],
  { works, journal, report, maxPixels }: Evaluation,
  { terminal, signal }: Context,
): Promise<{ records: EvaluationRecord[]; failed: number; broken: string[] }> {
  const records: EvaluationRecord[] = [];
  const broken: string[] = [];
  let failed = 0;
  const start = performance.now();
  let worked = 0;
  for (const [i, { category: whole, layout }] of categories.entries()) {
    signal.throwIfAborted();
    const work = await works.of(layout);
    const { trained } = work;
    const category = trained === undefined
      ? whole
      : await unseenBy(trained, whole, terminal);
    const place = `${category.name} (${i + 1} of ${categories.length})`;
    const key = await evaluationKey(category, work.method);
    let found = journal.find(key, category.name);
    if (found !== undefined) {
      terminal.message(
        `${place}: evaluated before${
          report ? "; the report lacks its pictures and curves" : ""
        }`,
      );
    } else {
      const { train, test } = category;
      terminal.message(
        `${place}: ${
          trained === undefined ? `${train.length} images to train, ` : ""
        }${test.length} to test${
          timeLeft(start, worked, categories.length - i)
        }`,
      );
      using progress = stageProgress(terminal);
      const unusable = new Set<string>();
      try {
        found = await work.evaluate(category, {
          signal,
          onProgress: progress,
          maxPixels,
          observer: report?.observer(category.name),
          onImageError: (name, error) => {
            // Each of several runs comes upon it.
            if (unusable.has(name)) return;
            unusable.add(name);
            report?.addFailure(name, error);
            terminal.error(error.message);
          },
        });
      } catch (error) {
        if (!isOfCategory(error, signal)) throw error;
        tellFailure({ category: category.name, error }, terminal);
        broken.push(category.name);
        continue;
      } finally {
        worked++;
      }
      failed += unusable.size;
      if (unusable.size === 0) await journal.add(key, found);
    }
    for (const record of found) {
      terminal.record({ ...record });
      noteLabelMasks(record, terminal);
      printDetails(record, terminal);
    }
    records.push(...found);
  }
  return { records, failed, broken };
}

/** Whether an error costs one category alone: another may do without it. */
function isOfCategory(error: unknown, signal: AbortSignal): error is Error {
  return error instanceof Error && !signal.aborted &&
    error.name !== "GpuLostError" && !(error instanceof UsageError);
}

function tellFailure(
  { category, error }: FailedCategory,
  terminal: Terminal,
): void {
  terminal.record({ category, error: error.message });
  terminal.error(`Cannot evaluate "${category}": ${error.message}`);
}

function timeLeft(start: number, worked: number, left: number): string {
  if (worked === 0) return "";
  const each = (performance.now() - start) / 1000 / worked;
  return `; about ${duration(each * left)} left`;
}

/** Tells that masks were read in another way than those of 0 and 255. */
function noteLabelMasks(
  { category, label_masks: count }: EvaluationRecord,
  terminal: Terminal,
): void {
  if (count === undefined) return;
  terminal.warn(
    `${category}: ${count} of its masks hold 0 and 1 or numbers of classes instead of 0 and 255; every pixel above 0 is taken as anomalous`,
  );
}

function printMemory(
  { category, peak_gpu_bytes: peak }: EvaluationRecord,
  terminal: Terminal,
): void {
  if (peak === undefined) return;
  terminal.message(
    `${category}: at most ${(peak / 1e6).toFixed(0)} MB of GPU memory`,
  );
}

function printDetails(
  record: EvaluationRecord,
  terminal: Terminal,
): void {
  const { bank_rows: rows, covering_radius: radius } = record;
  const random = record.covering_radius_random;
  if (radius !== undefined && random !== undefined) {
    terminal.message(
      `${record.category}: no patch is farther than ${
        radius.toFixed(4)
      } from the ${rows} rows of the bank (covering radius, Eq. 5); with as many drawn at random ${
        random.toFixed(4)
      }`,
    );
  }
  if (record.recall_at_1 !== undefined) {
    terminal.message(
      `${record.category}: the approximate search finds the nearest row for ${
        (100 * record.recall_at_1).toFixed(2)
      } % of the test patches (recall@1)`,
    );
  }
}

/** The mean over categories; one for each number of shots. */
function meansOf(records: readonly EvaluationRecord[]): EvaluationRecord[] {
  const groups = Map.groupBy(records, ({ shots }) => shots);
  return [...groups.values()].map(meanRecord);
}
