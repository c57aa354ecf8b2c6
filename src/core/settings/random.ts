/**
 * Seeded random numbers, drawn as NumPy and PyTorch draw them on a CPU.
 *
 * One seed gives the same bits everywhere: the integer draws and the uniform
 * floats are exact; {@linkcode Mt19937.normal} depends on the platform's
 * logarithm in its last bit.
 *
 * @module
 */

const STATE_SIZE = 624;
const SHIFT_SIZE = 397;
const UINT32_RANGE = 2 ** 32;

/**
 * MT19937 seeded as `numpy.random.seed(seed)` and `torch.manual_seed(seed)`
 * seed it (Matsumoto and Nishimura's `init_genrand`).
 */
export class Mt19937 {
  readonly #state = new Uint32Array(STATE_SIZE);
  #position = STATE_SIZE;
  #spareNormal: number | undefined;

  /**
   * Starts the sequence of a seed.
   *
   * @param seed An integer from 0 to 2³² − 1.
   * @throws {RangeError} If the seed is outside that range.
   */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= UINT32_RANGE) {
      throw new RangeError(
        `Cannot seed the random generator: seed must be an integer from 0 to 4294967295: current value is ${seed}`,
      );
    }
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < STATE_SIZE; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(previous, 1812433253) + i;
    }
  }

  /** The next 32 random bits, an integer from 0 to 2³² − 1. */
  uint32(): number {
    if (this.#position === STATE_SIZE) this.#twist();
    let bits = this.#state[this.#position++]!;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  }

  /** A uniform float64 in [0, 1) with 53 random bits (`numpy.random.random_sample`). */
  float64(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /**
   * A uniform float32 in [low, high) with 24 random bits
   * (`torch.Tensor.uniform_` on a CPU, which fuses the multiplication and the
   * addition).
   */
  float32(low = 0, high = 1): number {
    const from = Math.fround(low);
    const range = Math.fround(Math.fround(high) - from);
    return Math.fround((this.uint32() & 0xffffff) * 2 ** -24 * range + from);
  }

  /**
   * A uniform integer from 0 to `bound` − 1 by masked rejection
   * (`numpy.random.randint`, and every step of NumPy's shuffles).
   *
   * @param bound An integer from 1 to 2³²; 1 draws nothing.
   * @throws {RangeError} If the bound is outside that range.
   */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > UINT32_RANGE) {
      throw new RangeError(
        `Cannot draw an integer: bound must be an integer from 1 to 4294967296: current value is ${bound}`,
      );
    }
    const largest = bound - 1;
    if (largest === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(largest);
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= largest) return value;
    }
  }

  /** A standard normal float64 (`numpy.random.standard_normal`, polar Box–Muller). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    let x = 0, y = 0, square = 0;
    do {
      x = 2 * this.float64() - 1;
      y = 2 * this.float64() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt(-2 * Math.log(square) / square);
    this.#spareNormal = factor * x;
    return factor * y;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < STATE_SIZE; i++) {
      const next = state[(i + 1) % STATE_SIZE]!;
      const joined = (state[i]! & 0x80000000) | (next & 0x7fffffff);
      state[i] = state[(i + SHIFT_SIZE) % STATE_SIZE]! ^ (joined >>> 1) ^
        ((next & 1) === 0 ? 0 : 0x9908b0df);
    }
    this.#position = 0;
  }
}

/**
 * Shuffles `items` in place (`numpy.random.shuffle`: Fisher–Yates from the
 * last item down).
 */
export function shuffle(
  random: Mt19937,
  items: unknown[] | Uint32Array,
): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const item = items[i];
    items[i] = items[j]!;
    (items as unknown[])[j] = item;
  }
}

/**
 * The integers 0 to `count` − 1 in random order
 * (`numpy.random.permutation(count)`).
 *
 * @param count How many integers, at most 2³² − 1.
 * @returns The permutation, of length `count`.
 */
export function permutation(
  random: Mt19937,
  count: number,
): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  shuffle(random, order);
  return order;
}

/**
 * Draws `size` different integers below `count`
 * (`numpy.random.choice(count, size, replace=False)`: the head of a
 * permutation of all). The published PatchCore draws the start points of its
 * coreset so, with `size` 10.
 *
 * @param count The integers to choose from: 0 to `count` − 1.
 * @param size How many to draw, at most `count`.
 * @returns The chosen integers in drawing order.
 * @throws {RangeError} If `size` is negative, fractional or above `count`.
 */
export function choice(
  random: Mt19937,
  count: number,
  size: number,
): Uint32Array<ArrayBuffer> {
  if (!Number.isInteger(size) || size < 0 || size > count) {
    throw new RangeError(
      `Cannot choose ${size} of ${count} without replacement: size must be an integer from 0 to ${count}`,
    );
  }
  return permutation(random, count).slice(0, size);
}
