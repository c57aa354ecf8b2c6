import type { Pixels } from "../core/mod.ts";
import type { CloseUp } from "../core/report/small_copy.ts";
import { make } from "./elements.ts";

/** A canvas that shows an image; screen readers are told `label`. */
export function canvasOf(image: Pixels, label: string): HTMLCanvasElement {
  const canvas = namedCanvas(label);
  paint(canvas, image);
  return canvas;
}

function namedCanvas(label: string): HTMLCanvasElement {
  const canvas = make("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
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

/** Pixels of a close-up's canvas: enough for a sharp frame. */
const CLOSE_UP_SIDE = 384;

/** A canvas of a close-up with a frame around its patch. */
export function closeUpCanvas(
  { pixels, frame }: CloseUp,
  label: string,
): HTMLCanvasElement {
  const source = make("canvas");
  paint(source, pixels);
  const canvas = namedCanvas(label);
  const scale = CLOSE_UP_SIDE / Math.max(pixels.width, pixels.height);
  const width = canvas.width = Math.round(pixels.width * scale);
  const height = canvas.height = Math.round(pixels.height * scale);
  const context = canvas.getContext("2d");
  if (context === null) return canvas;
  context.drawImage(source, 0, 0, width, height);
  for (const [line, color] of [[9, "#000"], [4, "#fff"]] as const) {
    context.lineWidth = line;
    context.strokeStyle = color;
    context.strokeRect(
      frame.x * width,
      frame.y * height,
      frame.width * width,
      frame.height * height,
    );
  }
  return canvas;
}
