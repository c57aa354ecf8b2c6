import {
  type EvaluateOptions,
  type EvaluationRecord,
  evaluationRecord,
  Evaluator,
  GroundTruth,
  scoreSamples,
  sourcesOf,
  type Variant,
} from "../core/evaluation/mod.ts";
import type { Category, LayoutName } from "../core/datasets/dataset.ts";
import {
  settingsFromJson,
  type SettingsOptions,
} from "../core/settings/settings.ts";
import { VERSION } from "../core/settings/version.ts";
import { sha256 } from "../core/weights.ts";
import type { Context } from "./command.ts";
import { DISK, readFile } from "./disk.ts";
import type { EvaluateValues } from "./evaluate_options.ts";
import { refuseFitting, refuseUnused } from "./evaluate_refusals.ts";
import { UsageError } from "./exit.ts";
import { loadBackbone } from "./load_backbone.ts";
import { loadDetector } from "./model_loading.ts";
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

/**
 * Prepares what the command line asks for: the backbone, or a stored model.
 * ShanghaiTech Campus has settings of its own in the paper (§4.5).
 */
export class EvaluationWorks implements Disposable {
  readonly #values: EvaluateValues;
  readonly #context: Context;
  readonly #prepared = new Map<boolean, EvaluationWork>();

  /** Keeps what was asked for; nothing is loaded yet. */
  constructor(values: EvaluateValues, context: Context) {
    this.#values = values;
    this.#context = context;
  }

  /** The work on categories of a layout, prepared once. */
  async of(layout: LayoutName | undefined): Promise<EvaluationWork> {
    const { model } = this.#values;
    const video = layout === "mstc" && model === undefined;
    let work = this.#prepared.get(video);
    if (work === undefined) {
      const values = video ? videoValues(this.#values) : this.#values;
      work = model === undefined
        ? await fitting(values, this.#context)
        : await stored(model, values, this.#context);
      this.#prepared.set(video, work);
    }
    return work;
  }

  /** Frees everything prepared. */
  [Symbol.dispose](): void {
    for (const work of this.#prepared.values()) work[Symbol.dispose]();
    this.#prepared.clear();
  }
}

/** Whole frames of 256 × 256 pixels and deeper layers, unless told otherwise. */
function videoValues(values: EvaluateValues): EvaluateValues {
  const { method, resize, square, crop, layers } = values;
  const geometry = resize === undefined && !square && crop === undefined;
  const deeper = method === "patchcore" ? ["layer3", "layer4"] : undefined;
  return {
    ...values,
    ...(geometry && { resize: 256, square: true, crop: false as const }),
    layers: layers ?? deeper,
  };
}

async function fitting(
  values: EvaluateValues,
  context: Context,
): Promise<EvaluationWork> {
  const { maskRule: rule, seeds, verbose: radius, allowRandom, method } =
    values;
  const shots = shotsOf(values.shots);
  const variant = variantOf(values);
  refuseUnused(values);
  const file = await loadBackbone(values.backbone, context);
  const evaluator = await Evaluator.create(file, fittedSettings(values), {
    allowRandom,
    method,
    variant,
  });
  const { settings, backbone } = evaluator;
  const choices = { rule, seeds, radius, ...(shots && { shots }) };
  return {
    method: {
      version: VERSION,
      method,
      backbone: backbone.sha256,
      settings,
      ...variant,
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

function fittedSettings(values: EvaluateValues): SettingsOptions {
  const { subsample } = values;
  return settingsOf({
    ...values,
    subsample: subsample === "proxies" ? undefined : subsample,
  });
}

function variantOf(
  { subsample, search, nprobe }: EvaluateValues,
): Variant {
  return {
    ...(subsample === "proxies" && { proxies: true }),
    ...(search === "ivfpq" && { probes: nprobe ?? 1 }),
  };
}

async function stored(
  path: string,
  values: EvaluateValues,
  context: Context,
): Promise<EvaluationWork> {
  refuseFitting(values);
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

function shotsOf(words: readonly string[] | undefined): number[] | undefined {
  return words?.map((word) => {
    const count = /^\d+$/.test(word) ? Number(word) : NaN;
    if (count >= 1) return count;
    throw new UsageError(
      `Cannot use --shots "${word}": expected integers of at least 1`,
    );
  });
}
