import type { Program, Tensor } from "../../gpu/mod.ts";
import {
  CORESET_BINS,
  CORESET_LEVELS,
  coresetGather,
  coresetHistogram,
  coresetSelect,
  coresetThreshold,
} from "../../wgsl/coreset_select.ts";
import { coresetStep, coresetStepWorkgroups } from "../../wgsl/coreset_step.ts";
import { PANEL_ROWS } from "../../wgsl/pack_rows.ts";
import type { CoresetOptions } from "./coreset.ts";
import type { CoresetBounds } from "./coreset_bounds.ts";
import type { CoresetState } from "./coreset_state.ts";
import { Refresh } from "./coreset_refresh.ts";
import { lanesFor, STEPS_PER_SUBMIT } from "./plain_greedy.ts";

/**
 * Makes the same picks as the plain method with few passes over all rows.
 *
 * An anchor that was not brought up to date is an upper bound. So the rows with
 * the largest anchors are refined alone, and picked from as long as their
 * maximum is above every anchor outside; only then all rows are brought up to
 * date with the new picks.
 *
 * @param bounds What spares a pass most of its work, if that pays.
 * @returns Passes over all rows.
 */
export async function pickLazily(
  state: CoresetState,
  bounds: CoresetBounds | undefined,
  { candidates, onProgress, start }: CoresetOptions,
): Promise<number> {
  const { limit } = state;
  using refined = new Candidates(state, candidates);
  using refresh = await Refresh.create(state, bounds);
  await refined.compile();
  let passes = 1;
  const knowsFirst = state.others === undefined || start.kind === "kept";
  let fresh = knowsFirst ? (await state.progress()).count : 0;
  for (;;) {
    const count = await refined.pick((count) => onProgress?.(count, limit));
    if (count > fresh) {
      await refresh.run(fresh, count);
      passes++;
    }
    if (count === limit || count === fresh) return passes;
    fresh = count;
  }
}

/** Rows that are refined alone at most. */
export function candidateCapacity(rows: number, share = 0.01): number {
  return Math.min(rows, Math.max(512, Math.ceil(rows * share)));
}

/** The rows that are refined alone, and the programs that do it. */
class Candidates implements Disposable {
  readonly #state: CoresetState;
  readonly #select: Program;
  readonly #steps: Program;
  readonly #owned: Tensor[];

  constructor(state: CoresetState, share: number | undefined) {
    const { gpu, rows, anchors, words, limit } = state;
    const { dim } = rows;
    this.#state = state;
    const capacity = candidateCapacity(rows.rows, share);
    const lanes = lanesFor(gpu.subgroupSize);
    const workgroups = coresetStepWorkgroups(capacity, lanes);
    const panels = Math.ceil(capacity / PANEL_ROWS);
    const bins = gpu.tensor([CORESET_BINS], "u32", "anchor histogram");
    const candidates = gpu.tensor([capacity], "u32", "candidates");
    const refined = gpu.tensor([capacity], "f32", "candidate anchors");
    const packed = gpu.tensor([panels, dim, PANEL_ROWS], "f32", "candidates");
    const maxima = gpu.tensor([2, workgroups, 4], "u32", "maxima");
    this.#owned = [bins, candidates, refined, packed, maxima];
    gpu.clear(bins);

    const select = gpu.program("coreset candidates");
    for (let level = 0; level < CORESET_LEVELS; level++) {
      const sizes = { rows: rows.rows, level, capacity };
      select.dispatch(coresetHistogram, sizes, { anchors, state: words, bins });
      select.dispatch(coresetThreshold, sizes, { bins, state: words });
    }
    select.dispatch(coresetSelect, { rows: rows.rows, capacity }, {
      anchors,
      state: words,
      candidates,
      refined,
    });
    rows.chunks.forEach((chunk, i) => {
      select.dispatch(coresetGather, {
        base: i * rows.rowsPerChunk,
        rows: chunk.shape[0],
        dim,
        capacity,
      }, { rows: chunk, candidates, state: words, packed });
    });
    const sizes = { rows: capacity, dim, limit, store: true, lanes };
    const tensors = {
      packed,
      rows: candidates,
      anchors: refined,
      maxima,
      state: words,
      picks: state.picks,
      centres: state.centres,
    };
    select.dispatch(coresetStep, { ...sizes, parity: 1, pick: false }, tensors);
    const steps = gpu.program("coreset steps");
    for (let i = 0; i < STEPS_PER_SUBMIT; i++) {
      const step = { ...sizes, parity: i % 2, pick: true };
      steps.dispatch(coresetStep, step, tensors);
    }
    this.#select = select;
    this.#steps = steps;
  }

  async compile(): Promise<void> {
    await this.#select.compile();
    await this.#steps.compile();
  }

  /**
   * Selects the farthest rows and picks from them while that is certain.
   *
   * @returns The number of picks in all.
   */
  async pick(onProgress: (count: number) => void): Promise<number> {
    this.#select.run();
    for (;;) {
      this.#steps.run();
      const { count, done } = await this.#state.progress();
      onProgress(count);
      if (done) return count;
    }
  }

  dispose(): void {
    this.#select.dispose();
    this.#steps.dispose();
    for (const tensor of this.#owned) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
