/**
 * An image that cannot be read: which one, why, and what to do about it.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { decodeImage, ImageError } from "@patchcore/webgpu/core";
 *
 * const bytes = new TextEncoder().encode("no image");
 * await assertRejects(() => decodeImage(bytes, "note.txt"), ImageError);
 * ```
 */
export class ImageError extends Error {
  /** Always `"ImageError"`. */
  override name = "ImageError";
  /** The image, as the caller named it. */
  readonly image: string;

  /**
   * Makes one sentence of what is known.
   *
   * @param image Name of the image, usually its path.
   * @param problem What was found, and what was expected.
   * @param remedy What to do, if anything is known to help.
   * @param options The underlying error, as `cause`.
   */
  constructor(
    image: string,
    problem: string,
    remedy?: string,
    options?: ErrorOptions,
  ) {
    const advice = remedy === undefined ? "" : `; ${remedy}`;
    super(`Cannot read image "${image}": ${problem}${advice}`, options);
    this.image = image;
  }
}

/**
 * Checks that an image has pixels.
 *
 * @throws {ImageError} If a side is 0 or negative.
 */
export function checkExtent(
  { width, height }: { readonly width: number; readonly height: number },
  name: string,
): void {
  if (width >= 1 && height >= 1) return;
  throw new ImageError(
    name,
    `its size is ${width} × ${height}, expected at least one pixel`,
  );
}
