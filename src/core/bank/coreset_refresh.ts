import type { Program } from "../../gpu/mod.ts";
import {
  coresetRefresh,
  coresetRefreshSubgroup8,
} from "../../wgsl/coreset_refresh.ts";
import type { CoresetState } from "./coreset_state.ts";
import { recordGather } from "./gather.ts";

/** Brings the anchors of all rows up to date with new picks. */
export class Refresh implements Disposable {
  readonly #state: CoresetState;
  readonly #program: Program;

  private constructor(state: CoresetState, program: Program) {
    this.#state = state;
    this.#program = program;
  }

  /** Compiles the pass over all rows. */
  static async create(state: CoresetState): Promise<Refresh> {
    const { gpu, packed, others } = state;
    const kernel = gpu.subgroupSize === 8
      ? coresetRefreshSubgroup8
      : coresetRefresh;
    const program = gpu.program("coreset refresh");
    // Bindings that the kernel does not touch need a buffer each all the same.
    const unused = [gpu.tensor([4]), gpu.tensor([4])];
    for (const piece of packed.pieces) {
      program.dispatch(kernel, {
        rows: piece.rows,
        base: piece.base,
        dim: packed.dim,
        first: 0,
        end: 0,
        others: others !== undefined,
      }, {
        packed: piece.packed,
        centres: state.centres,
        anchors: state.anchors,
        images: others?.images ?? state.centres,
        centre_images: others?.centreImages ?? state.centres,
        others: others?.distances ?? unused[0],
        nearest_other: others?.nearest ?? unused[1],
      });
    }
    await program.compile();
    for (const tensor of unused) tensor.dispose();
    return new Refresh(state, program);
  }

  /** Passes over all rows with the picks from `first` to before `end`. */
  async run(first: number, end: number): Promise<void> {
    const { packed, others, picks } = this.#state;
    await others?.lookUp(picks, first, end);
    packed.pieces.forEach(({ rows, base }, i) => {
      this.#program.setParams(i, {
        rows,
        base,
        dim4: packed.dim / 4,
        panels: Math.ceil(rows / 64),
        first,
        end,
      });
    });
    this.#program.run();
  }

  /** Copies the first `count` picks' rows, where no step stored them. */
  async gatherCentres(count: number): Promise<void> {
    const { gpu, rows, picks, centres } = this.#state;
    using program = gpu.program("gather centres");
    recordGather(program, rows, picks, count, centres);
    (await program.compile()).run();
  }

  /** Frees the program. */
  dispose(): void {
    this.#program.dispose();
  }

  /** Same as {@linkcode Refresh.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
