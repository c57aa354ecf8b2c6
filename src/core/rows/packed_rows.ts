import {
  type Gpu,
  imageOf,
  type Program,
  type RowChunks,
  storageOf,
  type Tensor,
} from "../../gpu/mod.ts";
import type { Access } from "../../wgsl/kernel.ts";
import {
  packRows,
  type PackRowsSizes,
  PANEL_ROWS,
} from "../../wgsl/pack_rows.ts";
import { packedNorms } from "../../wgsl/packed_norms.ts";

/** Consecutive rows packed into one tensor. */
export interface PackedPiece {
  /** Panels `[panels, dim, 64]`, see the kernel `pack_rows`. */
  readonly packed: Tensor;
  /** Index of its first row in the whole row set. */
  readonly base: number;
  /** Number of rows. */
  readonly rows: number;
  /** The chunk of the row set that the rows lie in. */
  readonly chunk: number;
  /** First row within that chunk. */
  readonly first: number;
}

/** How a row set divides into pieces, and the bytes of each when packed. */
export function planPieces(
  rows: Pick<RowChunks, "rows" | "rowsPerChunk" | "dim">,
  maxTensorBytes: number,
): Omit<PackedPiece, "packed">[] {
  const panelBytes = PANEL_ROWS * rows.dim * 4;
  const most = Math.floor(maxTensorBytes / panelBytes) * PANEL_ROWS;
  if (most === 0) {
    throw new RangeError(
      `Cannot pack rows of ${rows.dim} elements: ${PANEL_ROWS} of them are more than the adapter binds at once (${maxTensorBytes} bytes)`,
    );
  }
  const pieces = [];
  for (let chunk = 0; chunk * rows.rowsPerChunk < rows.rows; chunk++) {
    const start = chunk * rows.rowsPerChunk;
    const count = Math.min(rows.rowsPerChunk, rows.rows - start);
    for (let first = 0; first < count; first += most) {
      pieces.push({
        base: start + first,
        rows: Math.min(most, count - first),
        chunk,
        first,
      });
    }
  }
  return pieces;
}

/** Bytes of `rows` rows of `dim` elements when packed without chunk borders. */
export function packedBytes(rows: number, dim: number): number {
  return Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS * dim * 4;
}

/** What decides how a GPU reads panels, and how large a piece of them is. */
export type PanelReader = Pick<Gpu, "pick" | "maxTensorBytes">;

/**
 * GPU bytes of panels to read with norms and images of their rows, at the moment
 * that the last piece becomes an image; see {@linkcode panelsToRead}.
 *
 * @param access How the kernel's binding reads them.
 */
export function panelsBytes(
  { maxTensorBytes }: PanelReader,
  rows: number,
  dim: number,
  access: Access,
): number {
  const packed = packedBytes(rows, dim);
  const piece = storageOf(access) === "image"
    ? Math.min(packed, maxTensorBytes)
    : 0;
  return packed + piece + rows * 8;
}

/** Rows in panels, and their squared norms. */
export interface Panels {
  /** Panels `[panels, dim, 64]`, see the kernel `pack_rows`. */
  readonly packed: Tensor;
  /** Squared norms `[panels, 64]`. */
  readonly norms: Tensor;
}

/**
 * Records the packing of rows of one tensor and the norms of what is packed.
 *
 * @param shift A vector that is subtracted from every row.
 */
export function recordPanels(
  gpu: Gpu,
  program: Program,
  source: Tensor,
  { rows, dim, first = 0 }: Pick<PackRowsSizes, "rows" | "dim" | "first">,
  shift?: Tensor,
): Panels {
  const panels = Math.ceil(rows / PANEL_ROWS);
  using owned = new DisposableStack();
  const packed = owned.use(
    gpu.tensor([panels, dim, PANEL_ROWS], "f32", "packed rows"),
  );
  const norms = gpu.tensor([panels * PANEL_ROWS], "f32", "row norms");
  owned.move();
  program.dispatch(
    packRows,
    { rows, dim, first, shift: shift !== undefined },
    { rows: source, shift: shift ?? source, packed },
  );
  program.dispatch(packedNorms, { rows, dim }, { packed, norms });
  return { packed, norms };
}

/**
 * Panels as a kernel's binding reads them: themselves, or an image.
 *
 * @param panels Kernels have written them; an image replaces them.
 */
export function panelsToRead(
  gpu: Gpu,
  panels: Tensor,
  access: Access,
): Tensor {
  if (storageOf(access) === "buffer") return panels;
  using buffer = panels;
  return imageOf(gpu, buffer);
}

/**
 * A row set in panels of 64 rows with the dimension outermost, in which lanes
 * that own neighbouring rows read neighbouring words.
 */
export class PackedRows implements Disposable {
  /** Number of rows. */
  readonly rows: number;
  /** Elements of a row. */
  readonly dim: number;
  /** The pieces in order. */
  readonly pieces: readonly PackedPiece[];

  private constructor(
    rows: number,
    dim: number,
    pieces: readonly PackedPiece[],
  ) {
    this.rows = rows;
    this.dim = dim;
    this.pieces = pieces;
  }

  /**
   * Packs a row set.
   *
   * @param rows The rows; they may be disposed afterwards.
   */
  static async pack(gpu: Gpu, rows: RowChunks): Promise<PackedRows> {
    const { dim } = rows;
    using program = gpu.program("pack rows");
    const pieces = planPieces(rows, gpu.maxTensorBytes).map((piece) => {
      const panels = Math.ceil(piece.rows / PANEL_ROWS);
      const packed = gpu.tensor(
        [panels, dim, PANEL_ROWS],
        "f32",
        "packed rows",
      );
      const chunk = rows.chunks[piece.chunk];
      program.dispatch(
        packRows,
        { rows: piece.rows, dim, first: piece.first },
        { rows: chunk, shift: chunk, packed },
      );
      return { ...piece, packed };
    });
    (await program.compile()).run();
    return new PackedRows(rows.rows, dim, pieces);
  }

  /** Disposes the packed copies. */
  [Symbol.dispose](): void {
    for (const { packed } of this.pieces) packed.dispose();
  }
}

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
