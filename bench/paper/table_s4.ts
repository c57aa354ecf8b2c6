/**
 * Table S4: the ensemble of Table 4 class by class. The table itself is not
 * known to us; "paper" is what the published code's results say of the same
 * configuration.
 */
import { ENSEMBLE_320 } from "./published_classes.ts";
import { compareClasses, TRIPLE } from "./runs.ts";

const run = {
  name: "ensemble",
  backbones: ["wide_resnet101_2", "resnext101_32x8d", "densenet201"],
  args:
    "--preset reference --mask-rule reference --coreset 0.01 --resize 366 --crop 320 --dim 384 --ensemble-norm test",
};
for (const [i, [title, rate]] of TRIPLE.entries()) {
  const paper = Object.fromEntries(
    Object.entries(ENSEMBLE_320).map(([name, values]) => [
      name,
      [values[i] ?? null],
    ]),
  );
  await compareClasses(`Table S4: ${title}`, rate, [run], paper);
}
