/**
 * Everything at once on one category with a small backbone: presets, sizes of
 * the coreset, subsamplers, patch sizes, layers, few images, approximate
 * search, SPADE and PaDiM, each with every metric. Needs `transistor_256`, the
 * MVTec AD category resized to 256 pixels, and `resnet18.onnx`.
 *
 *     deno run -A bench/paper/transistor.ts
 */
import type { EvaluationRecord } from "../../src/core/evaluation/mod.ts";
import { dataset, evaluate, printTable, rateOf } from "./runs.ts";

/** Command lines of one part of the table. */
interface Part {
  readonly title: string;
  /** What a row is called, and how it is evaluated. */
  readonly rows: readonly (readonly [name: string, args: string])[];
  /** Backbones, ResNet-18 alone by default. */
  readonly backbones?: readonly string[];
}

/** As the published code computes its numbers. */
const REFERENCE = "--preset reference --mask-rule reference";

/** The paper's settings with a small bank: several parts have it. */
const SMALL = "--coreset 0.01 --verbose";

const PARTS: readonly Part[] = [
  {
    title: "Presets and sizes of the coreset",
    rows: [
      ["paper, 1 %", SMALL],
      ["paper, 10 %", "--coreset 0.1"],
      ["reference, 1 %", `${REFERENCE} --coreset 0.01`],
      ["reference, 10 %", `${REFERENCE} --coreset 0.1`],
      ["anomalib, 1 %", "--preset anomalib --coreset 0.01"],
      ["anomalib, 10 %", "--preset anomalib --coreset 0.1"],
    ],
  },
  {
    title: "Patch sizes (Fig. 4), 1 %",
    rows: [1, 3, 5, 9].map((size) => [
      `p = ${size}`,
      size === 3 ? SMALL : `--coreset 0.01 --patch-size ${size}`,
    ]),
  },
  {
    title: "Layers (Fig. 4), 1 %",
    rows: [
      ["2", "--coreset 0.01 --layers layer2"],
      ["3", "--coreset 0.01 --layers layer3"],
      ["2 + 3", SMALL],
      ["1 + 2 + 3", "--coreset 0.01 --layers layer1,layer2,layer3"],
    ],
  },
  {
    title: "Subsamplers (Fig. 5), 1 %",
    rows: [
      ["greedy", SMALL],
      ["greedy, seed 1", `${SMALL} --seed 1`],
      ["random", "--coreset 0.01 --subsample random"],
      ["proxies", "--coreset 0.01 --subsample proxies"],
    ],
  },
  {
    title: "Other methods",
    rows: [["PaDiM", "--method padim"], ["SPADE", "--method spade"]],
  },
  {
    title: "Ensemble of ResNet-18 and SqueezeNet 1.1 (Table 4), 1 %",
    rows: ["train", "test"].map((norm) => [
      `scaled by ${norm}`,
      `--coreset 0.01 --ensemble-norm ${norm}`,
    ]),
    backbones: ["resnet18", "squeezenet1.1"],
  },
  {
    title: "Approximate search (Table 5), 10 %",
    rows: [1, 8].map((nprobe) => [
      `IVFPQ, ${nprobe} of its lists`,
      `--coreset 0.1 --search ivfpq --nprobe ${nprobe}`,
    ]),
  },
  {
    title: "Few training images (Fig. 6), 25 %, three draws",
    rows: [["images", "--coreset 0.25 --shots 1,5,16,50 --seeds 3"]],
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
  return [
    name,
    rateOf(record, "image_auroc", 2),
    rateOf(record, "image_aupr", 2),
    rateOf(record, "f1_max", 2),
    `${Math.round(record.false_positives ?? 0)}`,
    `${Math.round(record.false_negatives ?? 0)}`,
    rateOf(record, "pixel_auroc", 2),
    rateOf(record, "pixel_auroc_defective", 2),
    rateOf(record, "aupro_30", 2),
    rateOf(record, "aupro_5", 2),
    rateOf(record, "pro_per_image", 2),
    (record.seconds["total"] ?? 0).toFixed(0),
  ];
}

/** What was measured beside the metrics. */
function notesOf(name: string, record: EvaluationRecord): string[] {
  const { covering_radius: radius, covering_radius_random: random } = record;
  const { recall_at_1: recall, bank_rows: rows } = record;
  return [
    ...(radius !== undefined && random !== undefined
      ? [
        `Covering radius (Eq. 5) of ${rows} rows: ${name} ${
          radius.toFixed(4)
        }, drawn at random ${random.toFixed(4)}`,
      ]
      : []),
    ...(recall === undefined
      ? []
      : [`${name}: recall@1 ${recall.toFixed(4)} over the test patches`]),
  ];
}

const data = dataset("transistor_256");

for (const { title, rows, backbones = ["resnet18"] } of PARTS) {
  const lines: string[][] = [HEAD];
  const notes: string[] = [];
  for (const [name, args] of rows) {
    const records = await evaluate(data, { name, args, backbones });
    for (const record of records ?? []) {
      if (record.category === "mean") continue;
      const { shots } = record;
      lines.push(cells(shots === undefined ? name : `${shots}`, record));
      notes.push(...notesOf(name, record));
    }
  }
  printTable(title, lines);
  for (const note of notes) console.log(`${note}\n`);
}
