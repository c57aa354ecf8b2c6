/**
 * Fig. 5 (and S6): ways to make the bank smaller and how small; strides
 * (§4.4.2). The paper's image AUROC is read off its plots.
 */
import { SUBSAMPLERS } from "./published.ts";
import { compareMeans } from "./runs.ts";

const shares = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5];
const sampled = ["greedy", "random", "proxies"].flatMap((way) =>
  shares.filter((share) => way !== "proxies" || share <= 0.05)
    .map((share) => ({
      name: `${way}, ${100 * share} %`,
      args: `--subsample ${way} --coreset ${share}`,
    }))
);
const strides = [2, 3].map((stride) => ({
  name: `stride ${stride}`,
  args: `--subsample none --stride ${stride}`,
}));

await compareMeans(
  "Fig. 5: subsampling, MVTec AD",
  [...sampled, ...strides, { name: "none", args: "--subsample none" }].map(
    (run) => ({ ...run, paper: [SUBSAMPLERS[run.name] ?? null, null, null] }),
  ),
);
