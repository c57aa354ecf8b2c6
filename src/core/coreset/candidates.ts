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
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import { type CoresetRows, readProgress } from "./state.ts";
import { STEPS_PER_SUBMIT } from "./plain_greedy.ts";

/** Rows that are refined alone at most. */
export function candidateCapacity(rows: number, share = 0.01): number {
  return Math.min(rows, Math.max(512, Math.ceil(rows * share)));
}

/** The rows that are refined alone, and the programs that do it. */
export class Candidates implements Disposable {
  readonly #state: CoresetRows;
  readonly #select: Program;
  readonly #steps: Program;
  readonly #owned: Tensor[];

  /**
   * @param state What they are chosen from.
   * @param share How many they are, as a share of all rows.
   */
  constructor(state: CoresetRows, share = 0.01) {
    const { gpu, rows, anchors, words, limit, index } = state;
    const { dim } = rows;
    const count = state.packed.rows;
    this.#state = state;
    const capacity = Math.min(
      candidateCapacity(rows.rows, share),
      candidateCapacity(count, 2 * share),
    );
    const lanes = gpu.pick(WORKGROUP_LANES);
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
      const sizes = { rows: count, level, capacity };
      select.dispatch(coresetHistogram, sizes, { anchors, state: words, bins });
      select.dispatch(coresetThreshold, sizes, { bins, state: words });
    }
    const selected = { rows: count, indexed: index !== undefined, capacity };
    select.dispatch(coresetSelect, selected, {
      anchors,
      state: words,
      index: index ?? state.picks,
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

  /** Compiles the programs. */
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
      const { count, done } = await readProgress(this.#state);
      onProgress(count);
      if (done) return count;
    }
  }

  /** Frees the programs and what they work on. */
  [Symbol.dispose](): void {
    this.#select.dispose();
    this.#steps.dispose();
    for (const tensor of this.#owned) tensor.dispose();
  }
}
