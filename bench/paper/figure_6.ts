/** Fig. 6: image AUROC over the number of training images. */
import { LOW_SHOT, TABLES_1_TO_3 } from "./published.ts";
import {
  BASELINES,
  besideHead,
  dataset,
  evaluate,
  meanOf,
  printTable,
  published,
  rateOf,
} from "./runs.ts";

const SHOTS = [1, 2, 5, 10, 16, 20, 50];
const few = `--shots ${SHOTS.join()} --seeds 5`;
const data = dataset("mvtec");
const runs = [
  { name: "PatchCore-25%", args: "--coreset 0.25" },
  ...BASELINES,
];
const found = await Array.fromAsync(runs, async (run) => ({
  name: run.name,
  all: meanOf(await evaluate(data, run)),
  records: await evaluate(data, { ...run, args: `${run.args} ${few}` }),
}));
const rows = SHOTS.map((shots) => [
  `${shots}`,
  ...found.flatMap(({ name, records }) => {
    const mean = meanOf(records, shots);
    return [
      published(LOW_SHOT[name]?.[shots]?.[0]),
      mean ? rateOf(mean, "image_auroc") : "–",
    ];
  }),
]);
const whole = found.flatMap(({ name, all }) => [
  published(TABLES_1_TO_3[name]?.[0]),
  all ? rateOf(all, "image_auroc") : "–",
]);
printTable("Fig. 6: few training images, image AUROC, MVTec AD", [
  ["images", ...besideHead(runs.map(({ name }) => name))],
  ...rows,
  ["all", ...whole],
]);
