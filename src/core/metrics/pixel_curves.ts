import { ProArea } from "./aupro.ts";
import { CurvePath, type CurvePoint } from "./curve_path.ts";
import { type F1Max, F1Search } from "./f1.ts";
import { PrecisionSum } from "./pr.ts";
import { keyFloat } from "./radix_sort.ts";
import { RocArea } from "./roc.ts";
import { type Run, walkDescending } from "./sorted_runs.ts";

/** Tag of an anomaly-free pixel in an image without defects. */
export const NORMAL_IMAGE = 0xffffffff;
/** Tag of an anomaly-free pixel in a defective image. */
export const DEFECTIVE_IMAGE = 0xfffffffe;

/** Everything that is read off one ranking of all pixels. */
export interface PixelCurves {
  /** Area under the receiver operating characteristic over all pixels. */
  readonly auroc: number;
  /** The same over the pixels of defective images only. */
  readonly aurocDefective: number;
  /** Average precision over all pixels. */
  readonly aupr: number;
  /** The best F1 over all pixels, its threshold and misclassified pixels. */
  readonly f1Max: F1Max;
  /** Area under the per-region overlap, one for each limit asked for. */
  readonly aupro: readonly number[];
  /** The receiver operating characteristic over all pixels, to be drawn. */
  readonly rocPoints: readonly CurvePoint[];
  /** The per-region overlap up to the first limit, to be drawn. */
  readonly proPoints: readonly CurvePoint[];
}

/**
 * Ranks pixels and computes all pixel metrics in one walk. Only scores that
 * some anomalous pixel has can change a metric, so the anomaly-free pixels
 * between two of them are only counted.
 *
 * @param runs The pixels' keys; tags are {@linkcode NORMAL_IMAGE},
 *   {@linkcode DEFECTIVE_IMAGE}, or the component's index for anomalous pixels.
 * @param componentSizes Pixels of each component, by index.
 * @param limits False-positive rates to integrate the overlap to.
 */
export function pixelCurves(
  runs: readonly Run[],
  componentSizes: readonly number[],
  limits: readonly number[],
): PixelCurves {
  const pixels = runs.reduce((sum, run) => sum + run.keys.length, 0);
  const total = componentSizes.reduce((sum, size) => sum + size, 0);
  const shares = Float64Array.from(componentSizes, (size) => 1 / size);
  const roc = new RocArea();
  const rocDefective = new RocArea();
  const precision = new PrecisionSum();
  const f1 = new F1Search(total);
  const areas = limits.map((limit) =>
    new ProArea(limit, pixels - total, componentSizes.length)
  );
  const rocPath = new CurvePath(1);
  const proPath = new CurvePath(limits[0] ?? 1);
  const sums = { positives: 0, negatives: 0, overlap: 0 };
  // The group of equal keys being read, and the anomaly-free pixels above it.
  let key = -1, positives = 0, overlap = 0;
  let normal = 0, defective = 0, normalAbove = 0, defectiveAbove = 0;

  function closeGroup(): void {
    if (positives === 0) {
      normalAbove += normal;
      defectiveAbove += defective;
    } else {
      addGroup(0, 0, normalAbove, defectiveAbove);
      addGroup(positives, overlap, normal, defective);
      [normalAbove, defectiveAbove, positives, overlap] = [0, 0, 0, 0];
    }
    normal = defective = 0;
  }

  function addGroup(
    positives: number,
    overlap: number,
    normal: number,
    defective: number,
  ): void {
    roc.add(positives, normal + defective);
    rocDefective.add(positives, defective);
    precision.add(positives, normal + defective);
    f1.add(keyFloat(key), positives, normal + defective);
    for (const area of areas) area.add(overlap, normal + defective);
    sums.positives += positives;
    sums.negatives += normal + defective;
    sums.overlap += overlap;
    const rate = sums.negatives / (pixels - total);
    rocPath.add(rate, sums.positives / total);
    proPath.add(rate, sums.overlap / componentSizes.length);
  }

  walkDescending(runs, (keys, tags) => {
    for (let i = keys.length - 1; i >= 0; i--) {
      if (keys[i] !== key) {
        closeGroup();
        key = keys[i]!;
      }
      const tag = tags[i]!;
      if (tag === NORMAL_IMAGE) normal++;
      else if (tag === DEFECTIVE_IMAGE) defective++;
      else {
        positives++;
        overlap += shares[tag]!;
      }
    }
  });
  closeGroup();
  addGroup(0, 0, normalAbove, defectiveAbove);
  return {
    auroc: roc.value,
    aurocDefective: rocDefective.value,
    aupr: precision.value,
    f1Max: f1.value,
    aupro: areas.map((area) => area.value),
    rocPoints: rocPath.points,
    proPoints: proPath.points,
  };
}
