import type { StoredSample } from "../model/stored_model.ts";
import { Mt19937, permutation } from "../settings/random.ts";
import type { PatchLayout, TrainingScore } from "./training_scores.ts";

/**
 * Draws the images that a part carries along.
 *
 * @param images Those there are.
 * @param most How many, at the most.
 * @param seed Of the draw.
 */
export function drawCarried(
  images: readonly number[],
  most: number,
  seed: number,
): ReadonlySet<number> {
  if (images.length <= most) return new Set(images);
  const order = permutation(new Mt19937(seed), images.length);
  return new Set(
    Array.from(order.slice(0, most), (place) => images[place]!),
  );
}

/**
 * What a part carries along of its images.
 *
 * @param found Its scored images; those with carried patches count.
 * @param layout How patches lie in them.
 * @param views How many views of each image their places count.
 */
export function sampleOf(
  found: readonly TrainingScore[],
  { grid }: PatchLayout,
  views = 1,
): StoredSample {
  const own = found.filter(({ carried }) => carried !== undefined)
    .toSorted((a, b) => a.place - b.place);
  const all = own.map(({ carried }) => carried!);
  return {
    images: Int32Array.from(own, ({ place }) => place / views),
    grid,
    patches: joined(Int32Array, all.map(({ patches }) => patches)),
    features: joined(Float32Array, all.map(({ features }) => features)),
    scores: joined(Float32Array, all.map(({ scores }) => scores)),
  };
}

/**
 * What several parts carry, as one.
 *
 * @param parts What each carries, and the number that its first image gets.
 * @returns Nothing where one of them carries nothing.
 */
export function joinSamples(
  parts: readonly (readonly [StoredSample, number] | undefined)[],
): StoredSample | undefined {
  const all = parts.filter((part) => part !== undefined);
  const [first] = all;
  if (first === undefined || all.length < parts.length) return undefined;
  const join = (pick: (sample: StoredSample) => Float32Array) =>
    joined(Float32Array, all.map(([sample]) => pick(sample)));
  return {
    images: joined(
      Int32Array,
      all.map(([{ images }, before]) => images.map((image) => image + before)),
    ),
    grid: first[0].grid,
    patches: joined(Int32Array, all.map(([{ patches }]) => patches)),
    features: join(({ features }) => features),
    scores: join(({ scores }) => scores),
  };
}

/** Arrays one after the other. */
function joined<T extends Int32Array | Float32Array>(
  make: new (length: number) => T,
  parts: readonly T[],
): T {
  const all = new make(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
