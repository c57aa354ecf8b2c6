/**
 * Whether verdicts hold, on data sets' real images:
 *
 * - `promise`: a set's good images are pooled and halved at random, a detector is
 *   fitted on 10, 20, 50 or all of one half, and false alarms are counted on the
 *   other, for several promised rates;
 * - `contaminated`: what is still found when defective images are among the
 *   training images, beside what the clean fit finds of the same defects;
 * - `own`: the set's own split: F1, good parts that are flagged, and how often
 *   verdict and map agree.
 *
 *     deno run -A bench/verdicts.ts [--data DIR]... [--backbone FILE.onnx]... \
 *       [--preset paper,reference,anomalib] [--coreset 0.01,0.1,none] \
 *       [--tables promise,contaminated,own] [--images 10,20,50,half] \
 *       [--halves 20] [--rates 0.1,0.05,0.01] [--contaminate 0.1] [--draws 2] \
 *       [--json]
 *
 * Features are extracted once for each backbone and preset. A fit serves all
 * rates: thresholds follow from the scores and map maxima of its training images.
 * By default everything in `shared/` is measured, which takes days on a CPU.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { readBackbone } from "../src/cli/load_backbone.ts";
import { baseName } from "../src/core/datasets/files.ts";
import { Backbone } from "../src/core/features/backbone.ts";
import { imageMetrics } from "../src/core/metrics/image_metrics.ts";
import { Mt19937, permutation } from "../src/core/settings/random.ts";
import { resolveSettings } from "../src/core/settings/resolve_settings.ts";
import type { PresetName, Settings } from "../src/core/settings/settings.ts";
import { Gpu } from "../src/gpu/mod.ts";
import { sharedPath } from "../tests/testing.ts";
import {
  fit,
  type Fitted,
  type ImageSet,
  imageSet,
  type Verdicts,
  verdicts,
} from "./fitted_verdicts.ts";

/** Fits of so many images and more keep the promise more closely. */
const MANY = 50;

type Row = Readonly<Record<string, string | number | boolean>>;

/** What a table is measured of. */
interface Measured {
  readonly gpu: Gpu;
  readonly set: ImageSet;
  readonly settings: Settings;
  /** The fit to all training images, with all test images scored. */
  readonly whole: () => Promise<Fitted>;
}

type Share = "alarms" | "mapAlarms" | "found" | "mapFound" | "agreement";

const NAMES: Readonly<Record<Share, string>> = {
  alarms: "alarms",
  mapAlarms: "map alarms",
  found: "found",
  mapFound: "map found",
  agreement: "agreement",
};

const options = parseArgs(Deno.args, {
  string: [
    "data",
    "backbone",
    "preset",
    "coreset",
    "tables",
    "images",
    "halves",
    "rates",
    "contaminate",
    "draws",
  ],
  boolean: ["json"],
  collect: ["data", "backbone"],
  default: {
    preset: "paper,reference,anomalib",
    coreset: "0.01,0.1,none",
    tables: "promise,contaminated,own",
    images: "10,20,50,half",
    halves: "20",
    rates: "0.1,0.05,0.01",
    contaminate: "0.1",
    draws: "2",
  },
});
const sets = givenOr(options.data, [["transistor_256"], ["cookies"]]);
const backbones = givenOr(options.backbone, [
  ["models", "resnet18.onnx"],
  ["models", "squeezenet1.1.onnx"],
]);
const rates: readonly number[] = options.rates.split(",").map(Number);
const halves = Number(options.halves);
const draws = Number(options.draws);
const TABLES: Readonly<
  Record<string, (of: Measured) => AsyncGenerator<Row[]>>
> = {
  promise,
  contaminated,
  own,
};

using gpu = await Gpu.create();
if (!options.json) console.log(gpu.adapterName);
for (const path of backbones) {
  const file = await readBackbone(path);
  for (const preset of options.preset.split(",")) {
    for (const folder of sets) {
      await measure(file, preset as PresetName, folder);
    }
  }
}

async function measure(
  file: Awaited<ReturnType<typeof readBackbone>>,
  preset: PresetName,
  folder: string,
): Promise<void> {
  const base = resolveSettings({ preset });
  using backbone = await Backbone.load(gpu, file, base);
  using owned = new DisposableStack();
  const set = await imageSet(gpu, backbone, base, folder);
  owned.use(set.features);
  owned.use(set.features.extractor);
  for (const coreset of options.coreset.split(",")) {
    const settings = resolveSettings({
      preset,
      coreset: coreset === "none" ? { method: "none" } : Number(coreset),
    });
    const about = {
      data: set.name,
      backbone: baseName(file.name),
      ...{ preset, coreset },
    };
    let fitted: Promise<Fitted> | undefined;
    const whole = () =>
      fitted ??= fit(gpu, set, settings, {
        train: set.train,
        score: [...set.good, ...set.defective],
      });
    for (const table of options.tables.split(",")) {
      let start = performance.now();
      for await (const rows of TABLES[table]!({ gpu, set, settings, whole })) {
        const seconds = Math.round((performance.now() - start) / 1000);
        print({ ...about, table, seconds }, rows);
        start = performance.now();
      }
    }
  }
}

function print(about: Row, rows: readonly Row[]): void {
  if (options.json) console.log(JSON.stringify({ ...about, rows }));
  else {
    console.log(`\n${Object.values(about).join(", ")} s`);
    console.table(rows);
  }
}

/** The share of good images that are flagged, against what was promised. */
async function* promise(
  { gpu, set, settings }: Measured,
): AsyncGenerator<Row[]> {
  const pool = [...set.train, ...set.good];
  const half = Math.floor(pool.length / 2);
  const sizes: readonly number[] = options.images.split(",")
    .map((size: string) => size === "half" ? half : Number(size));
  for (const size of new Set(sizes.filter((size) => size <= half))) {
    const fits: Verdicts[][] = [];
    for (let seed = 0; seed < halves; seed++) {
      const order = Array.from(
        permutation(new Mt19937(seed), pool.length),
        (place) => pool[place]!,
      );
      const unseen = order.slice(half);
      const fitted = await fit(gpu, set, { ...settings, seed }, {
        train: order.slice(0, size),
        score: [...unseen, ...set.defective],
      });
      fits.push(verdicts(fitted, settings, { rates, good: unseen.length }));
    }
    yield rates.map((rate, place) => {
      const at = fits.map((fit) => fit[place]!);
      const alarms = at.map((fit) => fit.alarms);
      const maps = at.map((fit) => fit.mapAlarms);
      const [least, most] = promised(rate, size);
      return {
        images: size,
        ...{ halves, rate },
        allowed: `${least.toFixed(3)} to ${most.toFixed(3)}`,
        alarms: spread(alarms),
        kept: isWithin(mean(alarms), [least, most]),
        "map alarms": spread(maps),
        "map kept": isWithin(mean(maps), [least, most]),
        ...meansOf(at, ["found", "mapFound", "agreement"]),
        odd: round(mean(at.map(({ odd }) => odd))),
      };
    });
  }
}

/** What is found of the defects that were not among the training images. */
async function* contaminated(
  { gpu, set, settings, whole }: Measured,
): AsyncGenerator<Row[]> {
  const count = Math.ceil(Number(options.contaminate) * set.train.length);
  if (count >= set.defective.length) {
    throw new RangeError(
      `Cannot mix ${count} defective images into the training images of ${set.name}: it has ${set.defective.length}`,
    );
  }
  const all = await whole();
  for (let seed = 0; seed < draws; seed++) {
    const order = permutation(new Mt19937(seed), set.defective.length);
    const mixed = Array.from(
      order.subarray(0, count),
      (i) => set.defective[i]!,
    );
    const left = set.defective.filter((image) => !mixed.includes(image));
    const dirty = await fit(gpu, set, { ...settings, seed }, {
      train: [...set.train, ...mixed],
      score: [...set.good, ...left],
    });
    const clean = {
      ...all,
      scored: all.scored.filter((_, i) =>
        !mixed.includes(set.defective[i - set.good.length]!)
      ),
    };
    const [without, within] = [clean, dirty].map((fit) =>
      verdicts(fit, settings, { rates, good: set.good.length })
    );
    yield within!.map((verdict, place) => {
      const { found: before } = without![place]!;
      return {
        ...{ draw: seed, rate: verdict.rate, mixed: count, left: left.length },
        ...meansOf([verdict], ["found"]),
        "clean fit": round(before),
        share: round(verdict.found / before),
        "at least 0.8": verdict.found >= 0.8 * before,
        ...meansOf([verdict], ["alarms", "mapFound", "mapAlarms", "agreement"]),
        odd: verdict.odd,
      };
    });
  }
}

/** Verdicts on the data set's own test images. */
async function* own({ set, settings, whole }: Measured): AsyncGenerator<Row[]> {
  const fitted = await whole();
  const { auroc, f1Max } = imageMetrics(
    fitted.scored.map(({ score }) => score),
    fitted.scored.map((_, i) => i >= set.good.length),
  );
  const [good, defective] = [set.good.length, set.defective.length];
  const of = (share: number, all: number) =>
    `${Math.round(share * all)} of ${all}`;
  yield verdicts(fitted, settings, { rates, good }).map((verdict) => ({
    rate: verdict.rate,
    F1: round(verdict.f1),
    "best F1": round(f1Max.f1),
    AUROC: round(auroc),
    flagged: of(verdict.alarms, good),
    found: of(verdict.found, defective),
    "good with contour": of(verdict.mapAlarms, good),
    "defective with contour": of(verdict.mapFound, defective),
    agreement: round(verdict.agreement),
    odd: verdict.odd,
  }));
}

/** Within what the mean share of false alarms has to be. */
function promised(rate: number, images: number): [number, number] {
  const factor = images >= MANY ? 1.5 : 2.5;
  return [
    Math.max(0, Math.min(rate / factor, rate - 0.01)),
    Math.max(rate * factor, rate + 0.01),
  ];
}

function isWithin(value: number, [least, most]: [number, number]): boolean {
  return value >= least && value <= most;
}

/** The mean, its standard error, the least and the most. */
function spread(values: readonly number[]): string {
  const middle = mean(values);
  const squares = values.reduce((sum, x) => sum + (x - middle) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  const ends = `${round(Math.min(...values))} to ${round(Math.max(...values))}`;
  return values.length < 2
    ? middle.toFixed(3)
    : `${middle.toFixed(3)} ± ${error.toFixed(3)}, ${ends}`;
}

function meansOf(
  verdicts: readonly Verdicts[],
  shares: readonly Share[],
): Record<string, number> {
  return Object.fromEntries(
    shares.map((key) => [NAMES[key], round(mean(verdicts.map((v) => v[key])))]),
  );
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, x) => sum + x, 0) / list.length;
}

function round(x: number): number {
  return Number(x.toFixed(3));
}

/** Paths that were given, or those below `shared/data`. */
function givenOr(
  given: readonly string[],
  parts: readonly (readonly string[])[],
): readonly string[] {
  if (given.length > 0) return given;
  return parts.map((names) => {
    const path = sharedPath("data", ...names);
    if (path !== undefined) return path;
    throw new TypeError(
      `Cannot measure: there is no shared/data/${
        names.join("/")
      }; name images and networks with --data and --backbone`,
    );
  });
}
