/**
 * Everything at once on one category with a small backbone: presets, sizes of
 * the coreset, subsamplers, patch sizes, layers, few images, approximate
 * search, SPADE and PaDiM, each with every metric. Needs `transistor_256`, the
 * MVTec AD category resized to 256 pixels, and `resnet18.onnx`.
 *
 *     deno run -A bench/paper/transistor.ts
 */
import type { EvaluationRecord } from "../../src/core/evaluation/mod.ts";
import { backbone, dataset, evaluate, percent, printTable } from "./runs.ts";

/** Command lines of one part of the table. */
interface Part {
  readonly title: string;
  /** What a row is called, and how it is evaluated. */
  readonly rows: readonly (readonly [name: string, args: string])[];
}

const PARTS: readonly Part[] = [
  {
    title: "Presets and sizes of the coreset",
    rows: ["paper", "reference", "anomalib"].flatMap((preset) =>
      [0.01, 0.1].map((coreset): [string, string] => [
        `${preset}, ${100 * coreset} %`,
        `--preset ${preset} --coreset ${coreset} --mask-rule ${
          preset === "reference" ? "reference" : "half"
        }`,
      ])
    ),
  },
  {
    title: "Patch sizes (Fig. 4), 1 %",
    rows: [1, 3, 5, 9].map((size) => [
      `p = ${size}`,
      `--coreset 0.01 --patch-size ${size}`,
    ]),
  },
  {
    title: "Layers (Fig. 4), 1 %",
    rows: [[2], [3], [2, 3], [1, 2, 3]].map((layers) => [
      layers.join(" + "),
      `--coreset 0.01 --layers ${layers.map((i) => `layer${i}`).join(",")}`,
    ]),
  },
  {
    title: "Few training images (Fig. 6), 25 %, three draws",
    rows: [["1, 5, 16, 50", "--coreset 0.25 --shots 1,5,16,50 --seeds 3"]],
  },
  {
    title: "Subsamplers (Fig. 5), 1 %",
    rows: [
      ["greedy", "--coreset 0.01 --verbose"],
      ["random", "--coreset 0.01 --subsample random"],
      ["proxies", "--coreset 0.01 --subsample proxies"],
    ],
  },
  {
    title: "Other methods",
    rows: [["SPADE", "--method spade"], ["PaDiM", "--method padim"]],
  },
  {
    title: "Approximate search, 10 %",
    rows: [1, 8, 32].map((nprobe) => [
      `IVFPQ, ${nprobe} lists`,
      `--coreset 0.1 --search ivfpq --nprobe ${nprobe}`,
    ]),
  },
];

const HEAD = [
  "",
  "image AUROC",
  "AUPR",
  "F1 max",
  "FP",
  "FN",
  "pixel AUROC",
  "of defective",
  "AUPRO 30 %",
  "5 %",
  "PRO",
  "seconds",
];

function cells(name: string, record: EvaluationRecord): string[] {
  const rate = (key: keyof NonNullable<EvaluationRecord["std"]>): string => {
    const deviation = record.std?.[key];
    return percent(record[key], 2) +
      (typeof deviation === "number" ? ` ± ${percent(deviation, 2)}` : "");
  };
  return [
    name,
    rate("image_auroc"),
    rate("image_aupr"),
    rate("f1_max"),
    `${Math.round(record.false_positives ?? 0)}`,
    `${Math.round(record.false_negatives ?? 0)}`,
    rate("pixel_auroc"),
    rate("pixel_auroc_defective"),
    rate("aupro_30"),
    rate("aupro_5"),
    rate("pro_per_image"),
    (record.seconds["total"] ?? 0).toFixed(0),
  ];
}

const base = [
  dataset("transistor_256"),
  "--backbone",
  backbone("resnet18"),
];

for (const { title, rows } of PARTS) {
  const lines: string[][] = [HEAD];
  const notes: string[] = [];
  for (const [name, args] of rows) {
    for (const record of await evaluate([...base, ...args.split(" ")])) {
      if (record.category === "mean") continue;
      const { shots, bank_rows: bank } = record;
      lines.push(cells(shots === undefined ? name : `${shots}`, record));
      const { covering_radius: radius, covering_radius_random: random } =
        record;
      if (radius !== undefined && random !== undefined) {
        notes.push(
          `covering radius (Eq. 5) of ${bank} rows: greedy ${
            radius.toFixed(4)
          }, random ${random.toFixed(4)}`,
        );
      }
    }
  }
  printTable(title, lines);
  for (const note of notes) console.log(`${note}\n`);
}
