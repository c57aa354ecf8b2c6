import type { Gpu } from "../../gpu/mod.ts";
import { encodePng } from "../images/png.ts";
import { Mt19937 } from "../settings/random.ts";
import type { PatchCoreOptions } from "./options.ts";
import { PatchCore } from "./patchcore.ts";
import type { PlannedImages } from "./planned_memory.ts";

/** Sides of the squares of one colour that an image is drawn with. */
const SQUARE = 8;

/**
 * Tells how long a fit would take, reading files left out: does its first batch
 * with a picture that is drawn, a PNG, and stops there.
 *
 * @param options As for `PatchCore.create`; random weights are accepted.
 * @returns Seconds, from the first image on.
 */
export async function measureFit(
  gpu: Gpu,
  options: Omit<PatchCoreOptions, "gpu" | "profile">,
  { count, width, height }: PlannedImages,
): Promise<number> {
  const content = await drawing(width, height);
  const images = Array.from(
    { length: count },
    (_, i) => ({ name: `image ${i}`, content }),
  );
  using detector = await PatchCore.create({
    ...options,
    gpu,
    allowRandom: true,
  });
  const told = new AbortController();
  const start = performance.now();
  let seconds: number | undefined;
  try {
    await detector.fit(images, {
      signal: told.signal,
      onPlan: (plan) => {
        seconds = plan.seconds! + (performance.now() - start) / 1000;
        told.abort();
      },
    });
  } catch (error) {
    if (seconds === undefined) throw error;
  }
  return seconds!;
}

/** A picture that takes about as long to decode as a photograph. */
async function drawing(width: number, height: number): Promise<Uint8Array> {
  const random = new Mt19937(0);
  const data = new Uint8Array(width * height * 4).fill(255);
  const across = Math.ceil(width / SQUARE);
  const levels = Uint8Array.from(
    { length: across * Math.ceil(height / SQUARE) },
    () => random.below(200),
  );
  for (let i = 0; i < width * height; i++) {
    const row = Math.floor(i / width / SQUARE);
    const level = levels[row * across + Math.floor(i % width / SQUARE)]!;
    // Grain in a few levels, as sensors have it, does not compress.
    const grain = Math.imul(i, 2654435761) >>> 28;
    for (let c = 0; c < 3; c++) data[i * 4 + c] = level + grain + c;
  }
  return await encodePng({ width, height, data });
}
