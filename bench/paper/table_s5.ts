/** Table S5: few training images, mean ± deviation over draws. */
import { LOW_SHOT } from "./published.ts";
import {
  BASELINES,
  besideHead,
  besideTriple,
  dataset,
  evaluate,
  meanOf,
  printTable,
  TRIPLE,
} from "./runs.ts";

const SHOTS = [1, 2, 5, 10, 16, 20, 50];
const few = `--shots ${SHOTS.join()} --seeds 5`;
const data = dataset("mvtec");
const head = besideHead(TRIPLE.map(([title]) => title));
for (
  const { name, args } of [
    { name: "PatchCore-25%", args: "--coreset 0.25" },
    ...BASELINES,
  ]
) {
  const records = await evaluate(data, { name, args: `${args} ${few}` });
  const rows = SHOTS.map((shots) => [
    `${shots}`,
    ...besideTriple(LOW_SHOT[name]?.[shots], meanOf(records, shots)),
  ]);
  printTable(`Table S5: ${name}, MVTec AD`, [["images", ...head], ...rows]);
}
