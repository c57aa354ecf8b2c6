/**
 * A model that was merged from parts against one that was fitted to all images:
 * image AUROC, covering radius in the features' own space and in the one that rows
 * were chosen in, and threshold.
 *
 *     deno run -A bench/merged_against_single.ts --data DATASET \
 *       --backbone FILE.onnx --single M --merged M
 *
 * Fails unless AUROC is within 0.005, the covering radius within 1.25 times and
 * the threshold within 2 %.
 *
 * @module
 */
import { Backbone, PatchCore, readModelFile } from "../src/core/mod.ts";
import type { StoredModel } from "../src/core/mod.ts";
import { MemoryBank } from "../src/core/bank/memory_bank.ts";
import { settingsOf } from "../src/core/detector/load.ts";
import { coveringRadius } from "../src/core/evaluation/covering_radius.ts";
import { extractTrainingFeatures } from "../src/core/features/training_features.ts";
import { auroc } from "../src/core/metrics/roc.ts";
import { project } from "../src/core/rows/projection.ts";
import { BankSearch } from "../src/core/search/search.ts";
import { readBackbone } from "../src/cli/load_backbone.ts";
import { readPixels } from "../src/cli/read_pixels.ts";
import { Gpu } from "../src/gpu/mod.ts";

/** A model's figures. */
interface Figures {
  readonly rows: number;
  readonly auroc: number;
  /** Of training patches, in the space of the features (paper, Eq. 5). */
  readonly radius: number;
  /** The same in the space that the single fit chose its rows in. */
  readonly projectedRadius: number;
  readonly threshold: number;
}

function option(name: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  const value = at < 0 ? undefined : Deno.args[at + 1];
  if (value === undefined) throw new Error(`Give --${name}`);
  return value;
}

const data = option("data");
const backboneFile = await readBackbone(option("backbone"));
const read = async (path: string): Promise<StoredModel> =>
  readModelFile(await Deno.readFile(path));
const single = await read(option("single"));
const merged = await read(option("merged"));

using gpu = await Gpu.create();
const settings = settingsOf(single);
const backbone = await Backbone.load(gpu, backboneFile, {
  layers: settings.layers,
  allowRandom: true,
});
const train = await imagesBelow(`${data}/train/good`);
const test = await imagesBelow(`${data}/test`);
using features = await extractTrainingFeatures(
  gpu,
  backbone,
  settings,
  train,
  { batch: 8 },
);
const { projection } = single;
using projected = projection && await project(gpu, features.rows, {
  outputs: projection.rows,
  inputs: projection.columns,
  matrix: projection.data,
});

const one = await figuresOf(single);
const many = await figuresOf(merged);
const ratio = (key: "radius" | "projectedRadius" | "threshold") =>
  many[key] / one[key];
const line = (name: string, a: number, b: number, more: string): void =>
  console.log(
    `${name.padEnd(34)}${a.toFixed(4).padStart(10)}${
      b.toFixed(4).padStart(10)
    }  ${more}`,
  );
console.log(`${"".padEnd(34)}${"single".padStart(10)}${"merged".padStart(10)}`);
line("bank rows", one.rows, many.rows, "");
line(
  "image AUROC",
  one.auroc,
  many.auroc,
  `difference ${(many.auroc - one.auroc).toFixed(4)}`,
);
line(
  "covering radius, features",
  one.radius,
  many.radius,
  `${ratio("radius").toFixed(3)} times`,
);
line(
  "covering radius, projected",
  one.projectedRadius,
  many.projectedRadius,
  `${ratio("projectedRadius").toFixed(3)} times; bound ${
    merged.coverage?.radius?.toFixed(4)
  }`,
);
line(
  "threshold",
  one.threshold,
  many.threshold,
  `${((ratio("threshold") - 1) * 100).toFixed(2)} %`,
);
const holds = Math.abs(many.auroc - one.auroc) <= 0.005 &&
  ratio("radius") <= 1.25 && ratio("projectedRadius") <= 1.25 &&
  Math.abs(ratio("threshold") - 1) <= 0.02;
console.log(holds ? "Holds" : "Does not hold");
Deno.exit(holds ? 0 : 1);

async function figuresOf(model: StoredModel): Promise<Figures> {
  using bank = MemoryBank.upload(
    gpu,
    model.memoryBank,
    model.dim,
    Int32Array.from(model.origin),
  );
  const radiusOf = async (
    patches: typeof features.rows,
    rows: typeof bank.rows,
  ): Promise<number> => {
    using search = await BankSearch.create(gpu, rows);
    return await coveringRadius(gpu, patches, search);
  };
  const radius = await radiusOf(features.rows, bank.rows);
  let projectedRadius = radius;
  if (projected !== undefined) {
    using rows = await project(gpu, bank.rows, {
      outputs: projection!.rows,
      inputs: projection!.columns,
      matrix: projection!.data,
    });
    projectedRadius = await radiusOf(projected, rows);
  }
  using detector = await PatchCore.fromModel(model, {
    ...{ gpu, shared: backbone, batch: 8 },
  });
  const scores: number[] = [];
  for await (const { score } of detector.predict(test)) scores.push(score);
  const labels = test.map(({ name }) => !name.includes("/good/"));
  return {
    rows: model.rows,
    auroc: auroc(scores, labels),
    ...{ radius, projectedRadius },
    threshold: model.threshold!.value,
  };
}

async function imagesBelow(folder: string) {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory) paths.push(path);
    else {
      for await (const file of Deno.readDir(path)) {
        paths.push(`${path}/${file.name}`);
      }
    }
  }
  return paths.sort().map((name) => ({
    name,
    content: async () => (await readPixels({ path: name })).pixels,
  }));
}
