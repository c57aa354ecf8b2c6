/** §4.5: mini ShanghaiTech Campus. */
import { MSTC } from "./published.ts";
import {
  BASELINES,
  dataset,
  evaluate,
  meanOf,
  percent,
  printTable,
  published,
} from "./runs.ts";

const data = dataset("mstc");
const rows = [["", "paper", "ours"]];
const patchcore = { name: "PatchCore-10%", args: "--coreset 0.1" };
for (const run of [...BASELINES, patchcore]) {
  const mean = meanOf(await evaluate(data, run));
  rows.push([run.name, published(MSTC[run.name]), percent(mean?.pixel_auroc)]);
}
printTable("§4.5: pixel AUROC, mini ShanghaiTech Campus", rows);
