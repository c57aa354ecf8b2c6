import {
  type AppendOptions,
  Ensemble,
  type NamedImage,
  PatchCore,
} from "../core/mod.ts";
import { tellCpuAdapter } from "./adapter_line.ts";
import { loadToAppend } from "./append.ts";
import { type Command, type Context, defineCommand } from "./command.ts";
import { EXIT, UsageError } from "./exit.ts";
import { listImages } from "./files.ts";
import { FIT_OPTIONS, type FitValues } from "./fit_options.ts";
import { fitPage } from "./fit_page.ts";
import { planLine, printReport, thresholdLine } from "./fit_report.ts";
import { ImageChecks } from "./image_checks.ts";
import { ImageReader } from "./image_reader.ts";
import { checkOperands } from "./layout_options.ts";
import {
  lessonFacts,
  lessonLines,
  modelLessons,
  nextLine,
  trainScoresOf,
} from "./lessons.ts";
import {
  backbonePlaces,
  DEMO_BACKBONE,
  loadBackbones,
} from "./load_backbone.ts";
import { memoryBudget } from "./memory.ts";
import { type Detector, modelsOf } from "./model_loading.ts";
import { refuseExisting, writeOutput } from "./output.ts";
import { printProfile } from "./profile.ts";
import { warnOfReplaced } from "./replaced_thresholds.ts";
import { withMeasuredRange } from "./sample_range.ts";
import { groupingOf, settingsOf } from "./settings_options.ts";
import { stageProgress } from "./stage_progress.ts";
import { oneLine, type Terminal } from "./terminal.ts";
import { tuningStore } from "./tuning_store.ts";

/** `fit`: a model from images of good parts. */
export const fit: Command = defineCommand({
  name: "fit",
  summary: "Learn from images of good parts and write a model",
  operands: {
    name: "IMAGES",
    help:
      "images of good parts only: files, folders, or a dataset folder, whose training images are taken; folders named test, masks, NG, bad, defect… are refused",
    min: 0,
  },
  options: FIT_OPTIONS,
  examples: [
    ["train/good --model part.safetensors", "The paper's settings"],
    [
      "bottle --model bottle.safetensors --coreset 0.01 --bundle",
      "A small model of a dataset folder, backbone included",
    ],
    [
      "good/*.jpg --model part.safetensors --backbone resnet18.onnx --no-crop --square",
      "Another backbone, whole images",
    ],
    [
      "photos --model part.safetensors --tile 512",
      "Small defects in large photographs",
    ],
    [
      "huge --model part.safetensors --memory 1GiB --max-bank 20000",
      "Any number of images in a gibibyte of GPU memory",
    ],
    [
      "new --append part.safetensors --model part2.safetensors",
      "Add images to a model",
    ],
    [
      "good --model part-1.safetensors --shard 1/4",
      "One of four parts, on one of four machines; see merge",
    ],
  ],
  async run(operands, values, context): Promise<number> {
    const { terminal, signal } = context;
    checkOperands(operands, "IMAGES", values);
    const { dropOdd, report: page } = values;
    if (dropOdd !== undefined && (values.append ?? values.shard)) {
      throw new UsageError(
        "Cannot use --drop-odd with --append or --shard: it takes a fit of all images",
      );
    }
    for (const file of [values.model, page]) {
      if (file !== undefined) await refuseExisting(file, values.overwrite);
    }
    const shard = shardOf(values.shard);
    const budget = await memoryBudget(values.memory);
    const { paths, notes, warnings } = await listImages(
      operands,
      "fit",
      values,
    );
    for (const note of notes) terminal.message(note);
    for (const warning of warnings) terminal.warn(warning);
    const checks = new ImageChecks(terminal, {
      refuseMasks: !values.all,
      advice: "add --no-crop, --square, or --tile 512 to see it in full",
      rangeAdvice: "add",
    });
    const unusable = new Set<string>();
    const work: AppendOptions = {
      ...groupingOf(values.groupBy),
      signal,
      onImageError: (name, error) => {
        checks.throwIfRefused();
        unusable.add(name);
        terminal.error(error.message);
      },
      onPlan: (plan) => terminal.message(planLine(plan)),
    };
    const { append } = values;
    const appending = append === undefined ? undefined : await loadToAppend(
      append,
      { ...values, memoryBudget: budget },
      context,
    );
    using detector = appending?.detector ??
      await newDetector(
        await withMeasuredRange(values, paths, context),
        budget,
        context,
      );
    if (appending === undefined) tellCpuAdapter(detector.gpu, terminal);
    if (values.bundle) detector.checkBundle();
    const { range } = detector.settings;
    checks.geometry = detector.settings;
    checks.range = range;
    using reader = new ImageReader(partOf(paths, shard), {
      onImage: checks.look,
      range,
      maxPixels: values.maxPixels,
    });
    const { images } = reader;
    const fitTo = (images: readonly NamedImage[]) =>
      withProgress(context, async (onProgress) => {
        const options = { ...work, onProgress };
        return appending === undefined
          ? await detector.fit(images, { ...options, ...(shard && { shard }) })
          : await appending.detector.append(images, {
            ...options,
            ...appending.options,
          });
      });
    if (typeof dropOdd === "number" && dropOdd > images.length - 2) {
      throw new UsageError(
        `Cannot leave ${dropOdd} of ${images.length} images out: two have to be left for a threshold; give a smaller number with --drop-odd`,
      );
    }
    let report = await fitTo(images);
    const dropped = dropOdd === undefined
      ? []
      : oddNames(detector.model, dropOdd);
    if (dropOdd !== undefined) noteDropped(dropped, terminal);
    if (dropped.length > 0) {
      const left = new Set([...dropped, ...unusable]);
      report = await fitTo(images.filter(({ name }) => !left.has(name)));
    }
    const failed = unusable.size;
    const bytes = detector.save({
      bundle: values.bundle,
      bankPrecision: values.bankPrecision,
    });
    await writeOutput(values.model, bytes, values.overwrite);
    checks.finish();
    const lessons = modelLessons(detector.model);
    const trainScores = trainScoresOf(modelsOf(detector));
    printReport(report, {
      model: values.model,
      bytes: bytes.length,
      ...{ failed, trainScores },
      more: { ...lessonFacts(lessons), dropped_images: dropped },
    }, terminal);
    const lines = lessonLines(lessons);
    for (const line of lines) terminal.result(line);
    if (appending !== undefined) {
      const after = { name: values.model, model: detector.model };
      warnOfReplaced([appending.before], after, terminal);
    }
    if (page !== undefined) {
      const text = await fitPage(detector, values.model, [
        thresholdLine(report, trainScores),
        ...lines,
      ]);
      await writeOutput(page, text, values.overwrite);
    }
    terminal.message(nextLine(values.model));
    await noteBackbones(values, terminal);
    printProfile(await detector.kernelTimes(), terminal);
    return failed > 0 ? EXIT.failure : EXIT.ok;
  },
});

/** Names of training images that are left out. */
function oddNames(
  model: Detector["model"],
  wanted: number | "auto",
): readonly string[] {
  const { odd } = modelLessons(model);
  const count = wanted === "auto" ? odd : wanted;
  return modelLessons(model, count).oddest.map(({ name }) => name);
}

function noteDropped(names: readonly string[], terminal: Terminal): void {
  terminal.message(
    names.length === 0
      ? "No training image looks unlike the others: none is left out"
      : `Fitting again without ${names.length} of the training images, which look unlike the others: ${
        names.map(oneLine).join(", ")
      }`,
  );
}

async function newDetector(
  values: FitValues,
  memoryBudget: number,
  context: Context,
): Promise<Detector> {
  const [backbone, ...others] = await loadBackbones(values.backbone, context);
  const options = {
    ...settingsOf(values),
    batch: values.batch,
    allowRandom: values.allowRandom,
    profile: values.profile,
    precision: values.precision,
    memoryBudget,
    thresholdImages: values.thresholdImages,
    ...tuningStore(values.noAutotune, context.terminal),
  };
  if (others.length === 0) {
    return await PatchCore.create({ ...options, backbone });
  }
  if (values.shard !== undefined) {
    throw new UsageError(
      "Cannot use --shard with several backbones: fit each alone",
    );
  }
  return await Ensemble.create({
    ...options,
    backbones: [backbone, ...others],
  });
}

/** Says which backbones of a model will have to be named to use it. */
async function noteBackbones(
  { backbone: names = [], bundle, model }: FitValues,
  terminal: Terminal,
): Promise<void> {
  if (bundle) return;
  for (const name of names) {
    if (name === DEMO_BACKBONE) continue;
    if ((await backbonePlaces(name, model)).length > 0) continue;
    terminal.message(
      `The model does not contain its backbone: to use it give --backbone "${name}" again, put that file beside the model or into the weights folder, or fit with --bundle`,
    );
  }
}

/** Reads `i/n`. */
function shardOf(
  text: string | undefined,
): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const [, part, parts] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (part! >= 1 && part! <= parts!) return [part!, parts!];
  throw new UsageError(
    `Cannot use --shard "${text}": expected i/n with i from 1 to n, such as 1/4`,
  );
}

/** Every n-th image. */
function partOf(
  paths: readonly string[],
  shard: readonly [number, number] | undefined,
): readonly string[] {
  if (shard === undefined) return paths;
  const [part, parts] = shard;
  const own = paths.filter((_, i) => i % parts === part - 1);
  if (own.length > 0) return own;
  throw new UsageError(
    `Cannot fit part ${part} of ${parts}: there are only ${paths.length} images`,
  );
}

async function withProgress<T>(
  { terminal }: Context,
  work: (onProgress: ReturnType<typeof stageProgress>) => Promise<T>,
): Promise<T> {
  using progress = stageProgress(terminal);
  return await work(progress);
}
