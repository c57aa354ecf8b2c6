/**
 * A program without a single call of Deno: bundled, it runs in a browser and in
 * Node.js as well.
 *
 * ```sh
 * deno bundle --platform browser --output portable.js examples/portable.ts
 * ```
 */
import { PatchCore, type Pixels } from "@patchcore/webgpu/core";

/** What {@linkcode inspectSquares} has found. */
export interface Inspection {
  /** Name of the adapter that did the work. */
  readonly adapter: string;
  /** Score of a good square and of one with a dark spot. */
  readonly scores: readonly number[];
}

/** A square of pixels whose levels wave around a middle one. */
function square(middle: number, spot = false): Pixels {
  const side = 64;
  const data = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [i % side, Math.floor(i / side)];
    const dark = spot && x > 20 && x < 30 && y > 30 && y < 40;
    const level = dark ? 20 : middle + 20 * Math.sin(x / 5) * Math.cos(y / 7);
    data.set([level, level, level, 255], i * 4);
  }
  return { width: side, height: side, data };
}

/** Learns from good squares, then inspects a good and a bad one. */
export async function inspectSquares(
  backbone: Uint8Array<ArrayBuffer>,
): Promise<Inspection> {
  await using detector = await PatchCore.create({
    backbone: { name: "demo", bytes: backbone },
    resize: 64,
    crop: null,
  });
  await detector.fit([120, 125, 130, 135].map((middle) => square(middle)));
  const scores: number[] = [];
  const images = [square(128), square(128, true)];
  for await (const { score } of detector.predict(images)) scores.push(score);
  return { adapter: detector.adapterName, scores };
}
