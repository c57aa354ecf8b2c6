import {
  EnsembleEvaluator,
  evaluateCategory,
  type EvaluateOptions,
  type EvaluationRecord,
  evaluationRecord,
  Evaluator,
  scoreSamples,
  sourcesOf,
  type Variant,
} from "../core/evaluation/mod.ts";
import type { Category, LayoutName } from "../core/datasets/dataset.ts";
import { limitsOf } from "../core/model/thresholds.ts";
import type { BackboneFile } from "../core/mod.ts";
import type {
  RegionSetting,
  Settings,
  SettingsOptions,
} from "../core/settings/settings.ts";
import { VERSION } from "../core/settings/version.ts";
import { sha256 } from "../core/weights.ts";
import { tellCpuAdapter } from "./adapter_line.ts";
import type { Context } from "./command.ts";
import { DISK, readFile } from "./disk.ts";
import {
  type EvaluateValues,
  refuseFitting,
  refuseStored,
  refuseUnused,
} from "./evaluate_options.ts";
import { UsageError } from "./exit.ts";
import { loadBackbones } from "./load_backbone.ts";
import { loadDetector, modelsOf } from "./model_loading.ts";
import { groupingOf, settingsOf } from "./settings_options.ts";
import { applyThresholds, thresholdChange } from "./threshold_options.ts";
import { tuningStore } from "./tuning_store.ts";

/** Options of the work on one category. */
type WorkOnCategory = Omit<
  EvaluateOptions,
  "files" | "rule" | "shots" | "seeds" | "radius" | "batch"
>;

/** What `evaluate` does with each category. */
interface EvaluationWork extends Disposable {
  /** All that decides the results beside the images. */
  readonly method: Readonly<Record<string, unknown>>;
  /** Every switch of PatchCore. */
  readonly settings: Settings;
  /** Name of the adapter that does the work. */
  readonly adapterName: string;
  /** Names of the images that a stored model was fitted to. */
  readonly trained?: readonly string[];
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
  readonly #region: RegionSetting | undefined;
  readonly #context: Context;
  readonly #prepared = new Map<boolean, EvaluationWork>();

  /** Keeps what was asked for; nothing is loaded yet. */
  constructor(
    values: EvaluateValues,
    region: RegionSetting | undefined,
    context: Context,
  ) {
    this.#values = values;
    this.#region = region;
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
        ? await fitting(values, this.#region, this.#context)
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
  const { method, resize, square, crop, layers, tile } = values;
  const geometry = resize === undefined && !square && crop === undefined &&
    tile === undefined;
  const deeper = method === "patchcore" ? ["layer3", "layer4"] : undefined;
  return {
    ...values,
    ...(geometry && { resize: 256, square: true, crop: false as const }),
    layers: layers ?? deeper,
  };
}

async function fitting(
  values: EvaluateValues,
  region: RegionSetting | undefined,
  context: Context,
): Promise<EvaluationWork> {
  const { maskRule: rule, seeds, verbose: radius, batch } = values;
  const shots = shotsOf(values.shots);
  refuseStored(values);
  refuseUnused(values);
  const files = await loadBackbones(values.backbone, context);
  const { evaluator, facts } = files.length === 1
    ? await single(files[0], values, region, context)
    : await ensemble(files, values, region, context);
  tellCpuAdapter(evaluator.gpu, context.terminal);
  const { settings } = evaluator;
  const draw = values.draw ??
    (values.preset === "anomalydino" ? "in-order" : "random");
  const choices = {
    ...{ rule, seeds, radius },
    ...(shots && { shots, draw: draw as "random" | "in-order" }),
  };
  const grouping = groupingOf(values.groupBy);
  return {
    method: {
      ...{ version: VERSION, settings, ...facts, ...choices },
      ...(values.groupBy !== undefined && { groupBy: values.groupBy }),
    },
    settings,
    adapterName: evaluator.gpu.adapterName,
    evaluate: (category, work) =>
      evaluateCategory(evaluator, category, {
        ...work,
        ...choices,
        ...grouping,
        files: DISK,
        batch,
      }),
    [Symbol.dispose]: () => evaluator[Symbol.dispose](),
  };
}

/** An evaluator, and what of it decides the results. */
interface Prepared {
  readonly evaluator: Evaluator | EnsembleEvaluator;
  readonly facts: Readonly<Record<string, unknown>>;
}

async function single(
  file: BackboneFile,
  values: EvaluateValues,
  region: RegionSetting | undefined,
  { terminal }: Context,
): Promise<Prepared> {
  const { allowRandom, method } = values;
  const variant = variantOf(values);
  const evaluator = await Evaluator.create(
    file,
    fittedSettings(values, region),
    {
      allowRandom,
      method,
      variant,
      ...tuningStore(values.noAutotune, terminal),
    },
  );
  const backbone = evaluator.backbone.sha256;
  return { evaluator, facts: { method, backbone, ...variant } };
}

async function ensemble(
  files: readonly BackboneFile[],
  values: EvaluateValues,
  region: RegionSetting | undefined,
  { terminal }: Context,
): Promise<Prepared> {
  const { allowRandom, batch, ensembleNorm: norm } = values;
  const evaluator = await EnsembleEvaluator.create(
    files,
    fittedSettings(values, region),
    { allowRandom, batch, norm, ...tuningStore(values.noAutotune, terminal) },
  );
  const backbones = await Promise.all(files.map(({ bytes }) => sha256(bytes)));
  return { evaluator, facts: { backbones, norm } };
}

function fittedSettings(
  values: EvaluateValues,
  region: RegionSetting | undefined,
): SettingsOptions {
  const { subsample } = values;
  return settingsOf({
    ...values,
    subsample: subsample === "proxies" ? undefined : subsample,
  }, region);
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
  const thresholds = thresholdChange(values);
  const { maskRule: rule, batch } = values;
  const { backbone } = values;
  const detector = await loadDetector(
    path,
    { backbone, batch, profile: false, noAutotune: values.noAutotune },
    context,
  );
  const { minArea } = values;
  applyThresholds(detector, thresholds, {
    ...{ path, terminal: context.terminal, minArea },
  });
  const limits = limitsOf(detector.model);
  const members = modelsOf(detector);
  return {
    method: {
      version: VERSION,
      model: await sha256(await readFile(path)),
      rule,
      ...(thresholds && { thresholds }),
      ...(minArea !== undefined && { minArea }),
    },
    settings: detector.settings,
    adapterName: detector.adapterName,
    trained: members[0]!.imageNames,
    async evaluate(category, work): Promise<EvaluationRecord[]> {
      const start = performance.now();
      const { name, test } = category;
      const { onProgress: _, ...rest } = work;
      const result = await scoreSamples(
        detector.predict(sourcesOf(test, DISK), rest),
        test,
        { ...work, files: DISK },
        {
          geometry: detector.settings,
          rule,
          limits,
        },
      );
      const total = (performance.now() - start) / 1000;
      return [
        evaluationRecord(result, {
          category: name,
          train: members[0]!.imageNames.length,
          bankRows: members.reduce((sum, { rows }) => sum + rows, 0),
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
