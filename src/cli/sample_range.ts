import { decodeStored, storedExtent } from "../core/images/decode.ts";
import { rangeOfAll } from "../core/images/levels.ts";
import { readImageHeader } from "../core/images/image_header.ts";
import type { SampleExtent } from "../core/images/samples.ts";
import type { SampleRange } from "../core/settings/settings.ts";
import type { Context } from "./command.ts";
import { readImage } from "./disk.ts";
import { UsageError } from "./exit.ts";
import type { Option } from "./options.ts";

/** Which samples become black and white. */
export const RANGE_OPTION = {
  kind: "text",
  value: "full|auto|LO..HI",
  help:
    "samples of images of more than 8 bits that become black and white: full (all that the file's bits allow, the default), auto (as many bits as the training images use), or such as 0..4095; the model keeps it",
} as const satisfies Option;

/** What `--range` may be measured for. */
interface RangeValues {
  /** `--range` as it was given. */
  readonly range: string | undefined;
  /** The most pixels an image may have. */
  readonly maxPixels: number;
}

/**
 * The range that a command line stands for.
 *
 * @returns Nothing for all that the file's bits allow.
 * @throws {UsageError} If it is none, or still has to be measured, as it is
 * where a model is fitted but not where one is appended to.
 */
export function rangeOf(text: string | undefined): SampleRange | undefined {
  if (text === undefined || text === "full") return undefined;
  if (text === "auto") {
    throw new UsageError(
      "Cannot use --range auto with --append: the model has its range; leave the option out",
    );
  }
  const [, ...ends] = /^(-?[\d.]+(?:e[+-]?\d+)?)\.\.(-?[\d.]+(?:e[+-]?\d+)?)$/i
    .exec(text) ?? [];
  const [low = NaN, high = NaN] = ends.map(Number);
  if (low < high && Number.isFinite(high - low)) return { low, high };
  throw new UsageError(
    `Cannot use --range ${text}: expected full, auto, or LO..HI with LO below HI, such as 0..4095`,
  );
}

/**
 * The command line with the range in place of `--range auto`: it is that of the
 * training images.
 *
 * @param paths The training images; those that cannot be read count for nothing.
 */
export async function withMeasuredRange<V extends RangeValues>(
  values: V,
  paths: readonly string[],
  { terminal, signal }: Context,
): Promise<V> {
  const { range: given, maxPixels } = values;
  if (given !== "auto") {
    rangeOf(given);
    return values;
  }
  const extents: SampleExtent[] = [];
  for (const path of paths) {
    signal.throwIfAborted();
    const extent = await extentOfFile(path, maxPixels);
    if (extent !== undefined) extents.push(extent);
  }
  const range = rangeOfAll(extents);
  terminal.message(
    range === undefined
      ? "No training image has more than 8 bits a sample: --range auto changes nothing"
      : `Range of samples: ${range.low} is black, ${range.high} is white (${extents.length} of ${paths.length} training images have more than 8 bits a sample)`,
  );
  return { ...values, range: range && `${range.low}..${range.high}` };
}

async function extentOfFile(
  path: string,
  maxPixels: number,
): Promise<SampleExtent | undefined> {
  try {
    const bytes = await readImage(path);
    const { bits = 8, format } = readImageHeader(bytes, path);
    if (bits <= 8 && format !== "TIFF") return undefined;
    return storedExtent(await decodeStored(bytes, path, { maxPixels }));
  } catch {
    // Told when it is fitted.
    return undefined;
  }
}
