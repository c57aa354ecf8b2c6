import type { Gpu, Program, RowChunks, Tensor } from "../../gpu/mod.ts";
import { ivfScan } from "../../wgsl/ivf_scan.ts";
import { paddedCodewords } from "../../wgsl/kmeans.ts";
import { pairDistance } from "../../wgsl/pair_distance.ts";
import { product } from "../../wgsl/product.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import type { RecordedSearch } from "../search/search.ts";
import { buildIvfPq, type IvfPqParts } from "./ivfpq_build.ts";
import { type IvfPqOptions, type IvfPqPlan, planIvfPq } from "./ivfpq_plan.ts";

/** Queries whose tables of distances are on the GPU at once. */
const QUERIES_PER_BLOCK = 256;

/** How many queries, and how much of the index is scanned for each. */
interface IvfPqSearchOptions {
  /** Queries to search: the first rows of the tensor. */
  readonly rows: number;
  /** Inverted lists to scan for each query, 1 by default as in FAISS. */
  readonly probes?: number;
}

/**
 * Approximate nearest neighbours as the published implementation has them from
 * FAISS: inverted lists (IVF) of product-quantised residuals (PQ), 512 lists,
 * 64 sub-quantisers of 8 bits. The row it finds may not be the nearest one; the
 * distance it gives is that row's own, measured by direct differences.
 */
export class IvfPqIndex implements Disposable {
  /** Lists, sub-quantisers, bytes. */
  readonly plan: IvfPqPlan;
  /** What was trained. */
  readonly parts: IvfPqParts;
  readonly #gpu: Gpu;
  readonly #bank: RowChunks;

  private constructor(
    gpu: Gpu,
    bank: RowChunks,
    plan: IvfPqPlan,
    parts: IvfPqParts,
  ) {
    this.#gpu = gpu;
    this.#bank = bank;
    this.plan = plan;
    this.parts = parts;
  }

  /**
   * Trains an index and encodes the bank with it, on the GPU.
   *
   * @param bank At least one row; it must outlive the index.
   * @throws {RangeError} If an option is not allowed or the bank is empty.
   */
  static async build(
    gpu: Gpu,
    bank: RowChunks,
    options: IvfPqOptions = {},
  ): Promise<IvfPqIndex> {
    const plan = planIvfPq(bank.rows, bank.dim, options, gpu.maxTensorBytes);
    const parts = await buildIvfPq(gpu, bank, plan, options);
    return new IvfPqIndex(gpu, bank, plan, parts);
  }

  /**
   * Records the search of the first `rows` rows of `queries`: one neighbour
   * each, squared distances as an exact search gives them.
   *
   * @param queries Row-major `[≥ rows, dim]`.
   * @throws {RangeError} If the sizes do not fit.
   */
  record(
    program: Program,
    queries: Tensor,
    { rows, probes = 1 }: IvfPqSearchOptions,
  ): RecordedSearch {
    this.#check(queries, rows, probes);
    const gpu = this.#gpu;
    const { dim, chunks, rowsPerChunk } = this.#bank;
    const { lists, subs, codewords } = this.plan;
    const { centroids, codebooks, ...parts } = this.parts;
    const paddedLists = paddedCodewords(lists);
    const stride = paddedCodewords(codewords);
    const tableBytes = subs * stride * 4;
    const block = Math.min(
      rows,
      QUERIES_PER_BLOCK,
      Math.floor(gpu.maxTensorBytes / tableBytes),
    );
    const lanes = gpu.pick(WORKGROUP_LANES);
    const products = gpu.tensor([rows, paddedLists], "f32", "list products");
    const tables = gpu.tensor([block, subs, stride], "f32", "distance tables");
    const squaredDistances = gpu.tensor([rows, 1], "f32", "distances");
    const indices = gpu.tensor([rows, 1], "u32", "neighbours");
    program.dispatch(
      product,
      { rows, inner: dim, columns: paddedLists, scale: -2, lanes },
      { a: queries, b: centroids, c: products },
      "lists",
    );
    for (let first = 0; first < rows; first += block) {
      const count = Math.min(block, rows - first);
      program.dispatch(
        product,
        {
          rows: count,
          inner: dim / subs,
          columns: stride,
          aFirst: first * dim,
          aRow: dim,
          aBatch: dim / subs,
          bBatch: dim / subs * stride,
          cRow: subs * stride,
          cBatch: stride,
          count: subs,
          scale: -2,
          lanes,
        },
        { a: queries, b: codebooks, c: tables },
        "tables",
      );
      program.dispatch(ivfScan, {
        first,
        queries: count,
        lists,
        paddedLists,
        probes: Math.min(probes, lists),
        subs,
        paddedCodewords: stride,
      }, { ...parts, products, tables, indices });
    }
    chunks.forEach((y, i) => {
      program.dispatch(pairDistance, {
        rows,
        dim,
        first: 0,
        otherFirst: i * rowsPerChunk,
        otherRows: y.shape[0]!,
        fill: i === 0,
      }, { x: queries, pairs: indices, y, distances: squaredDistances });
    });
    const dispose = (): void => {
      for (const t of [products, tables, squaredDistances, indices]) {
        t.dispose();
      }
    };
    return { squaredDistances, indices, dispose, [Symbol.dispose]: dispose };
  }

  #check(queries: Tensor, rows: number, probes: number): void {
    if (!Number.isInteger(probes) || probes < 1) {
      throw new RangeError(
        `Cannot search the IVFPQ index: probes must be an integer of at least 1: current value is ${probes}`,
      );
    }
    if (rows >= 1 && queries.size >= rows * this.#bank.dim) return;
    throw new RangeError(
      `Cannot search ${rows} queries of ${this.#bank.dim} elements: "${queries.label}" is [${queries.shape}]`,
    );
  }

  /** Frees the index; the bank stays its owner's. */
  [Symbol.dispose](): void {
    for (const tensor of Object.values(this.parts)) tensor.dispose();
  }
}

/**
 * Recall@1: the share of queries for which a row as near as the nearest one was
 * found.
 *
 * @param found Squared distances of the rows found `[queries]`.
 * @param exact Squared distances of an exact search `[queries]`.
 */
export function recallAtOne(
  found: ArrayLike<number>,
  exact: ArrayLike<number>,
): number {
  let hits = 0;
  for (let i = 0; i < exact.length; i++) {
    if (found[i]! <= exact[i]! * (1 + 1e-5)) hits++;
  }
  return hits / exact.length;
}
