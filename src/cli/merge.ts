import { mergeModels, readModelFile, writeModelFile } from "../core/mod.ts";
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
import { refuseExisting, writeOutput } from "./output.ts";
import { warnOfReplaced } from "./replaced_thresholds.ts";
import { SETTINGS_OPTIONS } from "./settings_options.ts";
import { stageProgress } from "./stage_progress.ts";

/** `merge`: one model of models that were fitted to parts of the images. */
export const merge: Command = defineCommand({
  name: "merge",
  summary: "Make one model of models that were fitted to parts of the images",
  operands: {
    name: "MODELS",
    help:
      "models of the same backbone and settings, as fit --shard writes them; their images are not needed and keep the scores that they had against their own part",
    min: 2,
  },
  options: {
    ...WRITING_OPTIONS,
    maxBank: SETTINGS_OPTIONS.maxBank,
  },
  examples: [
    [
      "part-1.safetensors part-2.safetensors --model part.safetensors",
      "One model of two parts",
    ],
  ],
  async run(paths, values, { terminal }): Promise<number> {
    const { model: path, overwrite, bankPrecision, maxBank } = values;
    await refuseExisting(path, overwrite);
    const models = [];
    for (const name of paths) {
      models.push({ name, model: readModelFile(await readFile(name)) });
    }
    using progress = stageProgress(terminal);
    const { model, passes, peakGpuBytes } = await mergeModels(models, {
      ...(maxBank !== undefined && { maxBank }),
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
      coreset_radius_bound: facts.radiusBound ?? null,
      coreset_passes: passes,
      peak_gpu_bytes: peakGpuBytes,
    });
    terminal.result(bankLine(facts, path, bytes.length));
    terminal.result(thresholdLine(facts, model.trainScores));
    const radius = radiusLine(facts);
    if (radius !== undefined) terminal.message(radius);
    warnOfReplaced(models, { name: path, model }, terminal);
    return EXIT.ok;
  },
});
