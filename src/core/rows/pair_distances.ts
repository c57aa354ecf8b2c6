import { type Gpu, readbackBytes, type RowChunks } from "../../gpu/mod.ts";
import { pairDistance } from "../../wgsl/pair_distance.ts";

/**
 * Squared distance of each row to one given bank row: at least that of its
 * nearest bank row.
 *
 * @param rows The rows `[N, dim]`.
 * @param bank The bank `[K, dim]`.
 * @param pairs A bank row for each row; 4,294,967,295 for none.
 * @returns `[N]`; 3e38 where there is no bank row.
 */
export async function pairDistances(
  gpu: Gpu,
  rows: RowChunks,
  bank: RowChunks,
  pairs: Uint32Array<ArrayBuffer>,
): Promise<Float32Array> {
  using list = gpu.upload(pairs, [pairs.length], "pairs");
  using distances = gpu.tensor([rows.rows], "f32", "pair distances");
  using program = gpu.program("pair distances");
  rows.chunks.forEach((x, i) => {
    bank.chunks.forEach((y, j) => {
      program.dispatch(pairDistance, {
        rows: x.shape[0],
        dim: rows.dim,
        first: i * rows.rowsPerChunk,
        otherFirst: j * bank.rowsPerChunk,
        otherRows: y.shape[0],
        fill: j === 0,
      }, { x, pairs: list, y, distances });
    });
  });
  (await program.compile()).run();
  return await gpu.readFloats(distances);
}

/** GPU bytes of {@linkcode pairDistances} of so many rows. */
export function pairBytes(rows: number): number {
  return rows * 8 + readbackBytes(rows * 4);
}
