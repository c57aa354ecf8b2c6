import type { Prediction } from "../core/mod.ts";
import { Report } from "../core/report/mod.ts";
import { type Command, type Context, defineCommand } from "./command.ts";
import { predictionCsv } from "./csv.ts";
import { EXIT, UsageError } from "./exit.ts";
import { listImages } from "./files.ts";
import { ImageReader } from "./image_reader.ts";
import { loadDetector, MODEL_OPTIONS } from "./model_loading.ts";
import { OutputFolder } from "./output.ts";
import {
  failureRecord,
  type PredictionRecord,
  predictionRecord,
} from "./prediction_record.ts";
import { PredictionFiles } from "./prediction_files.ts";
import { reportFacts } from "./prediction_report.ts";
import { printProfile } from "./profile.ts";
import { stageProgress } from "./stage_progress.ts";
import { oneLine } from "./terminal.ts";
import {
  applyThresholds,
  THRESHOLD_OPTIONS,
  thresholdChange,
} from "./threshold_options.ts";

/** `predict`: scores and anomaly maps of images. */
export const predict: Command = defineCommand({
  name: "predict",
  summary: "Score images with a model",
  operands: {
    name: "IMAGES",
    help:
      "images to inspect: files, folders, or a dataset folder, whose test images are taken",
    min: 1,
  },
  options: {
    model: {
      kind: "text",
      value: "M.safetensors",
      required: true,
      help: "the model, as fit wrote it",
    },
    ...THRESHOLD_OPTIONS,
    ...MODEL_OPTIONS,
    out: {
      kind: "text",
      value: "DIR",
      help:
        "folder for what follows; predictions.jsonl is always written there",
    },
    maps: {
      kind: "choice",
      choices: ["npy", "png", "tiff"],
      fallback: "none",
      help: "write anomaly maps in the geometry of the original images",
    },
    overlay: { kind: "flag", help: "write the maps drawn over the images" },
    mask: { kind: "flag", help: "write masks of what is above the threshold" },
    csv: { kind: "flag", help: "write predictions.csv" },
    report: {
      kind: "flag",
      help: "write report.html: scores, and the worst images with pictures",
    },
    overwrite: { kind: "flag", help: "write into a folder with other files" },
    failOnAnomaly: {
      kind: "flag",
      help: "exit with 3 when an image is anomalous or uncertain",
    },
  },
  examples: [
    ["photo.png --model part.safetensors", "One image"],
    [
      "inbox --model part.safetensors --out results --overlay --report",
      "A folder, with pictures and a page to look at",
    ],
    [
      "inbox --model part.safetensors --threshold 2.5..3.1",
      "By other thresholds: uncertain from 2.5, anomalous from 3.1",
    ],
    [
      "inbox --model part.safetensors --json --fail-on-anomaly",
      "JSON lines and an exit code for scripts",
    ],
  ],
  async run(operands, values, context): Promise<number> {
    const { terminal, signal } = context;
    const { out, maps, overlay, mask, csv, report } = values;
    if (out === undefined && (maps || overlay || mask || csv || report)) {
      throw new UsageError(
        "--maps, --overlay, --mask, --csv and --report write files: name a folder with --out DIR",
      );
    }
    const thresholds = thresholdChange(values);
    const { paths, notes, truths } = await listImages(operands, "predict");
    for (const note of notes) terminal.message(note);
    using reader = new ImageReader(paths);
    using detector = await loadDetector(values.model, values, context);
    applyThresholds(detector, thresholds, {
      path: values.model,
      terminal,
      needing: [values.failOnAnomaly && "--fail-on-anomaly", mask && "--mask"],
    });
    const folder = out === undefined
      ? undefined
      : await OutputFolder.open(out, operands, values.overwrite);
    const files = folder && new PredictionFiles(folder, paths, values);
    const page = report ? new Report() : undefined;
    const records: PredictionRecord[] = [];
    let failed = 0;
    let anomalous = 0;
    let uncertain = 0;
    let disagreeing = 0;
    const add = (record: PredictionRecord): void => {
      records.push(record);
      terminal.record({ ...record });
      if ("error" in record) {
        failed++;
        return;
      }
      if (record.pred_label === "anomalous") anomalous++;
      if (record.pred_label === "uncertain") uncertain++;
      if (record.map.disagrees) disagreeing++;
    };
    using progress = stageProgress(terminal);
    const predictions = detector.predict(reader.images, {
      signal,
      onImageError: (name, error) => {
        add(failureRecord(name, error));
        page?.addFailure(name, error);
        terminal.error(error.message);
      },
    });
    for await (const prediction of predictions) {
      const map = await files?.write(prediction);
      add(predictionRecord(prediction, map));
      page?.add(prediction, truths.get(prediction.name));
      printLine(prediction, context);
      progress("predict", records.length, paths.length);
    }
    const { adapterName: adapter, settings } = detector;
    if (folder !== undefined) {
      await folder.write(
        "predictions.jsonl",
        records.map((record) => `${JSON.stringify(record)}\n`).join(""),
      );
      if (csv) await folder.write("predictions.csv", predictionCsv(records));
      if (page !== undefined) {
        const facts = reportFacts(detector, values.model, page.rows);
        await folder.write("report.html", await page.render(facts));
      }
      await folder.record({
        finished: true,
        command: "predict",
        model: values.model,
        images: paths.length,
        failed,
        anomalous,
        uncertain,
        threshold: detector.model.threshold?.value ?? null,
        adapter,
        settings,
      });
    }
    terminal.message(
      `${records.length - failed} images${
        detector.model.threshold === undefined
          ? ", no verdicts"
          : `: ${anomalous} anomalous`
      }${uncertain > 0 ? `, ${uncertain} uncertain` : ""}${
        disagreeing > 0
          ? `; of ${disagreeing} the map says otherwise than the score`
          : ""
      }${failed > 0 ? `; ${failed} could not be used` : ""}${
        out === undefined ? "" : `; see "${out}"`
      }`,
    );
    printProfile(await detector.kernelTimes(), terminal);
    if (failed > 0) return EXIT.failure;
    const found = anomalous + uncertain > 0;
    return values.failOnAnomaly && found ? EXIT.anomaly : EXIT.ok;
  },
});

function printLine(
  { name, score, normalizedScore, label }: Prediction,
  { terminal }: Context,
): void {
  const numbers = `${score.toFixed(4).padStart(10)} ${
    (normalizedScore?.toFixed(3) ?? "–").padStart(7)
  }`;
  terminal.result(`${(label ?? "–").padEnd(9)} ${numbers}  ${oneLine(name)}`);
}
