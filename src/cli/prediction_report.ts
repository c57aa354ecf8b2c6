import { basename } from "node:path";
import { Ensemble, type StoredModel } from "../core/mod.ts";
import { decodeImage } from "../core/images/decode.ts";
import { regionInWords } from "../core/images/region.ts";
import type { Pixels } from "../core/images/pixels.ts";
import {
  imageCurves,
  type ReadTraining,
  type Report,
  type ReportFacts,
  type ReportRow,
  type ReportTruth,
  worstFirst,
} from "../core/report/mod.ts";
import type { Settings } from "../core/settings/settings.ts";
import { readFile, statOrNothing } from "./disk.ts";
import type { ImageChecks, SeenImages } from "./image_checks.ts";
import { ImageReader } from "./image_reader.ts";
import { type Detector, modelsOf } from "./model_loading.ts";
import type { ScoredRecord } from "./prediction_record.ts";

/** Training images that are kept decoded: pictures often share one. */
const KEPT_IMAGES = 4;

/** What `predict` writes into its report beside the images. */
export function reportFacts(
  detector: Detector,
  path: string,
  rows: readonly ReportRow[],
  { seen }: Pick<ImageChecks, "seen">,
): ReportFacts {
  const { settings, adapterName } = detector;
  const { softwareVersion, threshold: limit, minArea } = detector.model;
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
      ...seen === undefined
        ? []
        : [["Seen of each image", seenInWords(seen)] as const],
      ...inspectionFacts(settings, minArea),
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
    readTraining: trainingReader(settings),
  };
}

/** What a resumed run has for its report. */
interface ResumedReport {
  /** The model. */
  readonly detector: Detector;
  /** What is known of images. */
  readonly truths: ReadonlyMap<string, ReportTruth>;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/**
 * Adds the images that the run before has scored to a report: those that are
 * among the worst are looked at again for their pictures, of the others there
 * are the numbers.
 *
 * @param page The report, with all images of this run.
 * @param earlier What the run before has found.
 */
export async function addEarlier(
  page: Report,
  earlier: readonly ScoredRecord[],
  { detector, truths, signal }: ResumedReport,
): Promise<void> {
  if (earlier.length === 0) return;
  const rows = new Map(
    earlier.map((record) => {
      const name = record.image_path;
      return [name, rowOf(record, truths.get(name))];
    }),
  );
  const worst = [...page.rows, ...rows.values()]
    .sort(worstFirst)
    .slice(0, page.pictures)
    .flatMap(({ name }) => rows.has(name) ? [name] : []);
  const pictured = new Set<string>();
  const { range } = detector.settings;
  using reader = new ImageReader(worst, { range, maxPixels: Infinity });
  const predictions = detector.predict(reader.images, {
    signal,
    // What has become unreadable since keeps its numbers.
    onImageError: () => {},
  });
  for await (const prediction of predictions) {
    page.add(prediction, truths.get(prediction.name));
    pictured.add(prediction.name);
  }
  for (const { image_path: name, map } of earlier) {
    if (!pictured.has(name)) page.addRow(rows.get(name)!, map.max);
  }
}

function rowOf(record: ScoredRecord, truth: ReportTruth = {}): ReportRow {
  return {
    ...truth,
    name: record.image_path,
    score: record.pred_score,
    normalizedScore: record.pred_score_normalized,
    label: record.pred_label,
    threshold: record.threshold,
    mapDisagrees: record.map.disagrees,
    regions: record.regions.map(({ peak_x, peak_y, ...region }) => ({
      ...region,
      peakX: peak_x,
      peakY: peak_y,
    })),
    ms: record.ms,
  };
}

/** What of images is inspected, and from which area on regions count. */
export function inspectionFacts(
  { region }: Settings,
  minArea: number | undefined,
): (readonly [name: string, value: string])[] {
  return [
    ...region === undefined
      ? []
      : [["Inspected of each image", regionInWords(region)] as const],
    ...minArea === undefined
      ? []
      : [["Least area of a region", `${minArea} pixels`] as const],
  ];
}

function seenInWords({ least, most, box }: SeenImages): string {
  if (least === 1) return "the whole image";
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  if (box === undefined) {
    const range = percent(least) === percent(most)
      ? percent(least)
      : `${percent(least)} to ${percent(most)}`;
    return `${range} of its area, in the middle`;
  }
  const { left, top, right, bottom, width, height } = box;
  const pixels = (value: number): string => String(Number(value.toFixed(1)));
  return `${percent(least)} of its area: ${pixels(right - left)} × ${
    pixels(bottom - top)
  } of ${width} × ${height} pixels, from x ${pixels(left)}, y ${pixels(top)}`;
}

/**
 * Reads training images by their paths, as long as they are there.
 *
 * @param settings How they are decoded: as they were for the fit.
 */
export function trainingReader(
  { range }: Pick<Settings, "range">,
): ReadTraining {
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
        there
          ? await decodeImage(await readFile(path), path, {
            range,
            maxPixels: Infinity,
          })
          : undefined,
      );
    }
    return kept.get(path);
  };
}
