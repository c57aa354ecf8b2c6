/**
 * Fig. 4 (and S5): sides of a patch and combinations of layers, with a bank of
 * 1 %. The paper's image AUROC is read off its plots.
 */
import { LAYERS, PATCH_SIZES } from "./published.ts";
import { compareMeans } from "./runs.ts";

const COMBINATIONS = [
  ...[[1], [2], [3], [4]],
  ...[[1, 2], [2, 3], [1, 2, 3], [2, 3, 4], [1, 2, 3, 4]],
];

await compareMeans(
  "Fig. 4: side of a patch, MVTec AD",
  [1, 3, 5, 7, 9, 11, 13, 15].map((size) => ({
    name: `p = ${size}`,
    args: `--coreset 0.01 --patch-size ${size}`,
    paper: [PATCH_SIZES[size] ?? null, null, null],
  })),
);
await compareMeans(
  "Fig. 4: layers, MVTec AD",
  COMBINATIONS.map((layers) => {
    const name = layers.join(" + ");
    const taps = layers.map((layer) => `layer${layer}`).join();
    return {
      name,
      args: `--coreset 0.01 --layers ${taps}`,
      paper: [LAYERS[name] ?? null, null, null],
    };
  }),
);
