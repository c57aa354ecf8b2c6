import { decodeImage, type DecodeOptions } from "../images/decode.ts";
import { checkPixels, type Pixels } from "../images/pixels.ts";

/** An image with the name that results carry. */
export interface NamedImage {
  /** Name of the image: its path, as a rule. */
  readonly name: string;
  /** The file's bytes, decoded pixels, or a function that gives either. */
  readonly content:
    | Uint8Array
    | Pixels
    | (() => Promise<Uint8Array | Pixels>);
}

/**
 * An image: the bytes of a file (PNG, JPEG, TIFF, WebP, BMP, GIF), pixels such
 * as a browser's `ImageData`, or either with a name.
 */
export type ImageSource = Uint8Array | Pixels | NamedImage;

/** Many images, as a list or one after the other. */
export type ImageSources =
  | Iterable<ImageSource>
  | AsyncIterable<ImageSource>;

/** Gives an image its name: its own, or `image N`. */
export function named(source: ImageSource, index: number): NamedImage {
  if (!(source instanceof Uint8Array) && "content" in source) return source;
  return { name: `image ${index}`, content: source };
}

/**
 * Reads and decodes an image.
 *
 * @param options How a file is decoded; pixels are taken as they are.
 * @throws {ImageError} If it is no image; what reading throws passes through.
 */
export async function loadPixels(
  { name, content }: NamedImage,
  options: DecodeOptions = {},
): Promise<Pixels> {
  const image = typeof content === "function" ? await content() : content;
  if (image instanceof Uint8Array) {
    return await decodeImage(image, name, options);
  }
  checkPixels(image);
  return image;
}
