import { MAX_NEIGHBOURS } from "../../wgsl/search_refine.ts";
import type {
  RegionSetting,
  SampleRange,
  Settings,
  TileSettings,
} from "./settings.ts";
import { LIMITS } from "./limits.ts";
import { shortened, shown } from "./shown.ts";

type Check = (option: string, value: unknown) => void;
type Checks = Readonly<Record<string, Check>>;

const PROJECTIONS: Readonly<Record<string, Checks>> = {
  linear: { kind: anything, dim: integer(1, LIMITS.projected) },
  gaussian: { kind: anything, dim: integer(1, LIMITS.projected) },
  sparse: {
    kind: anything,
    eps: number("a number above 0 and below 1", (eps) => eps > 0 && eps < 1),
  },
  none: { kind: anything },
};

const CHECKS: Checks = {
  resize: integer(1, LIMITS.side),
  square: boolean,
  crop: nullOr(integer(1, LIMITS.side)),
  multiple: integerOr("patch", LIMITS.patch),
  resample: oneOf("bilinear", "bicubic"),
  layers: layerNames,
  patchSize: oddInteger,
  stride: integer(1, LIMITS.stride),
  layerDim: integerOr("channels", LIMITS.dim),
  dim: integerOr("concat", LIMITS.dim),
  merge: oneOf("bilinear", "nearest"),
  coreset: group({
    method: oneOf("greedy", "random", "none"),
    ratio: number(
      "a number above 0 and at most 1",
      (ratio) => ratio > 0 && ratio <= 1,
    ),
    maxBank: nullOr(integer(1, LIMITS.rows)),
    projection,
    start: oneOf("mean-of-10", "random"),
  }),
  distance: oneOf("euclidean", "squared", "cosine"),
  neighbours: integer(1, MAX_NEIGHBOURS),
  reweight: integer(0, MAX_NEIGHBOURS),
  topShare: nullOr(
    number(
      "a number above 0 and at most 1",
      (share) => share > 0 && share <= 1,
    ),
  ),
  foreground: group({
    mask: oneOf("off", "auto", "on"),
    morphology: oneOf("grid", "line"),
    threshold: number(
      `a number from 0 to ${LIMITS.component}`,
      (value) => value >= 0 && value <= LIMITS.component,
    ),
  }),
  augment: group({
    rotations: integer(1, LIMITS.rotations),
    flips: boolean,
    brightness: number(
      "a number from 0 and below 1",
      (share) => share >= 0 && share < 1,
    ),
  }),
  map: group({
    interpolation: oneOf("bilinear", "nearest"),
    sigma: number(
      `a number from 0 to ${LIMITS.sigma}`,
      (sigma) => sigma >= 0 && sigma <= LIMITS.sigma,
    ),
    border: oneOf("symmetric", "reflect"),
  }),
  seed: integer(0, 2 ** 32 - 1),
  threshold: group({
    falseAlarms: number(
      `a number above 0 and at most ${LIMITS.falseAlarms}`,
      (rate) => rate > 0 && rate <= LIMITS.falseAlarms,
    ),
    quantile: nullOr(number("a number from 0 to 1", isShare)),
    mapQuantile: nullOr(number("a number from 0 to 1", isShare)),
    factor: number(
      `a number above 0 and at most ${LIMITS.factor}`,
      (factor) => factor > 0 && factor <= LIMITS.factor,
    ),
  }),
};

/** What may be left out. */
const OPTIONAL: Checks = {
  normalise,
  range,
  region,
  tiles: group({
    side: integer(1, LIMITS.side),
    overlap: integer(0, LIMITS.side),
    scale: number(
      "a number above 0 and at most 1",
      (scale) => scale > 0 && scale <= 1,
    ),
    banks: oneOf("shared", "position"),
  }),
};

/** @throws {RangeError} If a setting does not go with a region. */
function checkRegionGoesWith({ tiles, augment, foreground }: Settings): void {
  const { rotations, flips } = augment;
  const other = tiles !== undefined
    ? `tiles of ${tiles.side}: a region is one of whole images; leave one of the two out`
    : rotations > 1 || flips
    ? `augment ${
      JSON.stringify(augment)
    }: it lies elsewhere in turned and mirrored views; leave one of the two out`
    : foreground.mask !== "off"
    ? `foreground.mask "${foreground.mask}": the region says what is of the part; choose the mask "off", or no region`
    : undefined;
  if (other === undefined) return;
  throw new RangeError(`Cannot use a region with ${other}`);
}

function checkTiles(tiles: TileSettings, settings: Settings): void {
  const { side, overlap, banks } = tiles;
  const { resize, crop, square, multiple, foreground, topShare } = settings;
  const { rotations, flips, brightness } = settings.augment;
  if (2 * overlap > side) {
    throw new RangeError(
      `Cannot use tiles.overlap ${overlap} with tiles of ${side}: expected at most half of them, ${
        Math.floor(side / 2)
      }`,
    );
  }
  if (resize !== side || crop !== null || square) {
    throw new RangeError(
      `Cannot use tiles of ${side} with resize ${resize}, crop ${crop} and square ${square}: expected resize ${side}, crop null and square false`,
    );
  }
  if (multiple !== 1) {
    throw new RangeError(
      `Cannot use tiles with multiple ${multiple}: no edge of an image is cut off; choose the multiple 1, and tiles of a multiple of the patch`,
    );
  }
  if (rotations > 1 || flips || brightness > 0) {
    throw new RangeError(
      `Cannot use tiles with augment ${
        JSON.stringify(settings.augment)
      }: a fit has either tiles or more views of its images; leave one of the two out`,
    );
  }
  if (foreground.mask !== "off") {
    throw new RangeError(
      `Cannot use tiles with foreground.mask "${foreground.mask}": a tile does not show which patches of the image are of the part; choose the mask "off", or no tiles`,
    );
  }
  if (topShare !== null && banks === "position") {
    throw new RangeError(
      `Cannot use topShare ${topShare} with tiles.banks "position": each place is scored on its own; choose banks "shared", or no share`,
    );
  }
}

/**
 * Checks settings of unknown origin.
 *
 * @param value What should be complete settings.
 * @returns The same value, now known to be settings.
 * @throws {TypeError} If one is missing, unknown or of a wrong type.
 * @throws {RangeError} If a value is not allowed, or two do not go together.
 */
export function checkSettings(value: unknown): Settings {
  const given = typeof value === "object" && value !== null
    ? Object.entries(OPTIONAL).filter(([key]) => Object.hasOwn(value, key))
    : [];
  checkGroup("", value, { ...CHECKS, ...Object.fromEntries(given) });
  const settings = value as Settings;
  const { crop, resize, coreset, tiles } = settings;
  if (tiles !== undefined) checkTiles(tiles, settings);
  if (settings.region !== undefined) checkRegionGoesWith(settings);
  if (crop !== null && crop > resize) {
    throw new RangeError(
      `Cannot use crop ${crop}: it is larger than resize ${resize}; choose a crop of at most ${resize}, or none`,
    );
  }
  if (crop !== null && settings.multiple !== 1) {
    throw new RangeError(
      `Cannot use multiple ${settings.multiple} with crop ${crop}: one of the two decides the input's sides; choose the multiple 1, or no crop`,
    );
  }
  if (settings.topShare !== null && settings.reweight > 1) {
    throw new RangeError(
      `Cannot use topShare ${settings.topShare} with reweight ${settings.reweight}: Eq. 7 weighs the largest patch alone; choose the reweight 0, or no share`,
    );
  }
  if (coreset.method === "none" && coreset.ratio !== 1) {
    throw new RangeError(
      `Cannot use coreset.ratio ${coreset.ratio} with coreset.method "none": every patch is kept; choose the ratio 1, or the method "greedy" or "random"`,
    );
  }
  if (coreset.method === "none" && coreset.maxBank !== null) {
    throw new RangeError(
      `Cannot use coreset.maxBank ${coreset.maxBank} with coreset.method "none": every patch is kept; choose the method "greedy" or "random"`,
    );
  }
  return settings;
}

function checkGroup(path: string, value: unknown, checks: Checks): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongType(path || "settings", value, "an object");
  }
  const prefix = path === "" ? "" : `${path}.`;
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(checks, key)) continue;
    throw new TypeError(
      `Unknown setting "${prefix}${shortened(key)}": expected one of ${
        Object.keys(checks).join(", ")
      }`,
    );
  }
  for (const [key, check] of Object.entries(checks)) {
    if (!Object.hasOwn(value, key)) {
      throw new TypeError(`Setting "${prefix}${key}" is missing`);
    }
    check(prefix + key, (value as Record<string, unknown>)[key]);
  }
}

function group(checks: Checks): Check {
  return (option, value) => checkGroup(option, value, checks);
}

function anything(): void {}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

function projection(option: string, value: unknown): void {
  if (typeof value !== "object" || value === null) {
    throw wrongType(option, value, "an object");
  }
  const { kind } = value as { kind?: unknown };
  oneOf(...Object.keys(PROJECTIONS))(`${option}.kind`, kind);
  checkGroup(option, value, PROJECTIONS[kind as string]!);
}

const LEVELS = ["imagenet", "unit", "bytes"];

/** Levels by name, or a mean and a deviation above 0 of three channels each. */
function normalise(option: string, value: unknown): void {
  if (typeof value === "string") return oneOf(...LEVELS)(option, value);
  checkGroup(option, value, {
    mean: channels("three numbers", () => true),
    std: channels("three numbers other than 0", (number) => number !== 0),
  });
}

/** Runs of pixels that are left out and inspected in turn. */
function region(option: string, value: unknown): void {
  checkGroup(option, value, {
    width: integer(1, LIMITS.imageSide),
    height: integer(1, LIMITS.imageSide),
    runs: numbers,
    roi: words,
    ignore: words,
  });
  const { width, height, runs } = value as RegionSetting;
  if (width * height > LIMITS.regionPixels) {
    throw new RangeError(
      `Cannot use ${option} of ${width} × ${height} pixels: expected at most ${LIMITS.regionPixels}`,
    );
  }
  const pixels = runs.reduce((sum, run) => sum + run, 0);
  const isSound = runs.every((run, i) =>
    Number.isSafeInteger(run) && run >= (i === 0 ? 0 : 1)
  );
  if (!isSound || pixels !== width * height || runs.length < 2) {
    throw new RangeError(
      `Cannot use ${option}.runs ${
        shown(runs.slice(0, 4))
      } …: expected the lengths of runs of ${width} × ${height} pixels that are left out and inspected in turn, one inspected at least`,
    );
  }
}

function numbers(option: string, value: unknown): void {
  const expected = "a list of numbers";
  if (!Array.isArray(value) || value.some((run) => typeof run !== "number")) {
    throw wrongType(option, value, expected);
  }
}

function words(option: string, value: unknown): void {
  const expected =
    `a list of texts of at most ${LIMITS.regionWords} characters`;
  if (
    !Array.isArray(value) || value.some((word) => typeof word !== "string")
  ) {
    throw wrongType(option, value, expected);
  }
  if (value.some((word) => word.length > LIMITS.regionWords)) {
    throw outOfRange(option, value, expected);
  }
}

/** Two samples, the first below the second. */
function range(option: string, value: unknown): void {
  const sample = number("a finite number", () => true);
  checkGroup(option, value, { low: sample, high: sample });
  const { low, high } = value as SampleRange;
  if (low < high && Number.isFinite(high - low)) return;
  throw outOfRange(option, value, "low to be below high");
}

/** The most a level may be shifted or stretched by. */
const MAX_LEVEL = 1e6;

function channels(
  expected: string,
  allowed: (value: number) => boolean,
): Check {
  return (option, value) => {
    if (!Array.isArray(value) || value.length !== 3) {
      throw wrongType(option, value, expected);
    }
    for (const number of value) {
      if (typeof number !== "number") throw wrongType(option, value, expected);
      const sound = Math.abs(number) <= MAX_LEVEL &&
        (number === 0 || Math.abs(number) >= 1 / MAX_LEVEL);
      if (!sound || !allowed(number)) throw outOfRange(option, value, expected);
    }
  };
}

function boolean(option: string, value: unknown): void {
  if (typeof value !== "boolean") {
    throw wrongType(option, value, "true or false");
  }
}

function number(expected: string, allowed: (value: number) => boolean): Check {
  return (option, value) => {
    if (typeof value !== "number") throw wrongType(option, value, expected);
    if (!Number.isFinite(value) || !allowed(value)) {
      throw outOfRange(option, value, expected);
    }
  };
}

function integer(min: number, max: number): Check {
  return number(
    `an integer from ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && value >= min && value <= max,
  );
}

function oddInteger(option: string, value: unknown): void {
  number(
    `an odd integer from 1 to ${LIMITS.patchSize}, so that a patch has a centre`,
    (side) => side % 2 === 1 && side >= 1 && side <= LIMITS.patchSize,
  )(option, value);
}

function integerOr(word: string, most: number): Check {
  return (option, value) => {
    if (value === word) return;
    if (typeof value === "string") {
      throw outOfRange(
        option,
        value,
        `an integer from 1 to ${most} or "${word}"`,
      );
    }
    integer(1, most)(option, value);
  };
}

function nullOr(check: Check): Check {
  return (option, value) => {
    if (value !== null) check(option, value);
  };
}

function oneOf(...words: readonly string[]): Check {
  const expected = `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return (option, value) => {
    if (typeof value !== "string") throw wrongType(option, value, expected);
    if (!words.includes(value)) throw outOfRange(option, value, expected);
  };
}

function layerNames(option: string, value: unknown): void {
  const expected = "a list of one or more different names";
  const { layers: most, name: longest } = LIMITS;
  if (Array.isArray(value) && value.length > most) {
    throw new RangeError(
      `Cannot use ${value.length} layers: expected ${most} at most`,
    );
  }
  if (
    !Array.isArray(value) || value.some((name) => typeof name !== "string")
  ) {
    throw wrongType(option, value, expected);
  }
  const names = new Set(value);
  if (value.length === 0 || names.size < value.length || names.has("")) {
    throw outOfRange(option, value, expected);
  }
  if (value.some((name) => name.length > longest)) {
    throw outOfRange(
      option,
      value,
      `names of at most ${longest} characters`,
    );
  }
}

function wrongType(option: string, value: unknown, expected: string): Error {
  return new TypeError(message(option, value, expected));
}

function outOfRange(option: string, value: unknown, expected: string): Error {
  return new RangeError(message(option, value, expected));
}

function message(option: string, value: unknown, expected: string): string {
  return `Cannot use ${option} ${shown(value)}: expected ${expected}`;
}
