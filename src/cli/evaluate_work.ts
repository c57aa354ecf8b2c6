import {
  type EvaluateOptions,
  type EvaluationRecord,
  evaluationRecord,
  Evaluator,
  GroundTruth,
  scoreSamples,
  sourcesOf,
} from "../core/evaluation/mod.ts";
import type { Category } from "../core/datasets/dataset.ts";
import { settingsFromJson } from "../core/settings/settings.ts";
import { VERSION } from "../core/settings/version.ts";
import { sha256 } from "../core/weights.ts";
import type { Context } from "./command.ts";
import { DISK, readFile } from "./disk.ts";
import type { EvaluateValues } from "./evaluate_options.ts";
import { UsageError } from "./exit.ts";
import { loadBackbone } from "./load_backbone.ts";
import { loadDetector } from "./model_loading.ts";
import { flagName } from "./options.ts";
import { SETTINGS_OPTIONS, settingsOf } from "./settings_options.ts";

/** Options of the work on one category. */
export type WorkOnCategory = Omit<
  EvaluateOptions,
  "files" | "rule" | "shots" | "seeds" | "radius" | "batch"
>;

/** What `evaluate` does with each category. */
export interface EvaluationWork extends Disposable {
  /** All that decides the results beside the images. */
  readonly method: Readonly<Record<string, unknown>>;
  /** Evaluates a category: one record, or one for each number of shots. */
  evaluate(
    category: Category,
    options: WorkOnCategory,
  ): Promise<readonly EvaluationRecord[]>;
}

/** Prepares what the command line asks for: the backbone, or a stored model. */
export async function prepareEvaluation(
  values: EvaluateValues,
  context: Context,
): Promise<EvaluationWork> {
  return values.model === undefined
    ? await fitting(values, context)
    : await stored(values.model, values, context);
}

async function fitting(
  values: EvaluateValues,
  context: Context,
): Promise<EvaluationWork> {
  const { maskRule: rule, seeds, verbose: radius, allowRandom } = values;
  const shots = shotsOf(values.shots);
  const file = await loadBackbone(values.backbone, context);
  const evaluator = await Evaluator.create(file, settingsOf(values), {
    allowRandom,
  });
  const { settings, backbone } = evaluator;
  const choices = { rule, seeds, radius, ...(shots && { shots }) };
  return {
    method: {
      version: VERSION,
      backbone: backbone.sha256,
      settings,
      ...choices,
    },
    evaluate: (category, work) =>
      evaluator.evaluate(category, {
        ...work,
        ...choices,
        files: DISK,
        batch: values.batch,
      }),
    [Symbol.dispose]: () => evaluator.dispose(),
  };
}

async function stored(
  path: string,
  values: EvaluateValues,
  context: Context,
): Promise<EvaluationWork> {
  refuseSettings(values);
  const { maskRule: rule, batch } = values;
  const backbone = values.backbone === SETTINGS_OPTIONS.backbone.default
    ? undefined
    : values.backbone;
  const detector = await loadDetector(
    path,
    { backbone, batch, profile: false },
    context,
  );
  const { model } = detector;
  const geometry = settingsFromJson(model.settings);
  return {
    method: {
      version: VERSION,
      model: await sha256(await readFile(path)),
      rule,
    },
    async evaluate(category, work): Promise<EvaluationRecord[]> {
      const start = performance.now();
      const { name, test } = category;
      const threshold = model.threshold?.value;
      const { onProgress, ...rest } = work;
      const result = await scoreSamples(
        detector.predict(sourcesOf(test, DISK), rest),
        test,
        new GroundTruth(DISK, { geometry, rule }),
        {
          ...(threshold !== undefined && { threshold }),
          onProgress: (done) => onProgress?.("predict", done, test.length),
        },
      );
      const total = (performance.now() - start) / 1000;
      return [
        evaluationRecord(result, {
          category: name,
          train: model.imageNames.length,
          bankRows: model.rows,
          seconds: { predict: total, total },
        }),
      ];
    },
    [Symbol.dispose]: () => detector.dispose(),
  };
}

/** Refuses what only a fit can follow. */
function refuseSettings(values: EvaluateValues): void {
  const fits = Object.keys(SETTINGS_OPTIONS).filter((key) =>
    key !== "backbone" && key !== "preset"
  );
  const given = [...fits, "shots"].filter((key) => {
    const value = values[key as keyof EvaluateValues];
    return value !== undefined && value !== false;
  });
  if (values.preset !== SETTINGS_OPTIONS.preset.default) given.push("preset");
  if (values.crop === false) given.push("crop");
  if (values.seeds > 1) given.push("seeds");
  if (values.verbose) given.push("verbose");
  const [option] = given;
  if (option === undefined) return;
  throw new UsageError(
    `Cannot use --${
      flagName(option)
    } with --model: the model was fitted already`,
  );
}

function shotsOf(words: readonly string[] | undefined): number[] | undefined {
  return words?.map((word) => {
    const count = /^\d+$/.test(word) ? Number(word) : NaN;
    if (count >= 1) return count;
    throw new UsageError(
      `Cannot use --shots "${word}": expected integers of at least 1`,
    );
  });
}
