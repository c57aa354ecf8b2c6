import type { Gpu, RowChunks, Tensor } from "../../gpu/mod.ts";
import { kmeansAssign, paddedCodewords } from "../../wgsl/kmeans.ts";
import { residualRows } from "../../wgsl/residual_rows.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import { gatherRows } from "../rows/row_sets.ts";
import { choice, Mt19937 } from "../settings/random.ts";
import type { IvfPqOptions, IvfPqPlan } from "./ivfpq_plan.ts";
import { sortCodes, trainKmeans } from "./kmeans.ts";

/** A trained index, its large parts on the GPU. */
export interface IvfPqParts {
  /** Centroids of the lists, transposed: `[dim, lists padded to 16]`. */
  readonly centroids: Tensor;
  /** Codebooks `[subs, dim / subs, codewords padded to 16]`. */
  readonly codebooks: Tensor;
  /** Squared norms of the centroids `[lists]`. */
  readonly norms: Tensor;
  /** Where each list begins `[lists + 1]` (u32). */
  readonly offsets: Tensor;
  /** Bank row of each entry `[rows]` (u32), list after list. */
  readonly ids: Tensor;
  /** Codes of each entry `[rows, subs / 4]` (u32), four a word. */
  readonly codes: Tensor;
  /** |x̂|² − |c|² of each entry `[rows]`, x̂ the row as the codes have it. */
  readonly terms: Tensor;
}

interface Encoded {
  /** List of each bank row. */
  readonly lists: Uint32Array;
  /** Codes of each bank row `[rows, subs]`. */
  readonly codes: Uint8Array;
}

/** Trains an index on a sample of the bank and encodes all rows with it. */
export async function buildIvfPq(
  gpu: Gpu,
  bank: RowChunks,
  plan: IvfPqPlan,
  options: IvfPqOptions,
): Promise<IvfPqParts> {
  const { iterations = 10, seed = 0 } = options;
  const { lists, subs, codewords, trainRows } = plan;
  const { dim } = bank;
  const random = new Mt19937(seed);
  const total = 2 * iterations + Math.ceil(bank.rows / plan.blockRows);
  let done = 0;
  const onRound = (): void => options.onProgress?.(++done, total);
  const common = { rows: trainRows, dim, iterations, random, onRound };
  const picks = choice(random, bank.rows, trainRows).sort();
  using gathered = await gatherRows(gpu, bank, picks, "IVFPQ training rows");
  const [sample] = gathered.chunks;
  const centroids = await trainKmeans(gpu, sample, {
    ...common,
    subs: 1,
    codewords: lists,
  });
  using residuals = gpu.tensor([trainRows, dim], "f32", "IVFPQ residuals");
  using sampleLists = gpu.tensor([trainRows], "u32", "IVFPQ lists");
  const place = { first: 0, rows: trainRows };
  await assignLists(gpu, sample, place, plan, centroids, {
    lists: sampleLists,
    residuals,
  });
  const codebooks = await trainKmeans(gpu, residuals, {
    ...common,
    subs,
    codewords,
  });
  const encoded = await encode(gpu, bank, plan, centroids, codebooks, onRound);
  return await pack(gpu, encoded, plan, dim, centroids, codebooks);
}

/** Finds the list of some rows and what its centroid leaves of them. */
async function assignLists(
  gpu: Gpu,
  rows: Tensor,
  { first, rows: count }: { first: number; rows: number },
  plan: IvfPqPlan,
  centroids: Tensor,
  to: { lists: Tensor; residuals: Tensor },
  codes?: { codebooks: Tensor; codes: Tensor },
): Promise<void> {
  const { lists } = plan;
  const dim = rows.shape[1]!;
  const lanes = gpu.pick(WORKGROUP_LANES);
  using program = gpu.program("IVFPQ codes");
  program.dispatch(
    kmeansAssign,
    { rows: count, first, dim, subs: 1, codewords: lists, lanes },
    { rows, codebooks: centroids, codes: to.lists },
    "lists",
  );
  program.dispatch(
    residualRows,
    { rows: count, first, dim, padded: paddedCodewords(lists) },
    { x: rows, centroids, lists: to.lists, y: to.residuals },
  );
  if (codes !== undefined) {
    const { subs, codewords } = plan;
    program.dispatch(
      kmeansAssign,
      { rows: count, dim, subs, codewords, lanes },
      { rows: to.residuals, ...codes },
      "codes",
    );
  }
  (await program.compile()).run();
  await gpu.finish();
}

/** Encodes all rows of the bank, block after block. */
async function encode(
  gpu: Gpu,
  bank: RowChunks,
  plan: IvfPqPlan,
  centroids: Tensor,
  codebooks: Tensor,
  onBlock: () => void,
): Promise<Encoded> {
  const { subs, blockRows } = plan;
  const lists = new Uint32Array(bank.rows);
  const codes = new Uint8Array(bank.rows * subs);
  using blockLists = gpu.tensor([blockRows], "u32", "IVFPQ lists");
  using residuals = gpu.tensor([blockRows, bank.dim], "f32", "IVFPQ residuals");
  using blockCodes = gpu.tensor([blockRows, subs], "u32", "IVFPQ codes");
  for (const [index, chunk] of bank.chunks.entries()) {
    const chunkRows = chunk.shape[0]!;
    for (let first = 0; first < chunkRows; first += blockRows) {
      const rows = Math.min(blockRows, chunkRows - first);
      const to = { lists: blockLists, residuals };
      const place = { first, rows };
      await assignLists(gpu, chunk, place, plan, centroids, to, {
        codebooks,
        codes: blockCodes,
      });
      const [l, c] = await gpu.readAll([
        blockLists.view([rows]),
        blockCodes.view([rows, subs]),
      ]);
      const base = index * bank.rowsPerChunk + first;
      lists.set(l!, base);
      codes.set(c!, base * subs);
      onBlock();
    }
  }
  return { lists, codes };
}

/** Sorts entries by list and computes what the scan adds for each. */
async function pack(
  gpu: Gpu,
  encoded: Encoded,
  plan: IvfPqPlan,
  dim: number,
  centroids: Tensor,
  codebooks: Tensor,
): Promise<IvfPqParts> {
  const { lists, subs, codewords } = plan;
  const rows = encoded.lists.length;
  const [c, p] = await gpu.readAll([centroids, codebooks]);
  const listStride = paddedCodewords(lists);
  const codeStride = paddedCodewords(codewords);
  const dims = dim / subs;
  const norms = new Float32Array(lists);
  for (let list = 0; list < lists; list++) {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += c![d * listStride + list]! ** 2;
    norms[list] = sum;
  }
  const { order, offsets } = sortCodes(encoded.lists, 1, lists);
  const codes = new Uint8Array(rows * subs);
  const terms = new Float32Array(rows);
  order.forEach((row, entry) => {
    const own = encoded.codes.subarray(row * subs, (row + 1) * subs);
    const list = encoded.lists[row]!;
    codes.set(own, entry * subs);
    let term = 0;
    for (let d = 0; d < dim; d++) {
      const sub = Math.floor(d / dims);
      const rest = p![d * codeStride + own[sub]!]!;
      term += rest * (rest + 2 * c![d * listStride + list]!);
    }
    terms[entry] = term;
  });
  const words = new Uint32Array(codes.buffer);
  return {
    centroids,
    codebooks,
    norms: gpu.upload(norms, undefined, "IVFPQ norms"),
    offsets: gpu.upload(offsets, undefined, "IVFPQ offsets"),
    ids: gpu.upload(order, undefined, "IVFPQ rows"),
    codes: gpu.upload(words, [rows, subs / 4], "IVFPQ codes"),
    terms: gpu.upload(terms, undefined, "IVFPQ terms"),
  };
}
