import {
  type Gpu,
  type Program,
  RowChunks,
  type Tensor,
} from "../../gpu/mod.ts";
import { copyRows } from "../../wgsl/copy_rows.ts";

/** Sizes of {@linkcode RegionRows}. */
interface RegionRowsOptions {
  /** Patches of the grid that take part. */
  readonly places: Uint32Array;
  /** Patches of the grid. */
  readonly patches: number;
  /** Elements of a row. */
  readonly dim: number;
  /** The most images of a batch. */
  readonly maxImages: number;
}

/** Copies the patches that take part out of all patches of a batch. */
export class RegionRows implements Disposable {
  /** Where all patches of a batch go, images in order. */
  readonly all: RowChunks;
  readonly #patches: number;
  readonly #list: Tensor;

  /** Allocates space for all patches of a batch. */
  constructor(
    gpu: Gpu,
    { places, patches, dim, maxImages }: RegionRowsOptions,
  ) {
    const label = "all patches of a batch";
    this.#patches = places.length;
    using failed = new DisposableStack();
    this.all = failed.use(
      RowChunks.allocate(gpu, maxImages * patches, dim, label, patches),
    );
    const list = Uint32Array.from(
      { length: maxImages * places.length },
      (_, i) => {
        const image = Math.floor(i / places.length);
        return image * patches + places[i - image * places.length]!;
      },
    );
    this.#list = gpu.upload(list, [list.length], "patches that take part");
    failed.move();
  }

  /**
   * Records the copies.
   *
   * @param rows Where the patches go, which may be several chunks.
   * @param firstRow The row of the first image's first one.
   * @param images Images that count, from the first.
   */
  record(
    program: Program,
    rows: RowChunks,
    firstRow: number,
    images: number,
  ): void {
    const end = firstRow + images * this.#patches;
    for (let row = firstRow; row < end;) {
      const to = rows.locate(row);
      const y = rows.chunks[to.chunk]!;
      const count = Math.min(y.shape[0]! - to.row, end - row);
      this.all.chunks.forEach((x, i) => {
        program.dispatch(
          copyRows,
          {
            rows: count,
            dim: rows.dim,
            first: i * this.all.rowsPerChunk,
            count: x.shape[0]!,
            from: row - firstRow,
            to: to.row,
          },
          { x, indices: this.#list, y },
          "patch features",
        );
      });
      row += count;
    }
  }

  /** Frees the space. */
  [Symbol.dispose](): void {
    this.all.dispose();
    this.#list.dispose();
  }
}
