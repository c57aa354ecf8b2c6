import { type Gpu, RowChunks } from "../../gpu/mod.ts";
import { roundUp } from "../../wgsl/grid.ts";
import { gatherRows } from "../rows/row_sets.ts";

/** Bytes that are read back at a time. */
const PIECE_BYTES = 2 ** 20;

/** Patches of one training image: a grid, row by row. */
export interface PatchGrid {
  /** Rows of patches. */
  readonly height: number;
  /** Columns of patches. */
  readonly width: number;
  /** Places of the grid that have a patch, ascending; all by default. */
  readonly places?: Uint32Array<ArrayBuffer> | undefined;
}

/** Patches of one image: as many rows it takes. */
export function patchesOf({ height, width, places }: PatchGrid): number {
  return places?.length ?? height * width;
}

/**
 * The memory bank: patch features of nominal images on the GPU, and where each
 * comes from.
 */
export class MemoryBank implements Disposable {
  /** The features `[K, D padded to a multiple of 4]`. */
  readonly rows: RowChunks;
  /** Features a row has, without padding. */
  readonly dim: number;
  /** Training image, patch row and patch column of each bank row: `[K, 3]`. */
  readonly origin: Int32Array<ArrayBuffer>;

  /** Takes ownership of the rows. */
  constructor(rows: RowChunks, dim: number, origin: Int32Array<ArrayBuffer>) {
    this.rows = rows;
    this.dim = dim;
    this.origin = origin;
  }

  /**
   * Copies the picked patches on the GPU.
   *
   * @param features All patch features, images in order.
   * @param dim Features a row has, without padding.
   * @param picks Rows of `features`, in the order the bank gets them.
   * @param grid Patches of an image; tells each row's origin.
   */
  static async gather(
    gpu: Gpu,
    features: RowChunks,
    dim: number,
    picks: Uint32Array,
    grid: PatchGrid,
  ): Promise<MemoryBank> {
    const rows = await gatherRows(gpu, features, picks, "memory bank");
    return new MemoryBank(rows, dim, originsOf(picks, grid));
  }

  /**
   * Uploads a stored bank.
   *
   * @param data `[K, dim]`, row-major, without padding.
   * @param dim Features a row has.
   * @param origin `[K, 3]`.
   */
  static upload(
    gpu: Gpu,
    data: Float32Array,
    dim: number,
    origin: Int32Array<ArrayBuffer>,
  ): MemoryBank {
    const stride = roundUp(dim, 4);
    const count = data.length / dim;
    const rows = RowChunks.allocate(gpu, count, stride, "memory bank");
    writeRows(gpu, rows, 0, data, dim);
    return new MemoryBank(rows, dim, origin);
  }

  /** Reads the features back: `[K, dim]`, row-major, without padding. */
  async download(gpu: Gpu): Promise<Float32Array<ArrayBuffer>> {
    return await readRows(gpu, this.rows, this.dim);
  }

  /** Training image of each bank row `[K]`. */
  get images(): Int32Array<ArrayBuffer> {
    return Int32Array.from(
      { length: this.rows.rows },
      (_, row) => this.origin[3 * row],
    );
  }

  /** Frees the rows. */
  [Symbol.dispose](): void {
    this.rows.dispose();
  }
}

/** Where bank rows come from, images and their views told apart. */
export interface ViewedOrigins {
  /** Image, row and column of each `[K, 3]`. */
  readonly origin: Int32Array<ArrayBuffer>;
  /** Which view of the image each comes from `[K]`. */
  readonly view: Uint16Array<ArrayBuffer>;
}

/**
 * Tells images and their views apart, where origins count views.
 *
 * @param origin View, row and column `[K, 3]`, views numbered image by image.
 * @param views Views of an image.
 */
export function splitOrigins(
  origin: Int32Array,
  views: number,
): ViewedOrigins {
  const view = new Uint16Array(origin.length / 3);
  const images = Int32Array.from(origin, (value, i) => {
    if (i % 3 !== 0) return value;
    view[i / 3] = value % views;
    return Math.floor(value / views);
  });
  return { origin: images, view };
}

/** What {@linkcode splitOrigins} took apart. */
export function joinOrigins(
  { origin, view }: {
    readonly origin: Int32Array;
    readonly view: ArrayLike<number> | undefined;
  },
  views: number,
): Int32Array<ArrayBuffer> {
  return Int32Array.from(
    origin,
    (value, i) => i % 3 === 0 ? value * views + (view?.[i / 3] ?? 0) : value,
  );
}

/** Image, row and column of each picked patch: `[K, 3]`. */
export function originsOf(
  picks: Uint32Array,
  grid: PatchGrid,
): Int32Array<ArrayBuffer> {
  const { width, places } = grid;
  const patches = patchesOf(grid);
  const origin = new Int32Array(picks.length * 3);
  picks.forEach((pick, i) => {
    const image = Math.floor(pick / patches);
    const slot = pick - image * patches;
    const place = places?.[slot] ?? slot;
    const row = Math.floor(place / width);
    origin.set([image, row, place - row * width], i * 3);
  });
  return origin;
}

/**
 * Reads rows back, a piece at a time.
 *
 * @param rows `[rows, dim padded]`.
 * @param dim Elements of a row, without padding.
 * @returns `[rows, dim]`, row-major, without padding.
 */
export async function readRows(
  gpu: Gpu,
  rows: RowChunks,
  dim: number,
): Promise<Float32Array<ArrayBuffer>> {
  const data = new Float32Array(rows.rows * dim);
  const most = Math.max(1, Math.floor(PIECE_BYTES / (rows.dim * 4)));
  let end = 0;
  for (const chunk of rows.chunks) {
    const height = chunk.shape[0];
    for (let first = 0; first < height; first += most) {
      const count = Math.min(most, height - first);
      using piece = gpu.tensor([count, rows.dim], "f32", "rows");
      gpu.copy(chunk, piece, {
        fromOffset: first * rows.dim,
        count: piece.size,
      });
      const part = await gpu.readFloats(piece);
      data.set(changeStride(part, rows.dim, dim), end);
      end += count * dim;
    }
  }
  return data;
}

/**
 * Uploads rows into a row set.
 *
 * @param rows Where they go.
 * @param first The first row to write.
 * @param data Row-major, without padding.
 * @param dim Elements of a row of `data`.
 */
export function writeRows(
  gpu: Gpu,
  rows: RowChunks,
  first: number,
  data: Float32Array,
  dim: number,
): void {
  const count = data.length / dim;
  for (let done = 0; done < count;) {
    const { chunk, row } = rows.locate(first + done);
    const tensor = rows.chunks[chunk];
    const height = Math.min(tensor.shape[0] - row, count - done);
    const part = data.subarray(done * dim, (done + height) * dim);
    gpu.write(tensor, changeStride(part, dim, rows.dim), row * rows.dim);
    done += height;
  }
}

function changeStride(
  data: Float32Array,
  from: number,
  to: number,
): Float32Array {
  if (from === to) return data;
  const count = data.length / from;
  const result = new Float32Array(count * to);
  const width = Math.min(from, to);
  for (let row = 0; row < count; row++) {
    result.set(data.subarray(row * from, row * from + width), row * to);
  }
  return result;
}
