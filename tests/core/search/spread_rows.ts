import { randomFloats } from "../../testing.ts";

/** Elements of a row. */
export const DIM = 260;

/** Rows that differ mostly along a few directions, around 20. */
export function spread(
  seed: number,
  rows: number,
  directions = 12,
): Float32Array<ArrayBuffer> {
  const axes = randomFloats(1, directions * DIM);
  const weights = randomFloats(seed, rows * directions);
  return randomFloats(seed + 1, rows * DIM).map((noise, i) => {
    const [row, k] = [Math.floor(i / DIM), i % DIM];
    let sum = 20 + noise / 10;
    for (let a = 0; a < directions; a++) {
      sum += weights[row * directions + a]! * axes[a * DIM + k]!;
    }
    return sum;
  });
}
