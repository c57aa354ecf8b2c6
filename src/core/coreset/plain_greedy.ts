import { coresetStep, coresetStepWorkgroups } from "../../wgsl/coreset_step.ts";
import { WORKGROUP_LANES } from "../../wgsl/variants.ts";
import type { CoresetOptions } from "./options.ts";
import { type CoresetState, readProgress } from "./state.ts";
import { Refresh } from "./refresh.ts";

/** Picks of one submit; even, so that the counters end at parity 0. */
export const STEPS_PER_SUBMIT = 64;

/**
 * Makes the picks with one pass over all rows each.
 *
 * @returns Passes over all rows.
 * @throws {RangeError} If the rows are more than one binding holds.
 */
export async function pickPlainly(
  state: CoresetState,
  { onProgress, start }: CoresetOptions,
): Promise<number> {
  const { gpu, rows, packed, limit } = state;
  if (packed.pieces.length > 1) {
    throw new RangeError(
      `Cannot pick plainly from ${rows.rows} rows of ${rows.dim} elements: they are more than the adapter binds at once; use the method "lazy"`,
    );
  }
  if (start.kind === "kept") {
    using refresh = await Refresh.create(state);
    await refresh.gatherCentres(start.rows);
    await refresh.run(0, start.rows);
  }
  const lanes = gpu.pick(WORKGROUP_LANES);
  const workgroups = coresetStepWorkgroups(rows.rows, lanes);
  using maxima = gpu.tensor([2, workgroups, 4], "u32", "maxima");
  const identity = Uint32Array.from({ length: rows.rows }, (_, i) => i);
  using indices = gpu.upload(identity, [rows.rows], "row indices");
  using first = gpu.program("coreset maxima");
  using steps = gpu.program("coreset steps");
  const sizes = { rows: rows.rows, dim: rows.dim, limit, store: false, lanes };
  const tensors = {
    packed: packed.pieces[0].packed,
    rows: indices,
    anchors: state.anchors,
    maxima,
    state: state.words,
    picks: state.picks,
    centres: state.centres,
  };
  first.dispatch(coresetStep, { ...sizes, parity: 1, pick: false }, tensors);
  for (let i = 0; i < STEPS_PER_SUBMIT; i++) {
    steps.dispatch(
      coresetStep,
      { ...sizes, parity: i % 2, pick: true },
      tensors,
    );
  }
  const initial = (await readProgress(state)).count;
  (await first.compile()).run();
  await steps.compile();
  for (;;) {
    steps.run();
    const { count, done } = await readProgress(state);
    onProgress?.(count, limit);
    if (!done) continue;
    if (state.followed) {
      using centres = await Refresh.create(state);
      await centres.gatherCentres(count);
      await centres.run(0, count);
    }
    return count - initial + 1;
  }
}
