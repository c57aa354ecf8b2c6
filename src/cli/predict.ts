import { type Label, limitsOf, type Prediction } from "../core/mod.ts";
import { Report } from "../core/report/mod.ts";
import { sha256 } from "../core/weights.ts";
import { cocoJson } from "./coco.ts";
import { type Command, type Context, defineCommand } from "./command.ts";
import { readFile } from "./disk.ts";
import { EXIT, UsageError } from "./exit.ts";
import { listImages } from "./files.ts";
import { ImageChecks } from "./image_checks.ts";
import { ImageReader } from "./image_reader.ts";
import { checkOperands, LAYOUT_OPTIONS } from "./layout_options.ts";
import { loadDetector, MODEL_OPTIONS } from "./model_loading.ts";
import { noteReplaced, OutputFolder } from "./output.ts";
import {
  failureRecord,
  type PredictionRecord,
  predictionRecord,
} from "./prediction_record.ts";
import { PredictionLog } from "./prediction_log.ts";
import { PredictionFiles } from "./prediction_files.ts";
import { addEarlier, reportFacts } from "./prediction_report.ts";
import { printProfile } from "./profile.ts";
import { stageProgress } from "./stage_progress.ts";
import { oneLine } from "./terminal.ts";
import {
  applyThresholds,
  THRESHOLD_OPTIONS,
  thresholdChange,
} from "./threshold_options.ts";

/**
 * Share of an image that may be hidden without a word: the paper's crop, 224 of
 * 256 pixels, hides 23.4 % of a square, as `fit` told.
 */
const SILENT_SHARE = 0.25;

/** `predict`: scores and anomaly maps of images. */
export const predict: Command = defineCommand({
  name: "predict",
  summary: "Score images with a model",
  operands: {
    name: "IMAGES",
    help:
      "images to inspect: files, folders, or a dataset folder, whose test images are taken",
    min: 0,
  },
  options: {
    model: {
      kind: "text",
      value: "M.safetensors",
      required: true,
      help: "the model, as fit wrote it",
    },
    ...THRESHOLD_OPTIONS,
    ...LAYOUT_OPTIONS,
    all: {
      kind: "flag",
      help: "take every image below a folder, dataset or not",
    },
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
    csv: {
      kind: "flag",
      help: "write predictions.csv, and regions.csv: a line a region",
    },
    coco: {
      kind: "flag",
      help: "write regions.coco.json: regions as COCO's annotations",
    },
    report: {
      kind: "flag",
      help: "write report.html: scores, and the worst images with pictures",
    },
    overwrite: { kind: "flag", help: "write into a folder with other files" },
    resume: {
      kind: "flag",
      help:
        "go on with a run in --out that was stopped: images it has finished are not scored again",
    },
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
    const { out, maps, overlay, mask, csv, coco, report } = values;
    const { overwrite, resume } = values;
    checkOperands(operands, "IMAGES", values);
    if (resume && out === undefined) {
      throw new UsageError("Cannot use --resume without --out DIR");
    }
    const writes = maps || overlay || mask || csv || coco || report;
    if (out === undefined && writes) {
      throw new UsageError(
        "--maps, --overlay, --mask, --csv, --coco and --report write files: name a folder with --out DIR",
      );
    }
    const thresholds = thresholdChange(values);
    const { paths, notes, warnings, truths } = await listImages(
      operands,
      "predict",
      values,
    );
    for (const note of notes) terminal.message(note);
    for (const warning of warnings) terminal.warn(warning);
    const checks = new ImageChecks(terminal, {
      refuseMasks: false,
      silentShare: SILENT_SHARE,
      advice: "fit with --no-crop, --square or --tile to see more",
      rangeAdvice: "fit with",
    });
    using detector = await loadDetector(values.model, values, context);
    applyThresholds(detector, thresholds, {
      path: values.model,
      terminal,
      minArea: values.minArea,
      needing: [
        values.failOnAnomaly && "--fail-on-anomaly",
        mask && "--mask",
        coco && "--coco",
      ],
    });
    const { range } = detector.settings;
    checks.geometry = detector.settings;
    checks.range = range;
    using folder = out === undefined
      ? undefined
      : await OutputFolder.open(out, { inputs: operands, overwrite, resume });
    if (folder !== undefined) noteReplaced(folder, terminal);
    const files = folder && new PredictionFiles(folder, paths, values);
    const run = {
      command: "predict",
      model_sha256: folder && await sha256(await readFile(values.model)),
      files: { maps: maps ?? null, overlay, mask },
      limits: limitsOf(detector.model),
    };
    using log = folder && files &&
      await PredictionLog.open(folder, { csv, run, paths, files });
    const tally = new Tally();
    const finished = new Set<string>();
    for (const record of log?.earlier ?? []) {
      finished.add(record.image_path);
      tally.add(record);
    }
    if (finished.size > 0) {
      terminal.message(
        `"${out}": ${finished.size} images were scored before and are not scored again${
          report ? ", but for pictures of the report" : ""
        }`,
      );
    }
    const wanted = paths.filter((path) => !finished.has(path));
    using reader = new ImageReader(wanted, {
      onImage: checks.look,
      range,
      maxPixels: values.maxPixels,
    });
    const page = report ? new Report() : undefined;
    const found: PredictionRecord[] = [...log?.earlier ?? []];
    const add = (record: PredictionRecord): void => {
      if (coco) found.push(record);
      log?.add(record);
      terminal.record({ ...record });
      tally.add(record);
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
    let isFirst = true;
    try {
      for await (const prediction of predictions) {
        const map = await files?.write(prediction);
        add(predictionRecord(prediction, map));
        page?.add(prediction, truths.get(prediction.name));
        if (isFirst) terminal.heading(HEADING);
        isFirst = false;
        printLine(prediction, context);
        progress("predict", tally.images - finished.size, wanted.length);
      }
    } finally {
      if (signal.aborted && out !== undefined) {
        terminal.message(
          `${tally.images} of ${paths.length} images are in "${out}"; --resume goes on from there`,
        );
      }
    }
    checks.finish();
    const { failed, anomalous, uncertain, disagreeing } = tally;
    if (folder !== undefined) {
      const { adapterName: adapter, settings } = detector;
      if (page !== undefined) {
        await addEarlier(page, log?.earlier ?? [], {
          ...{ detector, truths, signal },
        });
        const facts = reportFacts(detector, values.model, page.rows, checks);
        await folder.write("report.html", await page.render(facts));
      }
      if (coco) await folder.write("regions.coco.json", cocoJson(found));
      await folder.record({
        finished: true,
        ...run,
        started: log?.started,
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
      `${tally.images - failed} images${
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
    const isFound = anomalous + uncertain > 0;
    return values.failOnAnomaly && isFound ? EXIT.anomaly : EXIT.ok;
  },
});

/** Counts what became of images. */
class Tally {
  images = 0;
  failed = 0;
  anomalous = 0;
  uncertain = 0;
  disagreeing = 0;

  add(record: PredictionRecord): void {
    this.images++;
    if ("error" in record) {
      this.failed++;
      return;
    }
    if (record.pred_label === "anomalous") this.anomalous++;
    if (record.pred_label === "uncertain") this.uncertain++;
    if (record.map.disagrees) this.disagreeing++;
  }
}

/** What the columns of a prediction's line are. */
const HEADING = "verdict        score   ratio  image";

/** Colours of verdicts on a terminal: red, yellow. */
const COLORS: Readonly<Partial<Record<Label, number>>> = {
  anomalous: 31,
  uncertain: 33,
};

function printLine(
  { name, score, normalizedScore, label }: Prediction,
  { terminal }: Context,
): void {
  const numbers = `${score.toFixed(4).padStart(10)} ${
    (normalizedScore?.toFixed(3) ?? "–").padStart(7)
  }`;
  terminal.result(
    `${(label ?? "–").padEnd(9)} ${numbers}  ${oneLine(name)}`,
    label === null ? undefined : COLORS[label],
  );
}
