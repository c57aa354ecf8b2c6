import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { projectRows } from "../../wgsl/project_rows.ts";
import { sampleMean } from "../../wgsl/sample_mean.ts";
import { Mt19937 } from "../settings/random.ts";
import { gaussianProjection } from "../settings/projection.ts";
import { recordGather } from "../rows/row_sets.ts";
import { projectionStorage } from "../rows/projection.ts";

/** Rows that the axes are made from, at most. */
const MOST_SAMPLES = 1024;

/** Axes that rows are compared along first, and those not ruled out then. */
export const PCA_AXES = [128, 256] as const;

/** Samples that stand for queries. */
const PROBES = 32;

/** Time to measure a row by differences, compared with a row of the product. */
const MEASURING = 6;

/**
 * Keeps the axes from stretching anything: rounded to float32, 256 of them err by
 * 2⁻²⁴ √256 = 2⁻²⁰ at most.
 */
const CONTRACTION = 1 - 2 ** -19;

/** Directions in which rows differ most. */
export interface PrincipalAxes {
  /** Mean of the rows, as exact as needed to take their bulk away `[dim]`. */
  readonly mean: Float32Array<ArrayBuffer>;
  /**
   * The axes as columns `[dim, count]`, orthonormal but for a factor that is
   * slightly less than 1: no difference becomes longer along them. Columns are
   * zero where the rows do not differ in so many directions.
   */
  readonly matrix: Float32Array<ArrayBuffer>;
  /** Number of axes. */
  readonly count: number;
  /** The rows that the axes were made from, minus the mean `[samples, dim]`. */
  readonly samples: Float32Array;
  /** Those rows along the axes `[samples, count]`. */
  readonly scores: Float32Array;
}

/**
 * The first principal axes of some rows, roughly: subspace iteration on evenly
 * spaced rows (Halko, Martinsson and Tropp, 2011, Algorithm 4.4).
 *
 * @param rows At least one row.
 * @param count Axes to find, a multiple of 4, at most the length of a row.
 * @param rounds Rounds of the subspace iteration.
 */
export async function principalAxes(
  gpu: Gpu,
  rows: RowChunks,
  count: number,
  rounds = 1,
): Promise<PrincipalAxes> {
  const { dim } = rows;
  const samples = Math.min(rows.rows, MOST_SAMPLES);
  const list = Uint32Array.from(
    { length: samples },
    (_, i) => Math.floor(i * rows.rows / samples),
  );
  using indices = gpu.upload(list, [samples], "samples");
  using sampled = gpu.tensor([samples, dim], "f32", "sample rows");
  using mean = gpu.tensor([dim], "f32", "sample mean");
  using gathering = gpu.program("sample");
  recordGather(gathering, rows, indices, samples, sampled);
  gathering.dispatch(sampleMean, { rows: samples, dim }, {
    rows: sampled,
    mean,
  });
  (await gathering.compile()).run();
  const centre = await gpu.readFloats(mean);
  const data = await gpu.readFloats(sampled);
  // As a row of the transposed, padded with zeros.
  const length = roundUp(samples, 4);
  const transposed = new Float32Array(dim * length);
  for (let i = 0; i < samples; i++) {
    for (let k = 0; k < dim; k++) {
      const difference = data[i * dim + k]! - centre[k]!;
      data[i * dim + k] = difference;
      transposed[k * length + i] = difference;
    }
  }
  gpu.write(sampled, data);

  using columns = gpu.upload(transposed, [dim, length], "sample columns");
  const kernel = gpu.pick(projectRows);
  const storage = projectionStorage(gpu);
  using axes = gpu.tensor([dim, count], "f32", "axes", storage);
  using scores = gpu.tensor([length, count], "f32", "scores");
  using factors = gpu.tensor([length, count], "f32", "scores", storage);
  using turned = gpu.tensor([dim, count], "f32", "turned axes");
  gpu.write(scores, new Float32Array(length * count));
  const whole = { outputs: count, from: 0, to: 0 };
  using scoring = gpu.program("scores along axes");
  scoring.dispatch(
    kernel,
    { ...whole, rows: samples, dim },
    { x: sampled, w: axes, shift: sampled, y: scores },
  );
  using turning = gpu.program("turned axes");
  turning.dispatch(
    kernel,
    { ...whole, rows: dim, dim: length },
    { x: columns, w: factors, shift: columns, y: turned },
  );
  await scoring.compile();
  await turning.compile();
  const score = async (matrix: Float32Array<ArrayBuffer>) => {
    gpu.write(axes, matrix);
    scoring.run();
    return await gpu.readFloats(scores);
  };
  let matrix = gaussianProjection(new Mt19937(0), count, dim);
  for (let i = 0; i < rounds; i++) {
    gpu.write(factors, await score(matrix));
    turning.run();
    const turnedAxes = await gpu.readFloats(turned);
    matrix = orthonormalise(turnedAxes, count, dim, CONTRACTION);
  }
  return {
    mean: centre,
    matrix,
    count,
    samples: data,
    scores: (await score(matrix)).subarray(0, samples * count),
  };
}

/**
 * The work of a search along the axes as a share of one along all dimensions,
 * from what the axes leave of the samples when some of these are queries.
 */
export function pcaWork(
  { samples, scores, count }: PrincipalAxes,
): number {
  const rows = scores.length / count;
  const dim = samples.length / rows;
  const probes = Math.min(PROBES, rows);
  const [first] = PCA_AXES;
  let groups = 0;
  let measured = 0;
  for (let i = 0; i < probes; i++) {
    const query = Math.floor(i * rows / probes);
    const others = Array.from({ length: rows }, (_, row) => row)
      .filter((row) => row !== query);
    const nearest = Math.min(
      ...others.map((row) => squared(samples, dim, query, row, 0, dim)),
    );
    let open = -1;
    for (const row of others) {
      const along = squared(scores, count, query, row, 0, first);
      if (!(along <= nearest)) continue;
      const group = Math.floor(row / 8);
      if (group !== open) groups++;
      open = group;
      const all = along + squared(scores, count, query, row, first, count);
      if (all <= nearest) measured++;
    }
  }
  const pairs = probes * rows;
  return (first + count * groups * 8 / pairs) / dim +
    MEASURING * measured / pairs;
}

/** Squared distance of two rows along the dimensions from `from` to `to`. */
function squared(
  data: Float32Array,
  dim: number,
  a: number,
  b: number,
  from: number,
  to: number,
): number {
  let sum = 0;
  for (let k = from; k < to; k++) {
    sum += (data[a * dim + k]! - data[b * dim + k]!) ** 2;
  }
  return sum;
}

/**
 * Makes columns orthonormal (Gram and Schmidt, twice, in float64); a column that
 * depends on those before it becomes zero.
 *
 * @param matrix `[dim, count]`, row-major.
 * @param length What the columns' length becomes.
 */
function orthonormalise(
  matrix: Float32Array,
  count: number,
  dim: number,
  length = 1,
): Float32Array<ArrayBuffer> {
  const columns: Float64Array[] = [];
  const result = new Float32Array(dim * count);
  for (let c = 0; c < count; c++) {
    const column = new Float64Array(dim);
    for (let k = 0; k < dim; k++) column[k] = matrix[k * count + c]!;
    const before = Math.sqrt(dot(column, column));
    for (let pass = 0; pass < 2; pass++) {
      for (const other of columns) subtract(column, other, dot(column, other));
    }
    const rest = Math.sqrt(dot(column, column));
    const scale = rest > before * 1e-6 ? 1 / rest : 0;
    for (let k = 0; k < dim; k++) {
      const value = column[k]! * scale;
      column[k] = value;
      result[k * count + c] = value * length;
    }
    columns.push(column);
  }
  return result;
}

/** The dot product; `dim` is a multiple of 4. */
function dot(a: Float64Array, b: Float64Array): number {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (let k = 0; k + 3 < a.length; k += 4) {
    s0 += a[k]! * b[k]!;
    s1 += a[k + 1]! * b[k + 1]!;
    s2 += a[k + 2]! * b[k + 2]!;
    s3 += a[k + 3]! * b[k + 3]!;
  }
  return s0 + s1 + s2 + s3;
}

function subtract(a: Float64Array, b: Float64Array, factor: number): void {
  for (let k = 0; k + 3 < a.length; k += 4) {
    a[k] = a[k]! - factor * b[k]!;
    a[k + 1] = a[k + 1]! - factor * b[k + 1]!;
    a[k + 2] = a[k + 2]! - factor * b[k + 2]!;
    a[k + 3] = a[k + 3]! - factor * b[k + 3]!;
  }
}
