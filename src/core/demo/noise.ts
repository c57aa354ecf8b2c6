import type { Mt19937 } from "../settings/random.ts";

const SIDE = 64;

/** Random values on a grid, smoothly interpolated; it repeats after 64 units. */
export class SmoothNoise {
  readonly #values = new Float32Array(SIDE * SIDE);

  /** Draws the grid. */
  constructor(random: Mt19937) {
    for (let i = 0; i < this.#values.length; i++) {
      this.#values[i] = random.float32(-1, 1);
    }
  }

  /** The noise at a point, −1 to 1. */
  at(x: number, y: number): number {
    const column = Math.floor(x);
    const row = Math.floor(y);
    const right = smooth(x - column);
    const down = smooth(y - row);
    const upper = mix(
      this.#grid(column, row),
      this.#grid(column + 1, row),
      right,
    );
    const lower = mix(
      this.#grid(column, row + 1),
      this.#grid(column + 1, row + 1),
      right,
    );
    return mix(upper, lower, down);
  }

  /** A sum of octaves, each half as strong and twice as fine; about −1 to 1. */
  fractal(x: number, y: number, octaves = 4): number {
    let sum = 0;
    for (let octave = 0; octave < octaves; octave++) {
      const scale = 2 ** octave;
      sum += this.at(x * scale + 17 * octave, y * scale + 31 * octave) / scale;
    }
    return sum * 0.6;
  }

  #grid(column: number, row: number): number {
    return this.#values[(row & SIDE - 1) * SIDE + (column & SIDE - 1)]!;
  }
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}
