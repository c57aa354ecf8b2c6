import { basename } from "node:path";
import { Ensemble, type StoredModel } from "../core/mod.ts";
import { decodeImage } from "../core/images/decode.ts";
import type { Pixels } from "../core/images/pixels.ts";
import {
  imageCurves,
  type ReadTraining,
  type ReportFacts,
  type ReportRow,
} from "../core/report/mod.ts";
import { readFile, statOrNothing } from "./disk.ts";
import { type Detector, modelsOf } from "./model_loading.ts";

/** Training images that are kept decoded: pictures often share one. */
const KEPT_IMAGES = 4;

/** What `predict` writes into its report beside the images. */
export function reportFacts(
  detector: Detector,
  path: string,
  rows: readonly ReportRow[],
): ReportFacts {
  const { settings, adapterName } = detector;
  const { softwareVersion, threshold: limit } = detector.model;
  const members = modelsOf(detector);
  const [{ imageNames, trainScores: own }] = members as [StoredModel];
  const trainScores = detector instanceof Ensemble ? detector.trainScores : own;
  const threshold = limit?.value;
  return {
    title: `Inspection with ${basename(path)}`,
    facts: [
      ["Model", path],
      ...members.flatMap((
        { backbone, rows: bank, dim },
      ): [string, string][] => [
        ["Backbone", `${backbone.name}, SHA-256 ${backbone.sha256}`],
        ["Memory bank", `${bank} patches of ${dim} features`],
      ]),
      ["Training images", String(imageNames.length)],
      ["Adapter", adapterName],
      ["Software", `@patchcore/webgpu ${softwareVersion} (fit)`],
      ["Written", new Date().toISOString()],
    ],
    settings,
    trainScores: threshold === undefined
      ? []
      : Array.from(trainScores, (score) => score / threshold)
        .filter((score) => score >= 0 && score < Infinity),
    curves: imageCurves(rows),
    readTraining: trainingReader(),
  };
}

/** Reads training images by their paths, as long as they are there. */
export function trainingReader(): ReadTraining {
  const kept = new Map<string, Pixels | undefined>();
  return async (path) => {
    if (!kept.has(path)) {
      const [oldest] = kept.keys();
      if (kept.size >= KEPT_IMAGES && oldest !== undefined) {
        kept.delete(oldest);
      }
      const there = (await statOrNothing(path))?.isFile;
      kept.set(
        path,
        there ? await decodeImage(await readFile(path), path) : undefined,
      );
    }
    return kept.get(path);
  };
}
