import type { Pixels } from "../../src/core/images/pixels.ts";

/**
 * Pillow's `Image.resize((width, height), BILINEAR)` on RGBA, integer
 * arithmetic written plainly: both passes over the whole image.
 */
export function resize(image: Pixels, width: number, height: number): Pixels {
  const rows = resizeRows(image, width);
  return transpose(resizeRows(transpose(rows), height));
}

/** torchvision's `CenterCrop` for images at least as large as the crop. */
export function centerCrop(image: Pixels, side: number): Pixels {
  const left = pythonRound((image.width - side) / 2);
  const top = pythonRound((image.height - side) / 2);
  const data = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * image.width + left) * 4;
    data.set(image.data.subarray(from, from + side * 4), y * side * 4);
  }
  return { width: side, height: side, data };
}

/** torchvision's `Resize(size)`: the short side becomes `size`. */
export function resizeShortSide(image: Pixels, size: number): Pixels {
  const { width, height } = image;
  return width <= height
    ? resize(image, size, Math.trunc(size * height / width))
    : resize(image, Math.trunc(size * width / height), size);
}

function resizeRows(image: Pixels, width: number): Pixels {
  if (width === image.width) return image;
  const data = new Uint8Array(width * image.height * 4);
  for (let x = 0; x < width; x++) {
    const { first, weights } = coefficients(x, image.width, width);
    for (let y = 0; y < image.height; y++) {
      for (let c = 0; c < 4; c++) {
        let sum = 1 << 21;
        weights.forEach((weight, k) => {
          const at = (y * image.width + first + k) * 4 + c;
          sum += image.data[at]! * weight;
        });
        data[(y * width + x) * 4 + c] = Math.min(255, Math.max(0, sum >> 22));
      }
    }
  }
  return { width, height: image.height, data };
}

function coefficients(
  x: number,
  inSize: number,
  outSize: number,
): { first: number; weights: number[] } {
  const scale = inSize / outSize;
  const filterScale = scale < 1 ? 1 : scale;
  const center = (x + 0.5) * scale;
  let first = Math.trunc(center - filterScale + 0.5);
  if (first < 0) first = 0;
  let end = Math.trunc(center + filterScale + 0.5);
  if (end > inSize) end = inSize;
  const inverse = 1 / filterScale;
  const floats: number[] = [];
  for (let i = 0; i < end - first; i++) {
    const t = Math.abs((i + first - center + 0.5) * inverse);
    floats.push(t < 1 ? 1 - t : 0);
  }
  const total = floats.reduce((sum, weight) => sum + weight, 0);
  const weights = floats.map((weight) =>
    Math.trunc(0.5 + weight / total * (1 << 22))
  );
  return { first, weights };
}

function transpose({ width, height, data }: Pixels): Pixels {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 4; c++) {
        turned[(x * height + y) * 4 + c] = data[(y * width + x) * 4 + c]!;
      }
    }
  }
  return { width: height, height: width, data: turned };
}

function pythonRound(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest === 0.5) return down % 2 === 0 ? down : down + 1;
  return rest < 0.5 ? down : down + 1;
}
