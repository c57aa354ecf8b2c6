/**
 * AnomalyDINO (Damm et al., WACV 2025) with few images: MVTec AD and VisA, a
 * DINOv2 ViT-S/14, 448 and 672 pixels. Published numbers as a later study quotes
 * them; where weights or data are missing, it says which file, and prints those
 * numbers alone.
 */
import { KNOWN_WEIGHTS } from "../../src/nn/known_weights.ts";
import type { EvaluationRecord, Rate } from "../../src/core/evaluation/mod.ts";
import {
  evaluate,
  findBackbone,
  findDataset,
  meanOf,
  percent,
  printTable,
  published,
  type Records,
} from "./runs.ts";

const BACKBONE = "dinov2_vits14";
const SHOTS = [1, 2, 4, 8, 16];

/** What is compared: a title, and our name of the rate where we have it. */
const MVTEC = [
  ["image AUROC", "image_auroc"],
  ["F1", "f1_max"],
  ["AP", "image_aupr"],
  ["pixel AUROC", "pixel_auroc"],
  ["pixel F1", undefined],
  ["PRO", "aupro_30"],
] as const satisfies readonly (readonly [string, Rate | undefined])[];
const VISA = [MVTEC[0], MVTEC[3], MVTEC[5]] as const;

type Numbers = Readonly<Record<number, readonly number[]>>;

/** In percent, by shots. */
const PUBLISHED: Readonly<
  Record<"mvtec" | "visa", Readonly<Record<448 | 672, Numbers>>>
> = {
  mvtec: {
    448: {
      1: [96.5, 96.0, 98.1, 96.3, 57.9, 91.7],
      2: [96.7, 96.5, 98.1, 96.5, 58.5, 92.0],
      4: [97.6, 97.0, 98.4, 96.7, 59.2, 92.4],
      8: [98.0, 97.4, 99.0, 97.0, 59.6, 92.7],
      16: [98.3, 97.7, 99.3, 97.1, 60.0, 92.9],
    },
    672: {
      1: [96.6, 95.8, 98.2, 96.8, 60.2, 92.7],
      2: [96.9, 96.1, 98.2, 97.0, 61.0, 93.1],
      4: [97.7, 96.6, 98.7, 97.2, 61.8, 93.4],
      8: [98.2, 97.4, 99.1, 97.4, 62.3, 93.8],
      16: [98.4, 97.6, 99.3, 97.5, 62.7, 94.0],
    },
  },
  visa: {
    448: {
      1: [85.6, 97.5, 90.7],
      4: [91.3, 98.0, 92.5],
      16: [93.8, 98.3, 93.8],
    },
    672: {
      1: [87.4, 97.8, 92.5],
      4: [92.6, 98.2, 94.1],
      16: [94.8, 98.5, 95.3],
    },
  },
};

const { path, found } = findBackbone(BACKBONE);
if (!found) {
  const { file, sha256, url } = KNOWN_WEIGHTS.get(BACKBONE)!;
  console.log(
    `Missing: "${path}"; make it of ${file} (${url}, SHA-256 ${sha256}) with "weights pull ${BACKBONE}"\n`,
  );
}
for (const [name, rates] of [["mvtec", MVTEC], ["visa", VISA]] as const) {
  const data = findDataset(name);
  for (const edge of [448, 672] as const) {
    const records = data === undefined || !found
      ? undefined
      : await evaluate(data, {
        name: `AnomalyDINO-S, ${edge} pixels`,
        args:
          `--preset anomalydino --resize ${edge} --shots ${SHOTS} --seeds 3`,
        backbones: [BACKBONE],
      });
    printTable(`AnomalyDINO-S, ${name}, ${edge} pixels`, [
      ["images", ...rates.flatMap(([title]) => [`${title}: paper`, "ours"])],
      ...SHOTS.map((shots) => [
        `${shots}`,
        ...besides(rates, PUBLISHED[name][edge][shots], records, shots),
      ]),
    ]);
  }
}

function besides(
  rates: readonly (readonly [string, Rate | undefined])[],
  numbers: readonly number[] | undefined,
  records: Records | undefined,
  shots: number,
): string[] {
  const ours: EvaluationRecord | undefined = meanOf(records, shots);
  return rates.flatMap(([, rate], i) => [
    published(numbers?.[i]),
    rate === undefined ? "–" : percent(ours?.[rate]),
  ]);
}
