/**
 * Scores of one product of the demo: what has to be the same on every
 * implementation of WebGPU.
 *
 *     deno run -A --preload tests/implementations/dawn.ts tests/implementations/demo_scores.ts
 *
 * @module
 */
import { PatchCore } from "../../src/core/mod.ts";
import { demoSet } from "../../src/core/demo/demo_set.ts";
import { FLANGE } from "../../src/core/demo/flange.ts";

/** What was scored, and on what. */
export interface DemoScores {
  /** Name of the adapter. */
  readonly adapter: string;
  /** Score of each image of the test, in their order. */
  readonly scores: readonly number[];
}

/**
 * Fits good pictures of a flange and scores others.
 *
 * @param backbone The demo's ONNX file.
 */
export async function demoScores(
  backbone: Uint8Array<ArrayBuffer>,
): Promise<DemoScores> {
  const images = [...demoSet(FLANGE, { train: 6, good: 2, defective: 1 })]
    .map(({ path, pixels, split }) => ({ name: path, content: pixels, split }));
  const part = (wanted: string) =>
    images.filter(({ split }) => split === wanted);
  await using detector = await PatchCore.create({
    backbone: { name: "demo", bytes: backbone },
    square: true,
    crop: null,
  });
  await detector.fit(part("train"));
  const scores: number[] = [];
  for await (const { score } of detector.predict(part("test"))) {
    scores.push(score);
  }
  return { adapter: detector.adapterName, scores };
}

if (import.meta.main) {
  const file = new URL("../../weights/demo.onnx", import.meta.url);
  console.log(JSON.stringify(await demoScores(await Deno.readFile(file))));
  Deno.exit(); // Dawn keeps the program running
}
