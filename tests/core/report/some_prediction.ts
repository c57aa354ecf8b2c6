import type { Prediction } from "../../../src/core/mod.ts";
import { judge } from "../../../src/core/score/verdict.ts";

/** A prediction of a grey image of 40 × 30 pixels with one hot map pixel. */
export function somePrediction(
  name: string,
  score: number,
  threshold: number | null = 2,
): Prediction {
  const [width, height] = [40, 30];
  const map = new Float32Array(16 * 16).fill(score / 4);
  map[17] = score;
  return {
    name,
    image: {
      width,
      height,
      data: new Uint8Array(width * height * 4).fill(128),
    },
    score,
    ...judge(score, { score: threshold, uncertainFrom: null, map: threshold }),
    threshold,
    uncertainFrom: null,
    worstPatch: {
      x: 36,
      y: 0,
      width: 4,
      height: 4,
      nearest: {
        image: "good/1.png",
        box: { x: 8, y: 8, width: 4, height: 4 },
      },
    },
    map: {
      width: 16,
      height: 16,
      data: map,
      threshold,
      geometry: { width, height, left: 5, right: 35, top: 0, bottom: 30 },
    },
    ms: { decode: 1, trunk: 2, patches: 3, search: null, map: 5, total: 12 },
  };
}
