import { drawRegion, type RegionShape } from "../core/images/region.ts";
import { isLabelMap } from "../core/images/label_map.ts";
import type { RegionSetting } from "../core/settings/settings.ts";
import { readFile } from "./disk.ts";
import { UsageError } from "./exit.ts";
import type { Options, Values } from "./options.ts";
import { readPixels } from "./read_pixels.ts";

const SHAPES = "X,Y,W,H|POLYGON|MASK";

/** Options that choose what of images is inspected. */
export const REGION_OPTIONS = {
  roi: {
    kind: "list",
    value: SHAPES,
    whole: true,
    fallback: "the whole image",
    help:
      "inspect this part alone, in pixels of the first training image: a box, a file of a polygon's corners (.json, .txt, .csv), or a mask of the image's size, white where it is inspected; given again, these parts together",
  },
  ignore: {
    kind: "list",
    value: SHAPES,
    whole: true,
    fallback: "nothing",
    help: "leave this part out, in the same ways; it may be given again",
  },
} as const satisfies Options;

type RegionValues = Values<typeof REGION_OPTIONS>;

/** A shape of a command line, and the size of the image it was drawn over. */
interface GivenShape {
  readonly shape: RegionShape;
  /** Known of masks. */
  readonly size?: Pick<RegionSetting, "width" | "height">;
}

/**
 * What a command line says of the region; nothing where it says nothing.
 *
 * @param firstImage An image of the size that boxes and polygons are drawn in.
 * @throws {UsageError} If one cannot be understood, or does not fit the image.
 */
export async function regionOf(
  { roi, ignore }: RegionValues,
  firstImage: string | undefined,
): Promise<RegionSetting | undefined> {
  if (roi === undefined && ignore === undefined) return undefined;
  const inspected = await shapesOf("--roi", roi);
  const left = await shapesOf("--ignore", ignore);
  const mask = [...inspected, ...left].find(({ size }) => size !== undefined);
  const size = mask?.size ?? await sizeOf(firstImage);
  try {
    return drawRegion({
      ...size,
      roi: inspected.map(({ shape }) => shape),
      ignore: left.map(({ shape }) => shape),
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(`${cause.message} (--roi, --ignore)`, { cause });
  }
}

async function sizeOf(
  image: string | undefined,
): Promise<Pick<RegionSetting, "width" | "height">> {
  if (image === undefined) {
    throw new UsageError(
      "Cannot use --roi or --ignore: there is no image whose pixels they could count in",
    );
  }
  const { pixels: { width, height } } = await readPixels({ path: image });
  return { width, height };
}

async function shapesOf(
  option: string,
  given: readonly string[] = [],
): Promise<GivenShape[]> {
  const shapes: GivenShape[] = [];
  for (const text of given) {
    if (isBox(text)) shapes.push({ shape: boxOf(option, text) });
    else if (/\.(json|txt|csv)$/i.test(text)) {
      const file = new TextDecoder().decode(await readFile(text));
      const polygons = polygonsOf(option, text, file);
      shapes.push(...polygons.map((shape) => ({ shape })));
    } else shapes.push(await maskOf(text));
  }
  return shapes;
}

/** Numbers alone are meant as a box, however many they are. */
function isBox(text: string): boolean {
  return /^[-+\d.,\s]+$/.test(text);
}

function boxOf(option: string, text: string): RegionShape {
  const numbers = /^\d+,\d+,\d+,\d+$/.test(text)
    ? text.split(",").map(Number)
    : [];
  const [x, y, width, height] = numbers;
  if (x === undefined || y === undefined || !width || !height) {
    throw new UsageError(
      `Cannot use ${option} ${text}: expected x,y,width,height in whole pixels, such as 40,30,200,100`,
    );
  }
  return { kind: "box", x, y, width, height, name: text };
}

/**
 * The polygons of a file: `[[x, y], …]` or a list of such lists in JSON, or a
 * corner a line, `x,y` or `x y`.
 *
 * @throws {UsageError} If it is none of these.
 */
export function polygonsOf(
  option: string,
  path: string,
  text: string,
): RegionShape[] {
  const polygons = /\.json$/i.test(path) ? jsonPolygons(text) : [
    text.split(/\r?\n/).filter((line) => line.trim() !== "")
      .map((line) => line.trim().split(/[\s,;]+/).map(Number)),
  ];
  const sound = polygons?.filter((points): points is [number, number][] =>
    Array.isArray(points) &&
    points.every((point) =>
      Array.isArray(point) && point.length === 2 &&
      point.every(Number.isFinite)
    )
  );
  if (sound === undefined || sound.length !== polygons?.length) {
    throw new UsageError(
      `Cannot use ${option} "${path}": expected corners of a polygon in pixels, a line "x,y" each, or [[x, y], …] in JSON`,
    );
  }
  return sound.map((points) => ({ kind: "polygon", points, name: path }));
}

/** One polygon or several; nothing where the text is no list. */
function jsonPolygons(text: string): unknown[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(json) || json.length === 0) return undefined;
  const isOne = json.every((point) =>
    Array.isArray(point) && typeof point[0] === "number"
  );
  return isOne ? [json] : json;
}

/** Masks mark what is 128 or more, or, where they hold numbers, not 0. */
async function maskOf(path: string): Promise<GivenShape> {
  const { pixels } = await readPixels({ path });
  const { width, height, data } = pixels;
  const grey = Uint8Array.from(
    { length: width * height },
    (_, i) => Math.max(data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!),
  );
  const least = isLabelMap(grey, width) ? 1 : 128;
  const marks = grey.map((level) => level >= least ? 1 : 0);
  const size = { width, height };
  return {
    shape: { kind: "mask", ...size, data: marks, name: path },
    size,
  };
}
