import {
  Ensemble,
  type EnsembleFitReport,
  type FitReport,
  PatchCore,
} from "../core/mod.ts";
import { type Command, type Context, defineCommand } from "./command.ts";
import { readImage } from "./disk.ts";
import { EXIT } from "./exit.ts";
import { listImages } from "./files.ts";
import { loadBackbones } from "./load_backbone.ts";
import { type Detector, PRECISION_OPTION } from "./model_loading.ts";
import { refuseExisting, writeOutput } from "./output.ts";
import { printProfile } from "./profile.ts";
import { SETTINGS_OPTIONS, settingsOf } from "./settings_options.ts";
import { stageProgress } from "./stage_progress.ts";
import type { Terminal } from "./terminal.ts";
import { AUTOTUNE_OPTION, tuningStore } from "./tuning_store.ts";

/** `fit`: a model from images of good parts. */
export const fit: Command = defineCommand({
  name: "fit",
  summary: "Learn from images of good parts and write a model",
  operands: {
    name: "IMAGES",
    help:
      "images of good parts only: files, folders, or a dataset folder, whose training images are taken",
    min: 1,
  },
  options: {
    model: {
      kind: "text",
      value: "M.safetensors",
      required: true,
      help: "where the model goes",
    },
    ...SETTINGS_OPTIONS,
    batch: {
      kind: "integer",
      min: 1,
      unit: "images",
      default: 8,
      help: "how many images the GPU works on at once",
    },
    precision: PRECISION_OPTION,
    noAutotune: AUTOTUNE_OPTION,
    bankPrecision: {
      kind: "choice",
      choices: ["f32", "f16"],
      default: "f32",
      help: "how the memory bank is stored",
    },
    bundle: {
      kind: "flag",
      help: "put the backbone into the model, so that one file is all",
    },
    allowRandom: {
      kind: "flag",
      help: "accept a backbone with random weights, for tests and benches",
    },
    overwrite: { kind: "flag", help: "replace an existing model" },
    profile: { kind: "flag", help: "print the GPU time of every kernel" },
  },
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
  ],
  async run(operands, values, context): Promise<number> {
    const { terminal, signal } = context;
    await refuseExisting(values.model, values.overwrite);
    const { paths, notes } = await listImages(operands, "fit");
    for (const note of notes) terminal.message(note);
    const [backbone, ...others] = await loadBackbones(values.backbone, context);
    const options = {
      ...settingsOf(values),
      batch: values.batch,
      allowRandom: values.allowRandom,
      profile: values.profile,
      precision: values.precision,
      ...tuningStore(values.noAutotune, terminal),
    };
    using detector: Detector = others.length === 0
      ? await PatchCore.create({ ...options, backbone })
      : await Ensemble.create({ ...options, backbones: [backbone, ...others] });
    let failed = 0;
    const images = paths.map((name) => ({
      name,
      content: () => readImage(name),
    }));
    const report = await withProgress(
      context,
      (onProgress) =>
        detector.fit(images, {
          signal,
          onProgress,
          onImageError: (_, error) => {
            failed++;
            terminal.error(error.message);
          },
        }),
    );
    const bytes = detector.save({
      bundle: values.bundle,
      bankPrecision: values.bankPrecision,
    });
    await writeOutput(values.model, bytes, values.overwrite);
    printReport(report, values.model, bytes.length, failed, terminal);
    printProfile(await detector.kernelTimes(), terminal);
    return failed > 0 ? EXIT.failure : EXIT.ok;
  },
});

async function withProgress<T>(
  { terminal }: Context,
  work: (onProgress: ReturnType<typeof stageProgress>) => Promise<T>,
): Promise<T> {
  using progress = stageProgress(terminal);
  return await work(progress);
}

function printReport(
  report: FitReport | EnsembleFitReport,
  model: string,
  bytes: number,
  failed: number,
  terminal: Terminal,
): void {
  const { images, patches, bankRows, dim, seconds } = report;
  const { threshold, mapThreshold } = report;
  terminal.record({
    model,
    images,
    failed,
    patches,
    bank_rows: bankRows,
    dim,
    threshold: Number.isNaN(threshold) ? null : threshold,
    map_threshold: Number.isNaN(mapThreshold) ? null : mapThreshold,
    coreset_radius: report.radius ?? null,
    coreset_passes: report.passes,
    seconds,
    peak_gpu_bytes: report.peakGpuBytes,
    adapter: report.adapter,
    ...("members" in report && {
      members: report.members.map((member) => ({
        bank_rows: member.bankRows,
        dim: member.dim,
        threshold: Number.isNaN(member.threshold) ? null : member.threshold,
      })),
    }),
  });
  terminal.result(
    `${model}: ${bankRows} of ${patches} patches from ${images} images, ${dim} dimensions, ${
      (bytes / 1e6).toFixed(1)
    } MB`,
  );
  terminal.result(
    Number.isNaN(threshold)
      ? "No threshold: leaving one image out leaves nothing to compare with; fit more images"
      : `Threshold ${threshold.toPrecision(6)}, of maps ${
        mapThreshold.toPrecision(6)
      }`,
  );
  terminal.message(
    `${seconds.total.toFixed(1)} s: decode ${
      seconds.decode.toFixed(1)
    }, backbone ${seconds.trunk.toFixed(1)}, patches ${
      seconds.patches.toFixed(1)
    }, coreset ${seconds.coreset.toFixed(1)}, threshold ${
      seconds.threshold.toFixed(1)
    }; at most ${
      (report.peakGpuBytes / 1e6).toFixed(0)
    } MB of GPU memory on ${report.adapter}`,
  );
  if (failed > 0) {
    terminal.warn(
      `${failed} images could not be used, the model is without them`,
    );
  }
}
