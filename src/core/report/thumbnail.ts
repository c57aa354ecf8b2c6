import type { Box } from "../detector/predict/prediction.ts";
import type { Pixels } from "../images/pixels.ts";
import { encodePng } from "../images/png.ts";

const JPEG_QUALITY = 0.82;
const CHANNELS = 4;

/**
 * A smaller copy of a part of an image: every pixel is the mean of those it
 * stands for, or the nearest one where there are fewer.
 *
 * @param box The part, in pixels; what lies outside the image is the nearest
 * edge.
 * @param width Columns of the copy.
 * @param height Rows of the copy.
 */
export function sampleBox(
  image: Pixels,
  box: Box,
  width: number,
  height: number,
): Pixels {
  const columns = spans(box.x, box.width, width, image.width);
  const rows = spans(box.y, box.height, height, image.height);
  const data = new Uint8ClampedArray(width * height * CHANNELS);
  let to = 0;
  for (const [top, bottom] of rows) {
    for (const [left, right] of columns) {
      const sums = [0, 0, 0, 0];
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const from = (y * image.width + x) * CHANNELS;
          for (let c = 0; c < CHANNELS; c++) sums[c]! += image.data[from + c]!;
        }
      }
      const count = (bottom - top) * (right - left);
      for (let c = 0; c < CHANNELS; c++) data[to++] = sums[c]! / count;
    }
  }
  return { width, height, data };
}

/** The size of an image shrunk to fit a square; never enlarged. */
export function fittedSize(
  { width, height }: Pick<Pixels, "width" | "height">,
  side: number,
): { readonly width: number; readonly height: number } {
  const scale = Math.min(1, side / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** A whole image, as {@linkcode sampleBox} makes it `width` × `height`. */
export function resampled(
  image: Pixels,
  { width, height }: Pick<Pixels, "width" | "height">,
): Pixels {
  const whole = { x: 0, y: 0, width: image.width, height: image.height };
  return sampleBox(image, whole, width, height);
}

/** An image shrunk to fit a square; never enlarged. */
export function thumbnail(image: Pixels, side: number): Pixels {
  return resampled(image, fittedSize(image, side));
}

/**
 * An image as the address of itself, `data:image/…`: JPEG where the runtime
 * can write it, else PNG.
 */
export async function dataAddress(image: Pixels): Promise<string> {
  const blob = await jpegBlob(image);
  if (blob === undefined) return await pngAddress(image);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return `data:${blob.type};base64,${bytes.toBase64()}`;
}

/** An image as a PNG in its own address; keeps transparency. */
export async function pngAddress(image: Pixels): Promise<string> {
  return `data:image/png;base64,${(await encodePng(image)).toBase64()}`;
}

/** What is used of a canvas; runtimes have different contexts. */
interface Canvas {
  getContext(kind: string): {
    transferFromImageBitmap?(bitmap: ImageBitmap): void;
  } | null;
  convertToBlob(options: { type: string; quality: number }): Promise<Blob>;
}

async function jpegBlob(
  { width, height, data }: Pixels,
): Promise<Blob | undefined> {
  if (typeof OffscreenCanvas !== "function") return undefined;
  const canvas = new OffscreenCanvas(width, height) as unknown as Canvas;
  const renderer = canvas.getContext("bitmaprenderer");
  if (renderer?.transferFromImageBitmap === undefined) return undefined;
  const levels = new ImageData(Uint8ClampedArray.from(data), width, height);
  renderer.transferFromImageBitmap(await createImageBitmap(levels));
  const type = "image/jpeg";
  const blob = await canvas.convertToBlob({ type, quality: JPEG_QUALITY });
  return blob.type === type ? blob : undefined;
}

/** For each of `count` pixels the pixels of the image that it stands for. */
function spans(
  start: number,
  length: number,
  count: number,
  limit: number,
): [from: number, to: number][] {
  const clamp = (value: number): number =>
    Math.min(Math.max(value, 0), limit - 1);
  return Array.from({ length: count }, (_, i) => {
    const low = start + length * i / count;
    const high = start + length * (i + 1) / count;
    const from = clamp(Math.floor(low + (high - low < 1 ? 0 : 0.5)));
    const last = clamp(Math.ceil(high - 0.5) - 1);
    return [from, Math.max(from, last) + 1];
  });
}
