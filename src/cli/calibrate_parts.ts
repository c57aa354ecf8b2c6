import {
  type HeldOutImage,
  type HeldOutPart,
  partsOf,
} from "../core/evaluation/mod.ts";
import { rangeOf } from "../core/score/min_max_scale.ts";
import { distanceScale } from "../core/score/distance_scale.ts";
import type { Context } from "./command.ts";
import { realPath } from "./disk.ts";
import { UsageError } from "./exit.ts";
import { listImages } from "./files.ts";
import { ImageReader } from "./image_reader.ts";
import { type Detector, loadDetector, modelsOf } from "./model_loading.ts";
import { stageProgress } from "./stage_progress.ts";

/** What is to be inspected, and how the model is loaded. */
interface PartsToInspect {
  /** Folders of good parts. */
  readonly good: readonly string[] | undefined;
  /** Folders of bad parts. */
  readonly bad: readonly string[] | undefined;
  /** What names of a part's images have in common. */
  readonly groupBy: RegExp | undefined;
  /** Names or paths of its backbones; by default where fit found them. */
  readonly backbone: readonly string[] | undefined;
  /** Images or tiles of a batch, if it was said how many. */
  readonly batch: number | undefined;
  /** The most pixels an image may have. */
  readonly maxPixels: number;
  /** Whether kernels are timed. */
  readonly profile: boolean;
  /** Whether the default kernels are kept. */
  readonly noAutotune: boolean;
  /** How the backbone's weights are stored. */
  readonly precision: "f32" | "f16";
}

/** What a model says of the images that were given. */
export interface SeenParts {
  /** Good parts. */
  readonly good: readonly HeldOutPart[];
  /** Bad parts. */
  readonly bad: readonly HeldOutPart[];
  /** Whether scores are squared distances. */
  readonly isSquared: boolean;
  /** Images that could not be used. */
  readonly failed: number;
}

/**
 * Scores images of good and of bad parts, those that the model was fitted to left
 * out.
 *
 * @param path The model's file.
 * @throws {UsageError} If all good ones were.
 */
export async function inspectParts(
  path: string,
  values: PartsToInspect,
  context: Context,
): Promise<SeenParts> {
  const { terminal } = context;
  const lists = {
    good: await imagesOf(values.good, "normal", context),
    bad: await imagesOf(values.bad, "anomalous", context),
  };
  using detector = await loadDetector(path, values, context);
  const trained = await placesOf(modelsOf(detector)[0]!.imageNames);
  const bad = await placesOf(lists.bad);
  const places = await Promise.all(lists.good.map(realPath));
  const both = places.find((place) => bad.has(place));
  if (both !== undefined) {
    throw new UsageError(
      `Cannot calibrate: "${both}" is given as a good part and as a bad one; give every image once`,
    );
  }
  const learned = [...bad].filter((place) => trained.has(place)).length;
  if (learned > 0) {
    terminal.warn(
      `${learned} bad images are among those that the model was fitted to as good ones: fit again without them`,
    );
  }
  const good = lists.good.filter((_, i) => !trained.has(places[i]!));
  const known = lists.good.length - good.length;
  if (known > 0) {
    if (good.length === 0) {
      throw new UsageError(
        `Cannot calibrate with the images that "${path}" was fitted to: it knows them, so that their scores say nothing; give others with --good`,
      );
    }
    terminal.warn(
      `Left out ${known} good images that the model was fitted to: it knows them, so that their scores say nothing`,
    );
  }
  let failed = 0;
  using progress = stageProgress(terminal);
  const all = [...good, ...lists.bad];
  const scored = new Map<string, HeldOutImage>();
  using reader = new ImageReader(all, {
    range: detector.settings.range,
    maxPixels: values.maxPixels,
  });
  for await (
    const image of scoresOf(detector, reader, context, () => failed++)
  ) {
    scored.set(image.name, image);
    progress("predict", scored.size, all.length);
  }
  const parts = (names: readonly string[]): HeldOutPart[] =>
    partsOf(names.flatMap((name) => scored.get(name) ?? []), values.groupBy);
  const isEnsemble = "members" in detector;
  return {
    good: parts(good),
    bad: parts(lists.bad),
    isSquared: !isEnsemble && distanceScale(detector.settings.distance).squared,
    failed,
  };
}

/** Where images lie, however they are spelt. */
async function placesOf(paths: readonly string[]): Promise<Set<string>> {
  return new Set(await Promise.all(paths.map(realPath)));
}

/** Images below folders, without those that a dataset says are of the other kind. */
async function imagesOf(
  folders: readonly string[] | undefined,
  kind: "normal" | "anomalous",
  { terminal }: Context,
): Promise<readonly string[]> {
  if (folders === undefined) return [];
  const { paths, notes, warnings, truths } = await listImages(
    folders,
    "predict",
  );
  for (const note of notes) terminal.message(note);
  for (const warning of warnings) terminal.warn(warning);
  return paths.filter((path) => {
    const truth = truths.get(path)?.truth;
    return truth === undefined || truth === kind;
  });
}

async function* scoresOf(
  detector: Detector,
  { images }: ImageReader,
  { terminal, signal }: Context,
  onFailure: () => void,
): AsyncGenerator<HeldOutImage> {
  const predictions = detector.predict(images, {
    signal,
    onImageError: (_, { message }) => {
      onFailure();
      terminal.error(message);
    },
  });
  for await (const { name, score, map } of predictions) {
    yield { name, score, highest: rangeOf(map.data).max };
  }
}
