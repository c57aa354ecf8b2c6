import {
  jointMap,
  type MinMaxScale,
  onScale,
} from "../../score/min_max_scale.ts";
import type { Pixels } from "../../images/pixels.ts";
import {
  type ImageSource,
  type ImageSources,
  loadPixels,
  named,
} from "../../features/image_source.ts";
import type { PatchCore } from "../patchcore.ts";
import type { Prediction, PredictionTimes } from "../predict/prediction.ts";
import { reportImageError, type WorkOptions } from "../../features/progress.ts";
import type { FitReport } from "../fit/report.ts";

/** What the members of an ensemble say of one image. */
export interface MemberPredictions {
  /** Name of the image. */
  readonly name: string;
  /** Milliseconds that reading and decoding took. */
  readonly decode: number;
  /** One prediction a member. */
  readonly predictions: readonly Prediction[];
}

/** Options of {@linkcode predictTogether}. */
export interface TogetherOptions extends WorkOptions {
  /** Images of a batch. */
  readonly batch: number;
}

interface Decoded {
  readonly name: string;
  readonly pixels: Pixels;
  readonly ms: number;
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
  options: TogetherOptions,
): AsyncGenerator<MemberPredictions> {
  let batch: Decoded[] = [];
  let count = 0;
  for await (const source of images) {
    options.signal?.throwIfAborted();
    const image = await decode(source, count++, options);
    if (image !== undefined) batch.push(image);
    if (batch.length < options.batch) continue;
    yield* await predictBatch(members, batch, options);
    batch = [];
  }
  if (batch.length > 0) yield* await predictBatch(members, batch, options);
}

async function decode(
  source: ImageSource,
  index: number,
  options: WorkOptions,
): Promise<Decoded | undefined> {
  const image = named(source, index);
  const start = performance.now();
  try {
    const pixels = await loadPixels(image);
    return { name: image.name, pixels, ms: performance.now() - start };
  } catch (error) {
    reportImageError(image.name, error, options);
    return undefined;
  }
}

async function predictBatch(
  members: readonly PatchCore[],
  batch: readonly Decoded[],
  options: WorkOptions,
): Promise<MemberPredictions[]> {
  let usable = [...batch.keys()];
  const found = batch.map((): Prediction[] => []);
  for (const member of members) {
    const failed = new Set<number>();
    const sources = usable.map((i) => ({
      name: `${i}`,
      content: batch[i]!.pixels,
    }));
    const predictions = member.predict(sources, {
      ...options,
      onImageError: (name, error) => {
        reportImageError(batch[Number(name)]!.name, error, options);
        failed.add(Number(name));
      },
    });
    for await (const prediction of predictions) {
      found[Number(prediction.name)]!.push(prediction);
    }
    usable = usable.filter((i) => !failed.has(i));
  }
  return usable.map((i) => {
    const { name, ms } = batch[i]!;
    return { name, decode: ms, predictions: found[i]! };
  });
}

/** How an ensemble brings one member's results to the scale of the others. */
export interface MemberScales {
  /** Of image scores. */
  readonly score: MinMaxScale;
  /** Of the pixels of anomaly maps. */
  readonly map: MinMaxScale;
}

/** Thresholds of an ensemble; NaN for none. */
export interface JointThresholds {
  /** Of image scores. */
  readonly threshold: number;
  /** Of the pixels of anomaly maps. */
  readonly mapThreshold: number;
}

/**
 * Joins what the members of an ensemble say of one image: means of scores and
 * maps on the members' scales. The worst patch is that of the member whose
 * score is largest on its scale.
 *
 * @param seen One prediction a member, maps of one size.
 * @param scales Scales of each member.
 * @param thresholds The joint thresholds.
 */
export function jointPrediction(
  { name, decode, predictions }: MemberPredictions,
  scales: readonly MemberScales[],
  { threshold, mapThreshold }: JointThresholds,
): Prediction {
  const scores = predictions.map(({ score }, i) =>
    onScale(score, scales[i]!.score)
  );
  const score = scores.reduce((sum, value) => sum + value) / scores.length;
  const { image, map, worstPatch } =
    predictions[scores.indexOf(Math.max(...scores))]!;
  const maps = predictions.map(({ map }) => map.data);
  return {
    name,
    image,
    score,
    normalizedScore: score / threshold,
    label: score >= threshold ? "anomalous" : "normal",
    threshold,
    worstPatch,
    map: {
      ...map,
      data: jointMap(maps, scales.map(({ map }) => map)),
      threshold: mapThreshold,
    },
    ms: jointTimes(predictions.map(({ ms }) => ms), decode),
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
 * @param thresholds The joint thresholds.
 */
export function jointReport(
  members: readonly FitReport[],
  thresholds: JointThresholds,
): EnsembleFitReport {
  const [first] = members as [FitReport];
  const sum = (pick: (report: FitReport) => number): number =>
    members.reduce((total, report) => total + pick(report), 0);
  return {
    ...first,
    bankRows: sum(({ bankRows }) => bankRows),
    ...thresholds,
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
