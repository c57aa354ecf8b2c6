import { UsageError } from "./exit.ts";
import type { PatchCoreOptions } from "../core/mod.ts";
import { LIMITS } from "../core/settings/limits.ts";
import { PRESETS } from "../core/settings/presets.ts";
import type {
  AugmentSettings,
  NormaliseSetting,
  RegionSetting,
  Settings,
} from "../core/settings/settings.ts";
import type { Options, Values } from "./options.ts";
import { RANGE_OPTION, rangeOf } from "./sample_range.ts";
import { REGION_OPTIONS } from "./region_options.ts";

/** The backbone unless another one is named. */
export const DEFAULT_BACKBONE = "wide_resnet50_2";

/** Options that choose the method's settings; a preset answers for the rest. */
export const SETTINGS_OPTIONS = {
  preset: {
    kind: "choice",
    choices: Object.keys(PRESETS) as (keyof typeof PRESETS)[],
    fallback: "paper",
    help:
      "where settings start: the paper, its published code, or anomalib; anomalydino for few images and dino, both for a DINOv2",
  },
  backbone: {
    kind: "list",
    value: "NAME|FILE.onnx",
    whole: true,
    fallback: DEFAULT_BACKBONE,
    help:
      "the network that features come from; given several times, an ensemble",
  },
  layers: {
    kind: "list",
    value: "LAYER,…",
    fallback: "layer2,layer3; last with DINO's presets",
    help:
      "taps of the backbone: levels, tensors or nodes; of a transformer blocks.0 and so on; last: the deepest of its own",
  },
  tapNorm: {
    kind: "choice",
    choices: ["on", "off"],
    fallback: "on",
    help:
      "whether a transformer's blocks are tapped after its final normalisation",
  },
  distance: {
    kind: "choice",
    choices: ["euclidean", "squared", "cosine"],
    fallback: "euclidean; cosine with DINO's presets",
    help: "what scores are made of; for cosine, features get the length 1",
  },
  score: {
    kind: "text",
    value: "max|weighted|top:SHARE",
    help:
      "the image score: the largest patch, that weighed by Eq. 7 of the paper, or the mean of a share of the largest, such as top:1%",
  },
  foreground: {
    kind: "choice",
    choices: ["off", "auto", "on"],
    fallback: "off; auto with anomalydino",
    help:
      "whether patches of the ground score 0, told by the first principal component of the image's features; auto: where that looks like a part in the training images",
  },
  morphology: {
    kind: "choice",
    choices: ["grid", "line"],
    fallback: "grid; line with anomalydino",
    help:
      "how that mask grows: on the patch grid, or along its rows as AnomalyDINO's published code has it",
  },
  rotations: {
    kind: "integer",
    min: 1,
    max: LIMITS.rotations,
    fallback: "1; 8 with anomalydino",
    help:
      "angles that each training image is learned in; thresholds are made of the images alone",
  },
  augment: {
    kind: "list",
    value: "VIEW,…",
    choices: ["flips", "rotations", "brightness"],
    help:
      "more views of each training image: mirrored, in 8 angles, 20 % darker and lighter",
  },
  normalise: {
    kind: "text",
    value: "LEVELS|MEAN/STD",
    help:
      "levels that the network gets: auto (as it expects them), imagenet, unit or none (0 to 1), bytes (0 to 255), or a mean and deviation of levels from 0 to 1, such as 0.5/0.5 or 0.5,0.4,0.4/0.2,0.2,0.3",
  },
  range: RANGE_OPTION,
  coreset: {
    kind: "number",
    value: "RATIO",
    above: true,
    min: 0,
    max: 1,
    fallback: "0.1",
    words: ["none"],
    help: "share of the patches that the memory bank keeps",
  },
  maxBank: {
    kind: "integer",
    min: 1,
    unit: "rows",
    fallback: "no limit",
    help: "the most rows of the memory bank",
  },
  subsample: {
    kind: "choice",
    choices: ["greedy", "random", "none"],
    fallback: "greedy",
    help: "how the memory bank is chosen",
  },
  resize: {
    kind: "integer",
    min: 1,
    unit: "pixels",
    fallback: "256",
    help: "short side of the image, or both sides with --square",
  },
  square: { kind: "flag", help: "resize to a square, whatever the shape" },
  crop: {
    kind: "integer",
    min: 1,
    unit: "pixels",
    fallback: "224; --no-crop: none",
    negatable: true,
    help: "sides of the centre crop",
  },
  ...REGION_OPTIONS,
  tile: {
    kind: "integer",
    min: 1,
    unit: "pixels",
    value: "N",
    fallback: "none: an image is resized and seen as a whole",
    help:
      "cut images into tiles of N × N pixels, so that small defects are seen: the network looks at each alone, the image is as anomalous as its worst tile",
  },
  overlap: {
    kind: "integer",
    min: 0,
    unit: "pixels",
    fallback: "an eighth of --tile",
    help: "what neighbouring tiles have in common, at most half of a tile",
  },
  scale: {
    kind: "number",
    min: 0,
    above: true,
    max: 1,
    value: "SHARE",
    fallback: "1",
    help: "cut tiles from the image at this share of its width and height",
  },
  tileBanks: {
    kind: "choice",
    choices: ["shared", "position"],
    fallback: "shared",
    help:
      "what a tile is compared with: the tiles of all places, or those of its own place alone, for parts that always lie the same",
  },
  multiple: {
    kind: "integer",
    min: 1,
    max: LIMITS.patch,
    unit: "pixels",
    words: ["patch"],
    fallback: "1; patch with DINO's presets",
    help:
      "cut the right and bottom edges so that sides are multiples of it; patch: of the transformer's patch",
  },
  resample: {
    kind: "choice",
    choices: ["bilinear", "bicubic"],
    fallback: "bilinear; bicubic with DINO's presets",
    help: "how images are resized, as Pillow does it",
  },
  patchSize: {
    kind: "integer",
    min: 1,
    fallback: "3",
    help: "side of a patch's neighbourhood, odd",
  },
  stride: {
    kind: "integer",
    min: 1,
    fallback: "1",
    help: "step between patches",
  },
  dim: {
    kind: "integer",
    min: 1,
    fallback: "1024",
    words: ["concat"],
    help: "dimensions of a patch feature",
  },
  seed: {
    kind: "integer",
    min: 0,
    max: 2 ** 32 - 1,
    fallback: "0",
    help: "of all random draws",
  },
  falseAlarms: {
    kind: "number",
    min: 0,
    above: true,
    max: LIMITS.falseAlarms,
    value: "RATE",
    fallback: "0.05",
    help:
      "the share of good parts that will be called anomalous: what the thresholds of scores and maps are set for",
  },
  thresholdQuantile: {
    kind: "number",
    min: 0,
    max: 1,
    fallback: "none",
    help:
      "of the training images' own scores, in place of --false-alarms; 1: the largest",
  },
  thresholdFactor: {
    kind: "number",
    min: 0,
    above: true,
    fallback: "1",
    help: "what the thresholds are multiplied with",
  },
  mapQuantile: {
    kind: "number",
    min: 0,
    max: 1,
    fallback: "none",
    help:
      "of the largest pixels of the training images' own maps, in place of --false-alarms: the threshold of masks and contours",
  },
} as const satisfies Options;

/** Which training images show the same part. */
export const GROUP_BY_OPTION = {
  kind: "text",
  value: "REGEX",
  help:
    "what the names of images of one part have in common, such as 'part[0-9]+': what it finds, or its first group in parentheses. They are not compared with each other when thresholds are set",
} as const;

/**
 * Reads {@linkcode GROUP_BY_OPTION}.
 *
 * @throws {UsageError} If it is no regular expression.
 */
export function groupingOf(
  text: string | undefined,
): { readonly groupBy?: RegExp } {
  if (text === undefined) return {};
  try {
    return { groupBy: new RegExp(text, "u") };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `Cannot use --group-by "${text}": ${reason}; expected a regular expression`,
    );
  }
}

type SettingsValues = Values<typeof SETTINGS_OPTIONS>;

/**
 * The library's options that a command line stands for.
 *
 * @param region What {@linkcode regionOf} makes of it.
 */
export function settingsOf(
  values: SettingsValues,
  region?: RegionSetting,
): Omit<PatchCoreOptions, "backbone"> {
  const { preset, layers, resize, square, crop, patchSize, stride } = values;
  const { coreset, subsample, maxBank, dim, seed } = values;
  const { distance, foreground, morphology, multiple, resample } = values;
  const none = coreset === "none" || subsample === "none";
  const tiles = tilesOf(values);
  return given({
    tiles,
    preset,
    layers: values.tapNorm === "off" ? beforeNorm(layers) : layers,
    resize,
    square: square ? true : undefined,
    normalise: normaliseOf(values.normalise),
    range: rangeOf(values.range),
    crop: crop === false && tiles === undefined
      ? null
      : crop === false
      ? undefined
      : crop,
    region,
    ...{ multiple, resample, patchSize, stride, dim, seed, distance },
    ...scoreOf(values.score),
    foreground: given({ mask: foreground, morphology }),
    augment: augmentOf(values),
    coreset: given({
      method: none ? "none" as const : subsample,
      ratio: typeof coreset === "number" && !none ? coreset : undefined,
      maxBank,
    }),
    threshold: given({
      falseAlarms: values.falseAlarms,
      quantile: values.thresholdQuantile,
      factor: values.thresholdFactor,
      mapQuantile: values.mapQuantile,
    }),
  });
}

/**
 * How images are cut into tiles.
 *
 * @throws {UsageError} If options do not go together.
 */
export function tilesOf(
  { tile, overlap, scale, tileBanks, ...input }: TileValues,
): PatchCoreOptions["tiles"] {
  if (tile === undefined) {
    const alone = overlap !== undefined
      ? "overlap"
      : scale !== undefined
      ? "scale"
      : tileBanks && "tile-banks";
    if (alone === undefined) return undefined;
    throw new UsageError(
      `Cannot use --${alone} without --tile N: there are no tiles`,
    );
  }
  const { resize, crop, square } = input;
  const other = resize !== undefined
    ? "resize"
    : typeof crop === "number"
    ? "crop"
    : square && "square";
  if (other) {
    throw new UsageError(
      `Cannot use --${other} with --tile: tiles are cut from the whole image; give --scale to see it smaller`,
    );
  }
  return {
    side: tile,
    ...given({ overlap, scale, banks: tileBanks }),
  };
}

/** Options of the network's input, as they were read. */
type TileValues =
  & Pick<SettingsValues, "tile">
  & Partial<
    Pick<
      SettingsValues,
      "overlap" | "scale" | "tileBanks" | "resize" | "crop" | "square"
    >
  >;

/** Rotations that `--augment rotations` stands for. */
const ROTATIONS = 8;

/** Share by which `--augment brightness` darkens and lightens. */
const BRIGHTNESS = 0.2;

/** Rows around the nearest one that `--score weighted` weighs by, as the paper. */
const WEIGHED = 9;

function augmentOf(
  { rotations, augment = [] }: SettingsValues,
): Partial<AugmentSettings> {
  const turned = rotations ??
    (augment.includes("rotations") ? ROTATIONS : undefined);
  return given({
    rotations: turned,
    flips: augment.includes("flips") ? true : undefined,
    brightness: augment.includes("brightness") ? BRIGHTNESS : undefined,
  });
}

/** What `--score` stands for; nothing: as the preset has it. */
function scoreOf(
  text: string | undefined,
): Partial<Pick<Settings, "reweight" | "topShare">> {
  if (text === undefined) return {};
  if (text === "max") return { reweight: 0, topShare: null };
  if (text === "weighted") return { reweight: WEIGHED, topShare: null };
  const [, number, percent] = /^top:(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const topShare = Number(number) / (percent === "%" ? 100 : 1);
  if (topShare > 0 && topShare <= 1) return { reweight: 0, topShare };
  throw new UsageError(
    `Cannot use --score ${text}: expected max, weighted, or a share of the patches such as top:1% or top:0.01`,
  );
}

/** Blocks of a transformer before its final normalisation. */
function beforeNorm(layers: readonly string[] | undefined): string[] {
  if (layers?.every((name) => /^blocks\.\w+$/.test(name))) {
    return layers.map((name) => `${name}.raw`);
  }
  throw new UsageError(
    `Cannot use --tap-norm off with ${
      layers ? `--layers ${layers.join()}` : "no --layers"
    }: expected blocks of a transformer, such as --layers blocks.5,blocks.11`,
  );
}

const NORMALISATIONS: Readonly<Record<string, NormaliseSetting>> = {
  imagenet: "imagenet",
  unit: "unit",
  none: "unit",
  bytes: "bytes",
};

/** What `--normalise` stands for; `undefined`: what the network expects. */
function normaliseOf(text: string | undefined): NormaliseSetting | undefined {
  if (text === undefined || text === "auto") return undefined;
  const named = NORMALISATIONS[text];
  if (named) return named;
  const [mean, std, ...more] = text.split("/").map((list) => {
    const numbers = list.split(",").map((word) =>
      /\d/.test(word) ? Number(word) : NaN
    );
    const [first = NaN] = numbers;
    return numbers.length === 1 ? [first, first, first] : numbers;
  });
  const fits = more.length === 0 &&
    [mean, std].every((list) => list?.length === 3) &&
    [...mean!, ...std!].every(Number.isFinite) && !std!.includes(0);
  if (fits) {
    return {
      mean: mean as [number, number, number],
      std: std as [number, number, number],
    };
  }
  throw new UsageError(
    `Cannot use --normalise ${text}: expected auto, imagenet, unit, bytes, none, or MEAN/STD with one number or three each, such as 0.5/0.5`,
  );
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** An object without the keys that are not given. */
function given<T extends object>(object: T): Partial<Given<T>> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Partial<Given<T>>;
}
