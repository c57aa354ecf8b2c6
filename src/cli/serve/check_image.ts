import { ImageError } from "../../core/mod.ts";
import { readImageHeader } from "../../core/images/image_header.ts";
import { inputSize } from "../../core/images/tiles.ts";
import type { ModelInfo } from "./model_info.ts";
import { HttpProblem } from "./problem.ts";
import type { UploadedImage } from "./request_images.ts";

/** Pixels of the longest side, as JPEG has it; sides cost time beside pixels. */
const MAX_SIDE = 65_535;

/**
 * Checks by its header that an image can be inspected, before it is decoded.
 *
 * @throws {HttpProblem} 413 if it has too many pixels, 422 if it is no image, is
 * cut off, or does not go with the model.
 */
export function checkImage(
  { name, bytes }: UploadedImage,
  model: ModelInfo,
  maxPixels: number,
): void {
  const { width, height, orientation } = asProblem(() =>
    readImageHeader(bytes, name)
  );
  if (width * height > maxPixels) {
    throw new HttpProblem(
      413,
      `Cannot read image "${name}": it has ${width} × ${height} pixels, at most ${maxPixels} are allowed; shrink it`,
    );
  }
  if (Math.max(width, height) > MAX_SIDE) {
    throw new HttpProblem(
      413,
      `Cannot read image "${name}": it has ${width} × ${height} pixels, a side may have at most ${MAX_SIDE}; crop it`,
    );
  }
  const turned = orientation > 4;
  checkSize(
    name,
    turned ? { width: height, height: width } : { width, height },
    model,
  );
}

/**
 * Checks that an image of this size becomes the input that a model takes.
 *
 * @throws {HttpProblem} 422 if it does not.
 */
export function checkSize(
  name: string,
  { width, height }: { readonly width: number; readonly height: number },
  { input, settings, name: model }: ModelInfo,
): void {
  const [rows, columns] = asProblem(() =>
    inputSize({ width, height }, settings)
  );
  if (columns === input.width && rows === input.height) return;
  const what = settings.tiles === undefined ? "becomes" : "has tiles of";
  throw new HttpProblem(
    422,
    `Cannot use image "${name}" of ${width} × ${height} pixels: it ${what} ${columns} × ${rows}, model "${model}" takes ${input.width} × ${input.height}; send images of the shape it was fitted with`,
  );
}

function asProblem<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw imageProblem(error);
  }
}

/** What is wrong with an image as a problem of its request; else the error. */
export function imageProblem(error: unknown): unknown {
  return error instanceof ImageError || error instanceof RangeError
    ? new HttpProblem(422, error.message)
    : error;
}
