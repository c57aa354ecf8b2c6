import type { Gpu, RowChunks } from "../../gpu/mod.ts";
import { pruningBytes, pruningPays } from "./prune.ts";
import { candidateCapacity } from "./candidates.ts";
import type { Coreset, CoresetOptions } from "./options.ts";
import { CoresetState } from "./state.ts";
import { pickLazily } from "./lazy_greedy.ts";
import { packedBytes } from "../rows/packed_rows.ts";
import { pickPlainly } from "./plain_greedy.ts";

/**
 * Picks rows greedily so that the farthest row is as near as possible to a pick
 * (minimax facility location; paper, Eq. 5 and Algorithm 1): each pick is the
 * row farthest from all picks so far, ties to the lowest index.
 *
 * @param rows The rows, usually projected features.
 * @throws {RangeError} If there are fewer rows than picks or points outside.
 */
export async function greedyCoreset(
  gpu: Gpu,
  rows: RowChunks,
  options: CoresetOptions,
): Promise<Coreset> {
  check(rows, options);
  using state = await CoresetState.start(gpu, rows, options);
  const passes = options.method === "plain"
    ? await pickPlainly(state, options)
    : await pickLazily(state, options);
  return { ...await state.result(), passes };
}

/**
 * GPU bytes that {@linkcode greedyCoreset} needs besides the rows themselves.
 *
 * @param options Whether `folds` are given, and whether it is `lean`.
 */
export function coresetBytes(
  rows: number,
  dim: number,
  picks: number,
  { folds = false, lean = false }: {
    readonly folds?: boolean;
    readonly lean?: boolean;
  } = {},
): number {
  const refined = candidateCapacity(rows);
  return packedBytes(rows, dim) + packedBytes(refined, dim) + refined * 8 +
    (!lean && pruningPays(rows, dim, picks) ? pruningBytes(rows) : 0) +
    rows * (folds ? 20 : 4) + picks * (dim + 2) * 4 + 2 ** 20;
}

function check(
  rows: RowChunks,
  { picks, start, folds }: CoresetOptions,
): void {
  if (!Number.isInteger(picks) || picks < 1 || picks > rows.rows) {
    throw new RangeError(
      `Cannot pick a coreset of ${picks} from ${rows.rows} rows: picks must be an integer from 1 to ${rows.rows}`,
    );
  }
  if (start.kind === "kept" && !(start.rows >= 1 && start.rows < picks)) {
    throw new RangeError(
      `Cannot pick a coreset of ${picks} with ${start.rows} rows kept: expected from 1 to ${
        picks - 1
      }`,
    );
  }
  if (start.kind === "covered" && start.distances.length !== rows.rows) {
    throw new RangeError(
      `Cannot start a coreset: ${rows.rows} rows have ${start.distances.length} distances`,
    );
  }
  const points = start.kind === "mean"
    ? toArray(start.points)
    : [start.kind === "included" ? start.point : 0];
  const outside = points.find((point) => !(point >= 0 && point < rows.rows));
  if (outside !== undefined || points.length === 0) {
    throw new RangeError(
      `Cannot start a coreset at row ${outside}: there are ${rows.rows} rows`,
    );
  }
  if (folds !== undefined && folds.length !== rows.rows) {
    throw new RangeError(
      `Cannot tell the folds of ${rows.rows} rows: folds has ${folds.length}`,
    );
  }
}

function toArray(values: ArrayLike<number>): number[] {
  return Array.from(values);
}
