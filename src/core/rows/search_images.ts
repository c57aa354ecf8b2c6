import type { Gpu, Tensor } from "../../gpu/mod.ts";
import { PANEL_ROWS } from "../../wgsl/pack_rows.ts";
import type { PackedPiece } from "./packed_rows.ts";

/** The images of a piece's rows, padded as its rows are; nothing without images. */
export function uploadImages(
  gpu: Gpu,
  { base, rows }: Pick<PackedPiece, "base" | "rows">,
  images: ArrayLike<number> | undefined,
): Tensor | undefined {
  if (images === undefined) return undefined;
  const padded = Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS;
  const own = new Uint32Array(padded);
  for (let i = 0; i < rows; i++) own[i] = images[base + i];
  return gpu.upload(own, [padded], "bank images");
}
