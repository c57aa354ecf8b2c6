import {
  type AppendOptions,
  type Bundling,
  Ensemble,
  type FitReport,
  type NamedImage,
  PatchCore,
  readModelFile,
  resolveSettings,
  writeModelFile,
} from "../core/mod.ts";
import { tellCpuAdapter } from "./adapter_line.ts";
import { regionInWords } from "../core/images/region.ts";
import type { RegionSetting } from "../core/settings/settings.ts";
import { loadToAppend } from "./append.ts";
import { type Command, type Context, defineCommand } from "./command.ts";
import { readFile } from "./disk.ts";
import { EXIT, UsageError } from "./exit.ts";
import { listImages } from "./files.ts";
import { bundling, FIT_OPTIONS, type FitValues } from "./fit_options.ts";
import { fitPage } from "./fit_page.ts";
import {
  fitPart,
  foundPart,
  type Part,
  partOf,
  removeSteps,
} from "./fit_part.ts";
import {
  bankLine,
  planLine,
  printReport,
  thresholdLine,
} from "./fit_report.ts";
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
import { regionOf } from "./region_options.ts";
import { warnOfReplaced } from "./replaced_thresholds.ts";
import { withMeasuredRange } from "./sample_range.ts";
import { groupingOf, settingsOf } from "./settings_options.ts";
import { type Shard, shardOf } from "./shard.ts";
import { stageProgress } from "./stage_progress.ts";
import { oneLine, type Terminal } from "./terminal.ts";
import { tuningStore } from "./tuning_store.ts";

/** Share of an image that may be hidden without a word. */
const SILENT_SHARE = 0.05;

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
      "good --model part.safetensors --roi 40,30,200,180 --ignore label.png",
      "A part of the images, without what a mask marks",
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
    [
      "good --model part-$SLURM_ARRAY_TASK_ID.safetensors --shard auto --resume steps",
      "The part that an array task of Slurm is; see deploy/slurm",
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
    const shard = values.shard === undefined
      ? undefined
      : shardOf(values.shard);
    checkShard(values);
    const bundle = bundling(values);
    // A part may replace another one: what is there is looked at below.
    for (const file of shard === undefined ? [values.model, page] : [page]) {
      if (file !== undefined) await refuseExisting(file, values.overwrite);
    }
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
      silentShare: SILENT_SHARE,
      advice: "add --no-crop, --square, or --tile 512 to see it in full",
      rangeAdvice: "add",
    });
    const settled = values.append === undefined
      ? await withMeasuredRange(values, paths, context)
      : values;
    const backbones = values.append === undefined
      ? await loadBackbones(values.backbone, context)
      : undefined;
    const part = shard &&
      await partOf(paths, shard, {
        settings: resolveSettings(settingsOf(settled)),
        backbone: backbones![0],
        values,
      });
    if (part !== undefined && await isFinished(part, values, terminal)) {
      // It may have been killed between the last step and this.
      if (values.resume !== undefined) await removeSteps(values.resume, part);
      return await tellFinished(part, values.model, terminal);
    }
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
    const region = await regionOf(values, paths[0]);
    const appending = append === undefined ? undefined : await loadToAppend(
      append,
      { ...values, memoryBudget: budget, region },
      context,
    );
    using detector = appending?.detector ??
      await newDetector(
        backbones!,
        settled,
        { memoryBudget: budget, region },
        context,
      );
    if (appending === undefined) tellCpuAdapter(detector.gpu, terminal);
    if (bundle === true) detector.checkBundle();
    const { range } = detector.settings;
    checks.geometry = detector.settings;
    checks.range = range;
    if (detector.settings.region !== undefined) {
      terminal.message(
        `Inspects ${regionInWords(detector.settings.region)}`,
      );
    }
    using reader = new ImageReader(part?.paths ?? paths, {
      onImage: checks.look,
      range,
      maxPixels: values.maxPixels,
    });
    const { images } = reader;
    const fitTo = (images: readonly NamedImage[], shard?: Shard) =>
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
    if (part !== undefined) {
      const fitted = await fitPart({
        ...{ detector: detector as PatchCore, part, images, bundle, terminal },
        values,
        fit: async (own, shard) => await fitTo(own, shard) as FitReport,
      });
      const bytes = writeModelFile(fitted.model);
      await writeOutput(values.model, bytes, true);
      if (values.resume !== undefined) await removeSteps(values.resume, part);
      checks.finish();
      const failed = part.paths.length - fitted.model.imageNames.length;
      const lessons = modelLessons(fitted.model);
      const lines = lessonLines(lessons);
      const trainScores = fitted.model.trainScores;
      printReport(fitted.report, {
        model: values.model,
        bytes: bytes.length,
        ...{ failed, trainScores },
        more: {
          ...lessonFacts(lessons),
          ...{ shard: part.shard.join("/"), kept: false },
        },
      }, terminal);
      for (const line of lines) terminal.result(line);
      if (page !== undefined) {
        const text = await fitPage(detector, values.model, [
          thresholdLine(fitted.report, trainScores),
          ...lines,
        ]);
        await writeOutput(page, text, values.overwrite);
      }
      await noteBackbones(detector, bundle, values, terminal);
      printProfile(await detector.kernelTimes(), terminal);
      return failed > 0 ? EXIT.failure : EXIT.ok;
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
    if (values.minArea !== undefined) detector.setMinArea(values.minArea);
    const bytes = detector.save({
      bundle,
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
    await noteBackbones(detector, bundle, values, terminal);
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
  [backbone, ...others]: Awaited<ReturnType<typeof loadBackbones>>,
  values: FitValues,
  { memoryBudget, region }: {
    readonly memoryBudget: number;
    readonly region: RegionSetting | undefined;
  },
  context: Context,
): Promise<Detector> {
  const options = {
    ...settingsOf(values, region),
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
  return await Ensemble.create({
    ...options,
    backbones: [backbone, ...others],
  });
}

/**
 * Refuses what a part, or a fit in steps, cannot do.
 *
 * @throws {UsageError} Saying what.
 */
function checkShard(values: FitValues): void {
  const { resume, shard, report, append, backbone } = values;
  if (shard === undefined && resume !== undefined) {
    throw new UsageError(
      "Cannot use --resume without --shard: it keeps the steps of a part; --shard 1/1 makes one part of all images",
    );
  }
  if (shard !== undefined && append !== undefined) {
    throw new UsageError(
      "Cannot use --append with --shard: merge the parts first",
    );
  }
  if (shard !== undefined && backbone !== undefined && backbone.length > 1) {
    throw new UsageError(
      "Cannot use --shard with several backbones: fit each alone",
    );
  }
  if (shard !== undefined && decidesForeground(values)) {
    throw new UsageError(
      "Cannot use --foreground auto with --shard: every part would decide on its own images; give --foreground on or off",
    );
  }
  if (
    shard !== undefined &&
    (values.roi !== undefined || values.ignore !== undefined)
  ) {
    throw new UsageError(
      "Cannot use --roi or --ignore with --shard: parts carry patches of whole images along for the threshold; fit all images at once",
    );
  }
  if (shard !== undefined && values.tile !== undefined) {
    throw new UsageError(
      "Cannot use --tile with --shard: parts carry patches of whole images along for the threshold; fit all images at once",
    );
  }
  if (resume !== undefined && report !== undefined) {
    throw new UsageError(
      "Cannot use --report with --resume: nothing is left of the steps that were done before",
    );
  }
}

/** Whether the training images tell if there is a ground that does not count. */
function decidesForeground(values: FitValues): boolean {
  // A range that has to be measured says nothing about that.
  const settings = settingsOf({ ...values, range: undefined });
  return resolveSettings(settings).foreground.mask === "auto";
}

/**
 * Whether a part is finished already; tells what is going to be replaced, if
 * something is.
 *
 * @throws {FileError} If the file is a model of all images.
 */
async function isFinished(
  { paths, shard, key }: Part,
  { model, overwrite }: FitValues,
  terminal: Terminal,
): Promise<boolean> {
  if (paths.length === 0) {
    throw new UsageError(
      `Cannot fit part ${shard[0]} of ${
        shard[1]
      }: there are fewer images than parts`,
    );
  }
  const found = await foundPart(model, key);
  if (found.kind === "whole") await refuseExisting(model, overwrite);
  if (found.kind === "other") {
    terminal.message(`Replacing "${model}": ${found.why}`);
  }
  return found.kind === "finished";
}

/** Says what a part that was finished before is. */
async function tellFinished(
  { paths, shard }: Part,
  path: string,
  terminal: Terminal,
): Promise<number> {
  const bytes = await readFile(path);
  const model = readModelFile(bytes);
  const failed = paths.length - model.imageNames.length;
  const facts = {
    images: model.imageNames.length,
    patches: model.coverage!.patches,
    bankRows: model.rows,
    dim: model.dim,
  };
  terminal.record({
    ...{ model: path, images: facts.images, failed, patches: facts.patches },
    ...{ bank_rows: facts.bankRows, dim: facts.dim },
    threshold: model.threshold?.value ?? null,
    map_threshold: model.mapThreshold?.value ?? null,
    ...{ shard: shard.join("/"), kept: true },
  });
  terminal.result(bankLine(facts, path, bytes.length));
  terminal.message(
    `Part ${shard[0]} of ${
      shard[1]
    } is finished, of the same images and settings: it is left as it is`,
  );
  return failed > 0 ? EXIT.failure : EXIT.ok;
}

/** Says which backbones of a model will have to be named to use it. */
async function noteBackbones(
  detector: Detector,
  bundle: Bundling,
  { backbone: names = [], model }: FitValues,
  terminal: Terminal,
): Promise<void> {
  const members = detector instanceof Ensemble ? detector.members : [detector];
  for (const [i, name] of names.entries()) {
    if (name === DEMO_BACKBONE) continue;
    if (members[i]!.isBundled(bundle)) continue;
    if ((await backbonePlaces(name, model)).length > 0) continue;
    terminal.message(
      `The model does not contain its backbone: to use it give --backbone "${name}" again, put that file beside the model or into the weights folder, or fit with --bundle`,
    );
  }
}

async function withProgress<T>(
  { terminal }: Context,
  work: (onProgress: ReturnType<typeof stageProgress>) => Promise<T>,
): Promise<T> {
  using progress = stageProgress(terminal);
  return await work(progress);
}
