import {
  jointMap,
  type MinMaxScale,
  onScale,
} from "../../score/min_max_scale.ts";
import {
  type BatchOptions,
  ImageBatches,
  type LoadedImage,
} from "../../features/image_batches.ts";
import type { ImageSources } from "../../features/image_source.ts";
import type { Limits } from "../../score/verdict.ts";
import { reportImageError } from "../../features/progress.ts";
import type { FitReport, trainingFacts } from "../fit/report.ts";
import type { PatchCore } from "../patchcore.ts";
import { judgedMap, judgeMapped } from "../predict/judge_mapped.ts";
import type { Prediction, PredictionTimes } from "../predict/prediction.ts";

/** What the members of an ensemble say of one image. */
export interface MemberPredictions {
  /** The image. */
  readonly image: LoadedImage;
  /** One prediction a member. */
  readonly predictions: readonly Prediction[];
}

/**
 * Runs images through several detectors, a batch at a time, each decoded once.
 *
 * @param members Fitted detectors.
 * @param images What to inspect.
 * @param options Size of batches, images that fail, cancelling.
 * @returns What all members say of each image that can be used, in order.
 */
export async function* predictTogether(
  members: readonly PatchCore[],
  images: ImageSources,
  options: BatchOptions,
): AsyncGenerator<MemberPredictions> {
  const isTiled = members[0]?.settings.tiles !== undefined;
  const batches = new ImageBatches(images, {
    ...options,
    ...(isTiled && { batch: 1 }),
  });
  for await (const batch of batches) {
    let usable = batch.map((image) => ({
      image,
      predictions: [] as Prediction[],
    }));
    for (const member of members) {
      const sources = usable.map(({ image }, i) => ({
        name: `${i}`,
        content: image.pixels,
      }));
      const predictions = member.predict(sources, {
        ...options,
        onImageError: (place, error) => {
          const { name } = usable[Number(place)]!.image.source;
          // Members know an image by its place.
          const told = error.message.replace(`"${place}"`, () => `"${name}"`);
          const named = new Error(told, { cause: error });
          reportImageError(name, named, options);
        },
      });
      const seen: typeof usable = [];
      for await (const prediction of predictions) {
        const { image, predictions } = usable[Number(prediction.name)]!;
        seen.push({ image, predictions: [...predictions, prediction] });
      }
      usable = seen;
    }
    yield* usable;
  }
}

/** How an ensemble brings one member's results to the scale of the others. */
export interface MemberScales {
  /** Of image scores. */
  readonly score: MinMaxScale;
  /** Of the pixels of anomaly maps. */
  readonly map: MinMaxScale;
}

/**
 * Joins what the members of an ensemble say of one image: means of scores and
 * maps on the members' scales. The worst patch is that of the member whose
 * score is largest on its scale.
 *
 * @param seen One prediction a member, maps of one size.
 * @param scales Scales of each member.
 * @param limits The joint thresholds.
 */
export function jointPrediction(
  { image: { source, ms }, predictions }: MemberPredictions,
  scales: readonly MemberScales[],
  limits: Limits,
): Prediction {
  const scores = predictions.map(({ score }, i) =>
    onScale(score, scales[i]!.score)
  );
  const score = scores.reduce((sum, value) => sum + value) / scores.length;
  const { image, map, worstPatch } =
    predictions[scores.indexOf(Math.max(...scores))]!;
  const maps = predictions.map(({ map }) => map.data);
  const data = jointMap(maps, scales.map(({ map }) => map));
  const joint = judgedMap({ ...map, data }, map.unseen ?? 0, limits);
  return {
    name: source.name,
    image,
    score,
    ...judgeMapped(score, joint, limits),
    threshold: limits.score,
    uncertainFrom: limits.uncertainFrom,
    worstPatch,
    map: joint,
    ms: jointTimes(predictions.map((prediction) => prediction.ms), ms),
  };
}

function jointTimes(
  times: readonly PredictionTimes[],
  decode: number,
): PredictionTimes {
  const sum = (
    stage: "trunk" | "patches" | "search" | "map",
  ): number | null =>
    times.reduce<number | null>((total, ms) => {
      const part = ms[stage];
      return total === null || part === null ? null : total + part;
    }, 0);
  return {
    decode,
    trunk: sum("trunk"),
    patches: sum("patches"),
    search: sum("search"),
    map: sum("map"),
    total: times.reduce((total, ms) => total + ms.total, decode),
  };
}

/** What a fit of an ensemble did: sums over the members. */
export interface EnsembleFitReport extends FitReport {
  /** What each member's fit did. */
  readonly members: readonly FitReport[];
}

/**
 * Adds up what the fits of an ensemble's members did.
 *
 * @param members One report a member, at least one.
 * @param limits The joint thresholds.
 * @param facts What the training images say of them.
 */
export function jointReport(
  members: readonly FitReport[],
  limits: Limits,
  facts: ReturnType<typeof trainingFacts>,
): EnsembleFitReport {
  const [first] = members as [FitReport];
  const sum = (pick: (report: FitReport) => number): number =>
    members.reduce((total, report) => total + pick(report), 0);
  return {
    ...first,
    bankRows: sum(({ bankRows }) => bankRows),
    threshold: limits.score ?? NaN,
    mapThreshold: limits.map ?? NaN,
    ...facts,
    radius: undefined,
    passes: sum(({ passes }) => passes),
    seconds: {
      decode: sum(({ seconds }) => seconds.decode),
      trunk: sum(({ seconds }) => seconds.trunk),
      patches: sum(({ seconds }) => seconds.patches),
      coreset: sum(({ seconds }) => seconds.coreset),
      threshold: sum(({ seconds }) => seconds.threshold),
      total: sum(({ seconds }) => seconds.total),
    },
    peakGpuBytes: Math.max(...members.map((report) => report.peakGpuBytes)),
    members,
  };
}
