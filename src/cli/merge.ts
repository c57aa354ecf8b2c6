import {
  mergeSources,
  readModelFile,
  type StoredModel,
  writeModelFile,
} from "../core/mod.ts";
import { type Command, defineCommand } from "./command.ts";
import { readFile } from "./disk.ts";
import { EXIT } from "./exit.ts";
import { WRITING_OPTIONS } from "./fit_options.ts";
import {
  bankLine,
  numberOrNull,
  radiusLine,
  thresholdLine,
} from "./fit_report.ts";
import { namingModel } from "./model_loading.ts";
import { refuseExisting, writeOutput } from "./output.ts";
import { type JudgingModel, warnOfReplaced } from "./replaced_thresholds.ts";
import { SETTINGS_OPTIONS } from "./settings_options.ts";
import { stageProgress } from "./stage_progress.ts";

/** `merge`: one model of models that were fitted to parts of the images. */
export const merge: Command = defineCommand({
  name: "merge",
  summary: "Make one model of models that were fitted to parts of the images",
  operands: {
    name: "MODELS",
    help:
      "parts as fit --shard writes them, in any order, or models of the same backbone and settings; their images are not needed: parts carry along what sets the threshold. They are read two at a time",
    min: 1,
  },
  options: {
    ...WRITING_OPTIONS,
    maxBank: SETTINGS_OPTIONS.maxBank,
    expect: {
      kind: "integer",
      value: "N",
      min: 1,
      unit: "parts",
      fallback: "as many as the parts say",
      help: "refuse to merge unless all of N parts are there",
    },
    partial: {
      kind: "flag",
      help:
        "merge some of the parts: the result is a part as well, to be merged with the others",
    },
  },
  examples: [
    [
      "part-1.safetensors part-2.safetensors --model part.safetensors",
      "One model of two parts",
    ],
    [
      "part-*.safetensors --model part.safetensors --expect 16",
      "One model of sixteen parts, if all are there",
    ],
    [
      "part-1.safetensors part-2.safetensors --model left.safetensors --partial",
      "A part of two parts, to be merged with others",
    ],
  ],
  async run(paths, values, { terminal }): Promise<number> {
    const { model: path, overwrite, bankPrecision } = values;
    const { maxBank, expect, partial } = values;
    await refuseExisting(path, overwrite);
    /** Thresholds of the models, which may have been set by somebody. */
    const judging = new Map<string, JudgingModel>();
    const sources = paths.map((name) => ({
      name,
      load: async () => {
        const { threshold, mapThreshold, ...model } = await load(name);
        const own = {
          ...(threshold && { threshold }),
          ...(mapThreshold && { mapThreshold }),
        };
        judging.set(name, { name, model: own });
        return { ...model, ...own };
      },
    }));
    using progress = stageProgress(terminal);
    const { model, passes, peakGpuBytes } = await mergeSources(sources, {
      ...(maxBank !== undefined && { maxBank }),
      ...(expect !== undefined && { expect }),
      partial,
      onProgress: (done, total) => progress("coreset", done, total),
    });
    const bytes = writeModelFile({ ...model, bankPrecision });
    await writeOutput(path, bytes, overwrite);
    const facts = {
      images: model.imageNames.length,
      patches: model.coverage!.patches,
      bankRows: model.rows,
      dim: model.dim,
      threshold: model.threshold?.value ?? NaN,
      mapThreshold: model.mapThreshold?.value ?? NaN,
      radius: undefined,
      radiusImages: 0,
      radiusBound: model.coverage!.radius,
    };
    terminal.record({
      model: path,
      merged: paths.length,
      images: facts.images,
      patches: facts.patches,
      bank_rows: facts.bankRows,
      dim: facts.dim,
      threshold: numberOrNull(facts.threshold),
      map_threshold: numberOrNull(facts.mapThreshold),
      threshold_images: model.threshold?.rule["images"] ?? 0,
      shard: model.coverage!.shard ?? null,
      coreset_radius_bound: facts.radiusBound ?? null,
      coreset_passes: passes,
      peak_gpu_bytes: peakGpuBytes,
    });
    terminal.result(bankLine(facts, path, bytes.length));
    terminal.result(thresholdLine(facts, model.trainScores));
    const radius = radiusLine(facts);
    if (radius !== undefined) terminal.message(radius);
    warnOfReplaced([...judging.values()], { name: path, model }, terminal);
    return EXIT.ok;
  },
});

async function load(path: string): Promise<StoredModel> {
  const bytes = await readFile(path);
  return await namingModel(path, () => Promise.resolve(readModelFile(bytes)));
}
