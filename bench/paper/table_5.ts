/**
 * Table 5: seconds an image, backbone included, and what is paid for them.
 * The paper's are of a GPU; ours are of this machine's adapter, and of metrics
 * and decoding as well.
 */
import { TABLE_5 } from "./published.ts";
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

const RUNS = [
  { name: "PatchCore-100%", args: "--subsample none" },
  { name: "PatchCore-10%", args: "--coreset 0.1" },
  { name: "PatchCore-1%", args: "--coreset 0.01" },
  {
    name: "PatchCore-100% + IVFPQ",
    args: "--subsample none --search ivfpq --nprobe 1",
  },
  ...BASELINES,
];

const data = dataset("mvtec");
const head = besideHead([...TRIPLE.map(([title]) => title), "seconds"]);
const rows = [["", ...head, "recall@1"]];
for (const run of RUNS) {
  const records = await evaluate(data, run);
  const mean = meanOf(records);
  const images = mean && mean.images.normal + mean.images.anomalous;
  const [paper, seconds] = TABLE_5[run.name]!;
  const recalls = records?.flatMap(({ recall_at_1: recall }) => recall ?? []);
  const recall = recalls && recalls.length > 0
    ? recalls.reduce((sum, value) => sum + value) / recalls.length
    : undefined;
  rows.push([
    run.name,
    ...besideTriple(paper, mean),
    seconds.toFixed(2),
    mean ? ((mean.seconds["predict"] ?? NaN) / images!).toFixed(2) : "–",
    recall?.toFixed(3) ?? "",
  ]);
}
printTable("Table 5: time of inference, MVTec AD", rows);
