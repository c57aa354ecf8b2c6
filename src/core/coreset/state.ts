import type { Gpu, RowChunks, Tensor } from "../../gpu/mod.ts";
import { coresetStart } from "../../wgsl/coreset_start.ts";
import { CORESET_STATE } from "../../wgsl/coreset_step.ts";
import { FAR } from "../../wgsl/packed_norms.ts";
import type { Coreset, CoresetOptions, NearestPicks } from "./options.ts";
import { recordGather } from "../rows/row_sets.ts";
import { PackedRows } from "../rows/packed_rows.ts";

/** No row, or no centre. */
const NONE = 0xffffffff;

/** Label of {@linkcode CoresetState.words}. */
const STATE_LABEL = "coreset state";

/** What a dry run reads of a coreset: that all picks are made. */
export function dryCoreset(label: string, words: Uint32Array): void {
  if (label !== STATE_LABEL) return;
  words.fill(NONE);
  words[CORESET_STATE.done] = 1;
}

/** Rows that a coreset grows from, and what its picks are kept in. */
export interface CoresetRows {
  /** Where everything is. */
  readonly gpu: Gpu;
  /** All rows, row-major. */
  readonly rows: RowChunks;
  /** Those rows in panels that may be picked `[N]`. */
  readonly packed: PackedRows;
  /** What rows they are `[N]`; nothing when they are all. */
  readonly index?: Tensor;
  /** Distance of each row to the nearest centre, as far as known `[N]`. */
  readonly anchors: Tensor;
  /** Counters and thresholds, see `CORESET_STATE`. */
  readonly words: Tensor;
  /** Rows picked `[K]`. */
  readonly picks: Tensor;
  /** The picks' rows `[K, dim]`. */
  readonly centres: Tensor;
  /** Follows the nearest centres of two folds, when asked for. */
  readonly followed: FollowedPicks | undefined;
  /** Rows to pick. */
  readonly limit: number;
}

/** What the picks of a coreset are kept in while it grows. */
export class CoresetState implements CoresetRows, Disposable {
  readonly gpu: Gpu;
  readonly rows: RowChunks;
  readonly anchors: Tensor;
  readonly words: Tensor;
  readonly picks: Tensor;
  readonly centres: Tensor;
  readonly followed: FollowedPicks | undefined;
  readonly limit: number;
  #packed: PackedRows | undefined;

  private constructor(
    gpu: Gpu,
    rows: RowChunks,
    packed: PackedRows,
    options: CoresetOptions,
  ) {
    this.gpu = gpu;
    this.rows = rows;
    this.#packed = packed;
    this.limit = options.picks;
    this.anchors = gpu.tensor([rows.rows], "f32", "anchors");
    const words = new Uint32Array(CORESET_STATE.size);
    words[CORESET_STATE.cut] = NONE;
    const picks = new Uint32Array(options.picks);
    if (options.start.kind === "included") {
      words[CORESET_STATE.count] = 1;
      picks[0] = options.start.point;
    } else if (options.start.kind === "kept") {
      words[CORESET_STATE.count] = options.start.rows;
      for (let i = 0; i < options.start.rows; i++) picks[i] = i;
    }
    // The least anchor above what is near enough.
    const floor = new Uint32Array(Float32Array.of(options.enough ?? 0).buffer);
    const least = options.enough ? floor[0]! + 1 : 0;
    words[CORESET_STATE.least] = words[CORESET_STATE.floor] = least;
    this.words = gpu.upload(words, [words.length], STATE_LABEL);
    this.picks = gpu.upload(picks, [picks.length], "picks");
    this.centres = gpu.tensor([options.picks, rows.dim], "f32", "centres");
    this.followed = options.folds &&
      new FollowedPicks(gpu, options.folds, options.picks);
  }

  /** Packs the rows and measures the distances to the start points. */
  static async start(
    gpu: Gpu,
    rows: RowChunks,
    options: CoresetOptions,
  ): Promise<CoresetState> {
    const packed = await PackedRows.pack(gpu, rows);
    const state = new CoresetState(gpu, rows, packed, options);
    const { start } = options;
    if (start.kind === "covered") {
      gpu.write(state.anchors, start.distances);
      return state;
    }
    if (start.kind === "kept") {
      gpu.write(state.anchors, new Float32Array(rows.rows).fill(FAR));
      return state;
    }
    const points = Uint32Array.from(
      start.kind === "mean" ? start.points : [start.point],
    );
    using indices = gpu.upload(points, [points.length], "start points");
    using starts = gpu.tensor([points.length, rows.dim], "f32", "start rows");
    using program = gpu.program("coreset start");
    recordGather(program, rows, indices, points.length, starts);
    if (start.kind === "included") {
      recordGather(program, rows, indices, 1, state.centres);
    }
    for (const piece of packed.pieces) {
      program.dispatch(coresetStart, {
        rows: piece.rows,
        base: piece.base,
        dim: rows.dim,
        starts: points.length,
        picked: start.kind === "included",
      }, { packed: piece.packed, starts, anchors: state.anchors });
    }
    (await program.compile()).run();
    return state;
  }

  /** All rows in panels. */
  get packed(): PackedRows {
    if (this.#packed === undefined) {
      throw new TypeError("Cannot read the packed rows: they were unpacked");
    }
    return this.#packed;
  }

  /** Frees the panels, where fewer rows may be picked. */
  unpack(): void {
    this.#packed?.[Symbol.dispose]();
    this.#packed = undefined;
  }

  /** Packs the rows again. */
  async pack(): Promise<void> {
    this.unpack();
    this.#packed = await PackedRows.pack(this.gpu, this.rows);
  }

  /** Reads the picks and what is known of all rows. */
  async result(): Promise<Omit<Coreset, "passes">> {
    const { count } = await readProgress(this);
    const tensors = [this.picks, this.anchors];
    if (this.followed) tensors.push(this.followed.nearest);
    const [picks, anchors, nearest] = await this.gpu.readAll(tensors);
    let radius = 0;
    for (const anchor of anchors) radius = Math.max(radius, anchor);
    return {
      indices: (picks as Uint32Array<ArrayBuffer>).slice(0, count),
      radius,
      ...(nearest && {
        nearest: apart(
          nearest as Uint32Array<ArrayBuffer>,
          anchors as Float32Array<ArrayBuffer>,
        ),
      }),
    };
  }

  /** Frees everything but the rows. */
  [Symbol.dispose](): void {
    const { anchors, words, picks, centres, followed } = this;
    this.unpack();
    for (const t of [anchors, words, picks, centres, followed]) {
      t?.[Symbol.dispose]();
    }
  }
}

/** Reads how many picks are made and whether the steps came to their end. */
export async function readProgress(
  { gpu, words, limit }: CoresetRows,
): Promise<{ count: number; done: boolean }> {
  const state = await gpu.read(words);
  return {
    count: Math.min(state[CORESET_STATE.count], limit),
    done: state[CORESET_STATE.done] === 1,
  };
}

/** The nearest centres of two folds, for every row. */
class FollowedPicks implements Disposable {
  /** Fold of each centre `[K]`; filled as they are picked. */
  readonly folds: Tensor;
  /** See `coreset_refresh` `[N, 4]`. */
  readonly nearest: Tensor;
  readonly #host: ArrayLike<number>;
  readonly #gpu: Gpu;

  /** Allocates, with no centre known. */
  constructor(gpu: Gpu, folds: ArrayLike<number>, picks: number) {
    const rows = folds.length;
    this.#gpu = gpu;
    this.#host = folds;
    this.folds = gpu.tensor([picks], "u32", "centre folds");
    const far = new Uint32Array(Float32Array.of(FAR).buffer)[0]!;
    const none = new Uint32Array(4 * rows).map((_, i) => i % 2 ? NONE : far);
    this.nearest = gpu.upload(none, [rows, 4], "nearest centres");
  }

  /** Looks up the folds of the picks from `first` to before `end`. */
  async lookUp(picks: Tensor, first: number, end: number): Promise<void> {
    const rows = (await this.#gpu.read(picks)).subarray(first, end);
    const folds = Uint32Array.from(rows, (row) => this.#host[row]!);
    this.#gpu.write(this.folds, folds, first);
  }

  /** Frees the tensors. */
  [Symbol.dispose](): void {
    this.folds.dispose();
    this.nearest.dispose();
  }
}

/** What `coreset_refresh` left of every row, apart. */
function apart(
  nearest: Uint32Array<ArrayBuffer>,
  anchors: Float32Array<ArrayBuffer>,
): NearestPicks {
  const rows = anchors.length;
  const floats = new Float32Array(nearest.buffer, nearest.byteOffset);
  const pick = <T extends Uint32Array | Float32Array>(
    to: T,
    from: T,
    at: number,
  ): T => {
    for (let row = 0; row < rows; row++) to[row] = from[4 * row + at]!;
    return to;
  };
  return {
    distances: pick(new Float32Array(rows), floats, 0),
    picks: pick(new Uint32Array(rows), nearest, 1),
    otherDistances: pick(new Float32Array(rows), floats, 2),
    others: pick(new Uint32Array(rows), nearest, 3),
    anchors,
  };
}
