import type { Gpu, Tensor } from "../../gpu/mod.ts";
import {
  kmeansAssign,
  kmeansUpdate,
  paddedCodewords,
} from "../../wgsl/kmeans.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import { choice, type Mt19937 } from "../settings/random.ts";

/** What k-means clusters. */
interface KmeansOptions {
  /** Rows to cluster: the first ones of the tensor. */
  readonly rows: number;
  /** Elements of a row. */
  readonly dim: number;
  /** Parts of a row that are clustered on their own; a divisor of `dim`. */
  readonly subs: number;
  /** Codewords of each part, at most `rows`. */
  readonly codewords: number;
  /** Rounds of Lloyd's algorithm. */
  readonly iterations: number;
  /** Draws the first codewords. */
  readonly random: Mt19937;
  /** Called after each round. */
  readonly onRound?: () => void;
}

/** Rows sorted by codeword, for every part of a row. */
interface SortedCodes {
  /** Rows `[subs, rows]`, codeword after codeword, ascending within one. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** Where each codeword's rows begin, `[subs, codewords + 1]`. */
  readonly offsets: Uint32Array<ArrayBuffer>;
}

/**
 * Clusters rows by Lloyd's algorithm: assignments and means on the GPU, the
 * sorting between them on the host. The first codewords are different random
 * rows. A codeword without rows takes every second row of the largest one.
 *
 * @param rows Row-major `[≥ rows, dim]`.
 * @returns Codebooks `[subs, dim / subs, codewords padded to 16]`.
 */
export async function trainKmeans(
  gpu: Gpu,
  rows: Tensor,
  options: KmeansOptions,
): Promise<Tensor> {
  const { dim, subs, codewords, iterations, random } = options;
  const count = options.rows;
  const padded = paddedCodewords(codewords);
  const codebooks = gpu.tensor([subs, dim / subs, padded], "f32", "codebooks");
  const lanes = gpu.pick(WORKGROUP_LANES);
  const sizes = { rows: count, dim, subs, codewords, lanes };
  using order = gpu.tensor([subs, count], "u32", "order of rows");
  using offsets = gpu.tensor([subs, codewords + 1], "u32", "codeword offsets");
  using codes = gpu.tensor([count, subs], "u32", "codes");
  using assign = gpu.program("k-means assignment");
  assign.dispatch(kmeansAssign, sizes, { rows, codebooks, codes });
  using update = gpu.program("k-means update");
  update.dispatch(kmeansUpdate, sizes, { rows, order, offsets, codebooks });
  await assign.compile();
  await update.compile();
  gpu.clear(codebooks);
  const run = (sorted: SortedCodes): void => {
    gpu.write(order, sorted.order);
    gpu.write(offsets, sorted.offsets);
    update.run();
  };
  run(firstCodewords(count, subs, codewords, random));
  for (let round = 0; round < iterations; round++) {
    assign.run();
    const assigned = await gpu.read(codes) as Uint32Array;
    run(sortCodes(assigned, subs, codewords, true));
    options.onRound?.();
  }
  await gpu.finish();
  return codebooks;
}

/**
 * Sorts rows by codeword (a counting sort, in every part).
 *
 * @param codes Codes `[rows, subs]`.
 * @param subs Parts of a row.
 * @param codewords Codewords of a part.
 * @param fill Whether codewords without rows take some of the largest one's.
 */
export function sortCodes(
  codes: ArrayLike<number>,
  subs: number,
  codewords: number,
  fill = false,
): SortedCodes {
  const rows = codes.length / subs;
  const order = new Uint32Array(codes.length);
  const offsets = new Uint32Array(subs * (codewords + 1));
  for (let sub = 0; sub < subs; sub++) {
    const column = Uint32Array.from(
      { length: rows },
      (_, row) => codes[row * subs + sub]!,
    );
    const sizes = new Uint32Array(codewords);
    for (const code of column) sizes[code]!++;
    if (fill) fillEmpty(column, sizes);
    const starts = offsets.subarray(
      sub * (codewords + 1),
      (sub + 1) * (codewords + 1),
    );
    sizes.forEach((size, code) => starts[code + 1] = starts[code]! + size);
    const next = starts.slice();
    column.forEach((code, row) => order[sub * rows + next[code]!++] = row);
  }
  return { order, offsets };
}

/** Gives each empty codeword every second row of the largest one. */
function fillEmpty(codes: Uint32Array, sizes: Uint32Array): void {
  sizes.forEach((size, empty) => {
    if (size > 0) return;
    const largest = sizes.reduce(
      (best, value, code) => value > sizes[best]! ? code : best,
      0,
    );
    if (sizes[largest]! < 2) return;
    let place = 0;
    codes.forEach((code, row) => {
      if (code !== largest || place++ % 2 === 0) return;
      codes[row] = empty;
      sizes[largest]!--;
      sizes[empty]!++;
    });
  });
}

/** One different random row for each codeword, the same rows in every part. */
function firstCodewords(
  rows: number,
  subs: number,
  codewords: number,
  random: Mt19937,
): SortedCodes {
  const picks = choice(random, rows, codewords);
  const order = new Uint32Array(subs * rows);
  const offsets = new Uint32Array(subs * (codewords + 1));
  for (let sub = 0; sub < subs; sub++) {
    order.set(picks, sub * rows);
    for (let code = 0; code <= codewords; code++) {
      offsets[sub * (codewords + 1) + code] = code;
    }
  }
  return { order, offsets };
}
