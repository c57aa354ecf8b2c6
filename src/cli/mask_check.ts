import type { MaskSource, Sample } from "../core/datasets/dataset.ts";
import { parseNpy } from "../core/images/npy.ts";
import { readImageHeader } from "../core/images/image_header.ts";
import { readImage } from "./disk.ts";
import type { FoundCategory } from "./evaluate_data.ts";

/** Files that are read at once. */
const AT_ONCE = 8;

/**
 * Reads the headers of all masks and of their images, before hours of work are
 * spent on a category that a mask of another size would end.
 *
 * @param signal Ends it.
 * @returns The categories whose masks cannot be used, and why.
 */
export async function checkMasks(
  categories: readonly FoundCategory[],
  signal: AbortSignal,
): Promise<Map<FoundCategory, Error>> {
  const failed = new Map<FoundCategory, Error>();
  for (const found of categories) {
    const samples = found.category.test.filter(({ mask }) =>
      mask !== undefined
    );
    const sizes = new Map<string, Promise<Size>>();
    const errors: Error[] = [];
    for (let at = 0; at < samples.length; at += AT_ONCE) {
      signal.throwIfAborted();
      const checks = samples.slice(at, at + AT_ONCE)
        .map((sample) => problemOf(sample, sizes));
      errors.push(
        ...(await Promise.all(checks)).filter((e) => e !== undefined),
      );
    }
    const [first] = errors;
    if (first === undefined) continue;
    const others = errors.length === 1
      ? ""
      : `; ${errors.length - 1} more of its masks cannot be used`;
    failed.set(found, new Error(first.message + others, { cause: first }));
  }
  return failed;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

async function problemOf(
  { path, mask }: Sample,
  volumes: Map<string, Promise<Size>>,
): Promise<Error | undefined> {
  try {
    let image: Size;
    try {
      image = await imageSize(path);
    } catch {
      // Told when it is predicted: it is the image that is missed, not the mask.
      return undefined;
    }
    for (const source of [mask!.path, ...mask!.others ?? []]) {
      const size = await maskSize({ ...mask!, path: source }, volumes);
      if (size.width === image.width && size.height === image.height) continue;
      return new RangeError(
        `Cannot use mask "${source}": it has ${size.width} × ${size.height} pixels, its image "${path}" has ${image.width} × ${image.height}`,
      );
    }
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

async function imageSize(path: string): Promise<Size> {
  const { width, height, orientation } = readImageHeader(
    await readImage(path),
    path,
  );
  return orientation > 4 ? { width: height, height: width } : { width, height };
}

/** The size of a mask; files of several frames are read once. */
function maskSize(
  { path, frame }: MaskSource,
  volumes: Map<string, Promise<Size>>,
): Promise<Size> {
  if (frame === undefined) return imageSize(path);
  let size = volumes.get(path);
  if (size === undefined) {
    size = readImage(path).then((bytes) => {
      const [, height = 0, width = 0] = parseNpy(bytes, path).shape;
      return { width, height };
    });
    volumes.set(path, size);
  }
  return size;
}
