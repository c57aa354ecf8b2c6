/** RGB of cyan, magenta, yellow and black (255 is full ink), as Pillow. */
export function rgbOfCmyk(cmyk: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(cmyk.length / 4 * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - cmyk[from + 3]!;
    rgb[to] = light - multiply(cmyk[from]!, light);
    rgb[to + 1] = light - multiply(cmyk[from + 1]!, light);
    rgb[to + 2] = light - multiply(cmyk[from + 2]!, light);
  }
  return rgb;
}

/** `a · b / 255`, rounded. */
function multiply(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
