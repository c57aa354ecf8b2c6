import type { Program } from "../../gpu/mod.ts";
import {
  coresetRefresh,
  type CoresetRefreshSizes,
} from "../../wgsl/coreset_refresh.ts";
import { CENTRES_AT_ONCE, type CoresetPruning } from "./prune.ts";
import type { CoresetRows } from "./state.ts";
import { recordGather } from "../rows/row_sets.ts";

/** Brings the anchors of all rows up to date with new picks. */
export class Refresh implements Disposable {
  readonly #state: CoresetRows;
  readonly #program: Program;
  readonly #setParams: (first: number, end: number) => void;
  readonly #most: number;

  private constructor(
    state: CoresetRows,
    program: Program,
    setParams: (first: number, end: number) => void,
    most: number,
  ) {
    this.#state = state;
    this.#program = program;
    this.#setParams = setParams;
    this.#most = most;
  }

  /**
   * Compiles the pass over all rows.
   *
   * @param pruning Of the same rows; without, every row is measured.
   */
  static async create(
    state: CoresetRows,
    pruning?: CoresetPruning,
  ): Promise<Refresh> {
    const { gpu, packed, followed } = state;
    const kernel = gpu.pick(coresetRefresh);
    const program = gpu.program("coreset refresh");
    // A binding that the kernel does not touch needs a buffer all the same.
    const unused = gpu.tensor([4]);
    const prune = pruning?.record(program, unused);
    const base = program.length;
    const sizes = packed.pieces.map((piece, i): CoresetRefreshSizes => {
      const sizes = {
        ...{ rows: piece.rows, base: piece.base, dim: packed.dim },
        ...{ first: 0, end: 0, folds: followed !== undefined },
        words: pruning?.alive[i].shape[1] ?? 0,
      };
      program.dispatch(kernel, sizes, {
        packed: piece.packed,
        centres: state.centres,
        anchors: state.anchors,
        folds: followed?.folds ?? state.centres,
        nearest: followed?.nearest ?? unused,
        alive: pruning?.alive[i] ?? state.centres,
      });
      return sizes;
    });
    await program.compile();
    unused.dispose();
    const setParams = (first: number, end: number): void => {
      prune?.(first, end);
      sizes.forEach((of, i) => {
        const { params } = kernel.plan({ ...of, first, end });
        program.setParams(base + i, params);
      });
    };
    const most = pruning ? CENTRES_AT_ONCE : Infinity;
    return new Refresh(state, program, setParams, most);
  }

  /** Passes over all rows with the picks from `first` to before `end`. */
  async run(first: number, end: number): Promise<void> {
    const { followed, picks } = this.#state;
    await followed?.lookUp(picks, first, end);
    for (let from = first; from < end; from += this.#most) {
      this.#setParams(from, Math.min(end, from + this.#most));
      this.#program.run();
    }
  }

  /** Copies the first `count` picks' rows, where no step stored them. */
  async gatherCentres(count: number): Promise<void> {
    const { gpu, rows, picks, centres } = this.#state;
    using program = gpu.program("gather centres");
    recordGather(program, rows, picks, count, centres);
    (await program.compile()).run();
  }

  /** Frees the program. */
  [Symbol.dispose](): void {
    this.#program.dispose();
  }
}
