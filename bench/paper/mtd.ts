/** §4.5: Magnetic Tile Defects. */
import { MTD } from "./published.ts";
import {
  BASELINES,
  dataset,
  evaluate,
  meanOf,
  percent,
  printTable,
  published,
} from "./runs.ts";

const data = dataset("mtd");
const rows = [["", "paper", "ours"]];
const patchcore = { name: "PatchCore-10%", args: "--coreset 0.1" };
for (const run of [...BASELINES, patchcore]) {
  const mean = meanOf(await evaluate(data, run));
  rows.push([run.name, published(MTD[run.name]), percent(mean?.image_auroc)]);
}
printTable("§4.5: image AUROC, Magnetic Tile Defects", rows);
