/** Table 4: larger images and backbones, and the ensemble. */
import { TABLE_4 } from "./published.ts";
import { compareMeans } from "./runs.ts";

const RUNS = [
  {
    name: "WideResNet-101, layers 2 + 3, 280",
    backbones: ["wide_resnet101_2"],
    args: "--coreset 0.01 --resize 320 --crop 280",
  },
  {
    name: "WideResNet-101, layers 1 + 2 + 3, 280",
    backbones: ["wide_resnet101_2"],
    args:
      "--coreset 0.01 --resize 320 --crop 280 --layers layer1,layer2,layer3",
  },
  {
    name: "Ensemble, layers 2 + 3, 320",
    backbones: ["wide_resnet101_2", "resnext101_32x8d", "densenet201"],
    args: "--coreset 0.01 --resize 366 --crop 320 --dim 384",
  },
];
const scaled = {
  ...RUNS[2]!,
  name: "the same, scaled by the test set",
  args: `${RUNS[2]!.args} --ensemble-norm test`,
};

await compareMeans(
  "Table 4: larger images and backbones, MVTec AD",
  [...RUNS, scaled].map((run) => ({
    ...run,
    paper: TABLE_4[run.name] ?? TABLE_4[RUNS[2]!.name]!,
  })),
);
