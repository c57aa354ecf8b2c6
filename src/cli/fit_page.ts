import { basename } from "node:path";
import { type FittedTail, renderFitReport } from "../core/report/mod.ts";
import { VERSION } from "../core/settings/version.ts";
import { distanceScale } from "../core/score/distance_scale.ts";
import { modelLessons, trainScoresOf } from "./lessons.ts";
import { type Detector, modelsOf } from "./model_loading.ts";
import { inspectionFacts, trainingReader } from "./prediction_report.ts";

/** Training images that are pictured. */
const PICTURED = 12;

/**
 * The report of a fit.
 *
 * @param detector The fitted model.
 * @param path Its file.
 * @param lines What its training images say.
 */
export async function fitPage(
  detector: Detector,
  path: string,
  lines: readonly string[],
): Promise<string> {
  const { settings, adapterName, model } = detector;
  const members = modelsOf(detector);
  const isSquared = members.length === 1 &&
    distanceScale(settings.distance).squared;
  const distance = (score: number): number =>
    isSquared ? Math.sqrt(score) : score;
  const { threshold } = model;
  return await renderFitReport({
    title: `Fit of ${basename(path)}`,
    facts: [
      ["Model", path],
      ...members.map(({ backbone, rows, dim }): [string, string] => [
        `Backbone ${backbone.name}`,
        `${rows} patches of ${dim} features`,
      ]),
      ["Training images", String(members[0]!.imageNames.length)],
      ["Threshold", threshold?.value.toPrecision(5) ?? "none"],
      ["Its rule", JSON.stringify(threshold?.rule ?? null)],
      ...inspectionFacts(settings, model.minArea),
      ["Adapter", adapterName],
      ["Software", `@patchcore/webgpu ${VERSION}`],
      ["Written", new Date().toISOString()],
    ],
    settings,
    lines,
    lessons: modelLessons(model, PICTURED),
    distances: Array.from(trainScoresOf(members)).filter(Number.isFinite)
      .map(distance),
    threshold: threshold === undefined ? NaN : distance(threshold.value),
    tail: tailOf(threshold?.rule),
    readTraining: trainingReader(settings),
  });
}

/** The tail that a rule tells of. */
function tailOf(
  rule: Readonly<Record<string, unknown>> | undefined,
): FittedTail | undefined {
  const { from, scale, above, images } = rule ?? {};
  return [from, scale, above, images].every((value) =>
      typeof value === "number"
    )
    ? {
      from: Number(from),
      scale: Number(scale),
      share: (Number(above) + 1) / (Number(images) + 1),
    }
    : undefined;
}
