import type { Pixels } from "../images/pixels.ts";
import type { GreyImage } from "../images/png.ts";
import type { Mt19937 } from "../settings/random.ts";
import type { Canvas } from "./canvas.ts";

/** Deviation of the sensor's noise. */
const NOISE = 0.011;
/** A pixel is defective from this difference to the flawless part on. */
const VISIBLE = 0.03;

/**
 * Takes a picture: exposure and evenness of the light vary, the lens is a
 * little soft, the sensor adds noise.
 */
export function expose(
  { size, data }: Canvas,
  random: Mt19937,
): Pixels {
  const gain = random.float32(0.95, 1.05);
  const across = random.float32(-0.05, 0.05);
  const down = random.float32(-0.05, 0.05);
  const tint = [
    random.float32(0.99, 1.01),
    1,
    random.float32(0.99, 1.01),
  ];
  const soft = soften(data, size);
  const pixels = new Uint8Array(size * size * 4).fill(255);
  for (let i = 0; i < size * size; i++) {
    const x = (i % size) / size - 0.5;
    const y = Math.floor(i / size) / size - 0.5;
    const light = gain * (1 + across * x + down * y - 0.16 * (x * x + y * y));
    for (let c = 0; c < 3; c++) {
      const level = soft[i * 3 + c]! * light * tint[c]! +
        NOISE * random.normal();
      pixels[i * 4 + c] = Math.round(255 * Math.min(Math.max(level, 0), 1));
    }
  }
  return { width: size, height: size, data: pixels };
}

/** 255 where a part looks different from the same part without its defect. */
export function differenceMask(flawed: Canvas, flawless: Canvas): GreyImage {
  const { size } = flawed;
  const grey = new Uint8Array(size * size);
  for (let i = 0; i < grey.length * 3; i++) {
    const difference = Math.abs(flawed.data[i]! - flawless.data[i]!);
    if (difference >= VISIBLE) grey[Math.floor(i / 3)] = 255;
  }
  return { width: size, height: size, grey };
}

/** Weighs each pixel with its neighbours, 1 : 6 : 1 along rows and columns. */
function soften(data: Float32Array, size: number): Float32Array {
  const rows = softenAlong(data, size, 3, size * 3);
  return softenAlong(rows, size, size * 3, 3);
}

function softenAlong(
  data: Float32Array,
  size: number,
  step: number,
  lineStep: number,
): Float32Array {
  const result = new Float32Array(data.length);
  for (let line = 0; line < size; line++) {
    for (let k = 0; k < size; k++) {
      for (let c = 0; c < 3; c++) {
        const at = line * lineStep + k * step + c;
        const before = data[k === 0 ? at : at - step]!;
        const after = data[k === size - 1 ? at : at + step]!;
        result[at] = (before + 6 * data[at]! + after) / 8;
      }
    }
  }
  return result;
}
