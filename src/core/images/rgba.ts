/**
 * RGBA of pixels as decoders give them; every alpha is 255.
 *
 * @module
 */

/** RGBA of one grey byte a pixel. */
export function rgbaOfGrey(grey: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgba = new Uint8Array(grey.length * 4).fill(255);
  for (let i = 0; i < grey.length; i++) {
    rgba[i * 4] = rgba[i * 4 + 1] = rgba[i * 4 + 2] = grey[i]!;
  }
  return rgba;
}

/** RGBA of red, green and blue. */
export function rgbaOfRgb(rgb: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgba = new Uint8Array(rgb.length / 3 * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from]!;
    rgba[to + 1] = rgb[from + 1]!;
    rgba[to + 2] = rgb[from + 2]!;
  }
  return rgba;
}

/** RGBA of cyan, magenta, yellow and black (255 is full ink), as Pillow. */
export function rgbaOfCmyk(cmyk: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgba = new Uint8Array(cmyk.length).fill(255);
  for (let i = 0; i < cmyk.length; i += 4) {
    const light = 255 - cmyk[i + 3]!;
    rgba[i] = light - multiply(cmyk[i]!, light);
    rgba[i + 1] = light - multiply(cmyk[i + 1]!, light);
    rgba[i + 2] = light - multiply(cmyk[i + 2]!, light);
  }
  return rgba;
}

/** `a · b / 255`, rounded. */
function multiply(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
