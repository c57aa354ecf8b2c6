/**
 * Decoders of imagescript: PNG, and JPEG in the colours that it stores.
 *
 * @module
 */
import type { Pixels } from "./pixels.ts";

interface PngModule {
  init(): Promise<{ decode(bytes: Uint8Array): PngImage }>;
}

interface PngImage {
  readonly width: number;
  readonly height: number;
  readonly framebuffer: Uint8Array;
}

/** Opens a decoder of PNG, whose colours are those stored. */
export async function openPngDecoder(): Promise<(bytes: Uint8Array) => Pixels> {
  const module = await import("npm:imagescript@1.3.1/wasm/node/png.js") as {
    default: PngModule;
  };
  const decoder = await module.default.init();
  return (bytes) => {
    const { width, height, framebuffer: data } = decoder.decode(bytes);
    return { width, height, data };
  };
}

interface JpegModule {
  init(): Promise<{ decode(bytes: Uint8Array): JpegImage }>;
}

interface JpegImage {
  readonly width: number;
  readonly height: number;
  /** 0: grey, 1: RGB, 2: CMYK. */
  readonly format: number;
  readonly buffer: Uint8Array;
}

/** An image of cyan, magenta, yellow and black, 255 is full ink. */
interface InkImage {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** `[H, W, 4]`. */
  readonly cmyk: Uint8Array;
}

/** Opens a decoder of JPEG files with four channels. */
export async function openCmykDecoder(): Promise<
  (bytes: Uint8Array) => InkImage
> {
  const module = await import("npm:imagescript@1.3.1/wasm/node/jpeg.js") as {
    default: JpegModule;
  };
  const decoder = await module.default.init();
  return (bytes) => {
    const { width, height, format, buffer } = decoder.decode(bytes);
    if (format !== 2) throw new Error(`Pixel format ${format}`);
    return { width, height, cmyk: buffer };
  };
}
