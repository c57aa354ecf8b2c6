/**
 * Finds normalisation of the image that a network does itself, so that nobody
 * does it twice.
 *
 * @module
 */
import type { Graph } from "./graph.ts";
import { type ImageUse, imageUse } from "./image_channels.ts";
import { OnnxError } from "./onnx/errors.ts";

/** What a network does to each colour channel before its first layer: (x − mean) / std. */
interface ImageNormalization {
  /** Subtracted from each channel of the image, in its own order. */
  readonly mean: readonly number[];
  /** Divides each channel. */
  readonly std: readonly number[];
}

/**
 * The normalisation inside a graph, as some published models have it (they
 * expect images in 0 to 1, or 0 to 255), or `undefined` when there is none and
 * images must be normalised before. Where a network reorders channels, each
 * still has the mean and deviation of its colour.
 */
export function imageNormalization(
  graph: Graph,
): ImageNormalization | undefined {
  return normalizationOf(imageUse(graph));
}

function normalizationOf({ uses }: ImageUse): ImageNormalization | undefined {
  const channels = [0, 1, 2].map((source) =>
    uses.flatMap(({ channels }) => channels)
      .find((channel) => channel.source === source)
  );
  const scale = channels.map((channel) => channel?.scale ?? 1);
  const shift = channels.map((channel) => channel?.shift ?? 0);
  const plain = scale.every((value) => value === 1) &&
    shift.every((value) => value === 0);
  const sound = [...scale, ...shift].every(Number.isFinite) &&
    !scale.includes(0);
  if (plain || !sound) return undefined;
  return {
    mean: shift.map((value, c) => value === 0 ? 0 : -value / scale[c]!),
    std: scale.map((value) => 1 / value),
  };
}

/**
 * The levels a network wants its image in: normalised as ImageNet is, from 0 to
 * 1, or from 0 to 255, the latter two because it normalises inside.
 */
export type ImageLevels = "imagenet" | "unit" | "bytes";

/** Mean and deviation of natural images in each of the levels. */
const NATURAL: readonly {
  readonly levels: ImageLevels;
  readonly mean: number;
  readonly std: number;
}[] = [
  { levels: "imagenet", mean: 0, std: 1 },
  { levels: "unit", mean: 0.45, std: 0.226 },
  { levels: "bytes", mean: 115, std: 57.6 },
];

/** ImageNet's mean and deviation of red, green and blue, levels from 0 to 1. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * The levels a network wants its image in, told by the normalisation inside
 * it: those in which natural images leave it nearest to mean 0 and deviation
 * 1, unless it has ImageNet's own numbers or clips the image to a range. One
 * that hardly moves levels (a BatchNormalization of the image) is for images
 * that are normalised already.
 *
 * @throws {OnnxError} `image_input` when it cannot be told.
 */
export function imageLevels(graph: Graph): ImageLevels {
  const use = imageUse(graph);
  if (disagrees(use)) {
    throw unclear("it normalises the image in two ways");
  }
  const limit = Math.max(...use.limits.slice(0, 64), -Infinity);
  if (Math.abs(limit - 1) < 0.01) return "unit";
  if (Math.abs(limit - 255) < 2) return "bytes";
  const inside = normalizationOf(use);
  if (inside === undefined) return "imagenet";
  const own = imageNetLevels(inside);
  if (own) return own;
  const costs = NATURAL.map(({ levels, mean, std }) => ({
    levels,
    cost: distance(inside, mean, std),
  })).sort((a, b) => a.cost - b.cost);
  const [best, second] = costs;
  if (best!.cost <= CLEAR * second!.cost) return best!.levels;
  throw unclear(
    `it subtracts [${rounded(inside.mean)}] and divides by [${
      rounded(inside.std)
    }], which fits levels for ${best!.levels} and for ${second!.levels}`,
  );
}

/** The best levels have to be nearer than this share of the next ones' distance. */
const CLEAR = 0.6;

/** How far natural images are from mean 0 and deviation 1 behind a normalisation. */
function distance(
  inside: ImageNormalization,
  mean: number,
  std: number,
): number {
  return inside.mean.reduce((sum, own, c) => {
    const spread = Math.log(std / Math.abs(inside.std[c]!)) ** 2;
    return sum + ((mean - own) / inside.std[c]!) ** 2 + spread;
  }, 0);
}

/** The levels in which a normalisation has ImageNet's mean or deviation, or only changes the range. */
function imageNetLevels(
  { mean, std }: ImageNormalization,
): ImageLevels | undefined {
  const near = (values: readonly number[], wanted: readonly number[]) =>
    values.every((value, c) =>
      Math.abs(value - wanted[c]!) <= 0.03 * Math.abs(wanted[c]!)
    );
  for (const [levels, unit] of [["unit", 1], ["bytes", 255]] as const) {
    const wanted = (list: readonly number[]) => list.map((v) => v * unit);
    if (near(mean, wanted(IMAGENET.mean))) return levels;
    if (near(std, wanted(IMAGENET.std)) && near(mean, [0, 0, 0])) return levels;
  }
  return near(std, [1 / 255, 1 / 255, 1 / 255]) ? "unit" : undefined;
}

/** Whether two operators read the same channel of the image in different levels. */
function disagrees({ uses }: ImageUse): boolean {
  const first = new Map<number, readonly [number, number]>();
  for (const { node, channels } of uses) {
    if (node.op !== "Conv") continue;
    for (const { source, scale, shift } of channels) {
      const [a, b] = first.get(source) ?? [scale, shift];
      first.set(source, [a, b]);
      const near = Math.abs(a - scale) <= 0.01 * Math.abs(a) &&
        Math.abs(b - shift) <= 0.01 * Math.abs(b) + 1e-6;
      if (!near && Number.isFinite(a)) return true;
    }
  }
  return false;
}

function rounded(values: readonly number[]): string {
  return values.map((value) => Number(value.toPrecision(3))).join(", ");
}

function unclear(problem: string): OnnxError {
  return new OnnxError(
    "image_input",
    `Cannot tell which levels the network wants its image in: ${problem}`,
    {
      hint: "say so with --normalise imagenet, unit, bytes or MEAN/STD",
    },
  );
}
