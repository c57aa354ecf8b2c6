import type { Pixels } from "../core/mod.ts";
import type { CloseUp } from "../core/report/small_copy.ts";
import { make } from "./elements.ts";

/** A canvas that shows an image; screen readers are told `label`. */
export function canvasOf(image: Pixels, label: string): HTMLCanvasElement {
  const canvas = make("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  paint(canvas, image);
  return canvas;
}

/** Shows an image in a canvas. */
export function paint(
  canvas: HTMLCanvasElement,
  { width, height, data }: Pixels,
): void {
  canvas.width = width;
  canvas.height = height;
  const levels = new ImageData(Uint8ClampedArray.from(data), width, height);
  canvas.getContext("2d")?.putImageData(levels, 0, 0);
}

/** A canvas of a close-up with a frame around its patch. */
export function closeUpCanvas(
  { pixels, frame }: CloseUp,
  label: string,
): HTMLCanvasElement {
  const canvas = canvasOf(pixels, label);
  const context = canvas.getContext("2d");
  if (context === null) return canvas;
  const { width, height } = pixels;
  const box = [
    frame.x * width,
    frame.y * height,
    frame.width * width,
    frame.height * height,
  ] as const;
  const line = Math.max(1, width / 100);
  context.lineWidth = 3 * line;
  context.strokeStyle = "#000";
  context.strokeRect(...box);
  context.lineWidth = line;
  context.strokeStyle = "#fff";
  context.strokeRect(...box);
  return canvas;
}
