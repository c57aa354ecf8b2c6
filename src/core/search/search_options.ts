import type { PanelReader } from "../rows/packed_rows.ts";
import type { Tensor } from "../../gpu/mod.ts";

/** Options of `BankSearch.record`. */
export interface SearchOptions {
  /** Queries to search: the first rows of the tensor. */
  readonly rows: number;
  /** Neighbours of each query, 1 to 16; 1 by default. */
  readonly k?: number;
  /** Image `[rows]` (u32) whose bank rows each query must not find. */
  readonly queryImages?: Tensor;
}

/** Where a recorded search leaves its results. */
export interface RecordedSearch extends Disposable {
  /**
   * Squared distances `[rows, k]`, ascending; 3e38 where there are fewer than
   * k rows to find.
   */
  readonly squaredDistances: Tensor;
  /** Bank rows `[rows, k]` (u32); 4,294,967,295 where there are fewer. */
  readonly indices: Tensor;
  /** Frees the results and the working memory. */
  dispose(): void;
}

/** What decides the GPU memory of a search. */
export interface SearchSizes {
  /** Where the bank is. */
  readonly gpu: PanelReader;
  /** Rows of the bank. */
  readonly rows: number;
  /** Elements of a row. */
  readonly dim: number;
  /** Neighbours to find; 1 by default. */
  readonly k?: number;
}

/** GPU bytes of a search. */
export interface SearchBytes {
  /** The packed copy of the bank and what it takes to make it. */
  readonly bank: number;
  /** What a recorded search holds for each of its queries. */
  readonly query: number;
}
