import type { PatchGrid } from "./memory_bank.ts";

/** Rows and columns of tiles, `[1, 1]` where an image is seen as a whole. */
export type TileCounts = readonly [number, number];

/**
 * Where bank rows come from, by image: the patch grids of an image's tiles lie
 * side by side, as the tiles do, so that rows and columns tell the tile as well.
 *
 * @param origin Tile, patch row and patch column of each row: `[K, 3]`; the tiles
 * of an image follow each other.
 * @param tiles Tiles of an image.
 * @param seen Patches of a tile, and the place of the one tile that each image
 * has, where it has but one.
 * @returns Image, row and column of each row: `[K, 3]`.
 */
export function originsByImage(
  origin: Int32Array<ArrayBuffer>,
  [rows, columns]: TileCounts,
  { grid: { height, width }, only }: {
    readonly grid: PatchGrid;
    readonly only?: number | undefined;
  },
): Int32Array<ArrayBuffer> {
  if (rows * columns === 1) return origin;
  const byImage = new Int32Array(origin.length);
  const count = only === undefined ? rows * columns : 1;
  for (let i = 0; i < origin.length; i += 3) {
    const [tile, row, column] = origin.subarray(i, i + 3);
    const image = Math.floor(tile! / count);
    const place = only ?? tile! - image * count;
    const down = Math.floor(place / columns);
    const across = place - down * columns;
    byImage.set([image, down * height + row!, across * width + column!], i);
  }
  return byImage;
}

/** What {@linkcode originsByImage} was made of. */
export function originsByTile(
  origin: Int32Array,
  [rows, columns]: TileCounts,
  grid: PatchGrid,
): Int32Array<ArrayBuffer> {
  const byTile = new Int32Array(origin);
  if (rows * columns === 1) return byTile;
  for (let i = 0; i < origin.length; i += 3) {
    const [image, row, column] = origin.subarray(i, i + 3);
    const { place, patch } = patchOf(row!, column!, columns, grid);
    const down = Math.floor(patch / grid.width);
    const across = patch - down * grid.width;
    byTile.set([image! * rows * columns + place, down, across], i);
  }
  return byTile;
}

/**
 * The tile and its patch that a row and a column of an image's grids are.
 *
 * @param columns Columns of tiles.
 * @param grid Patches of a tile.
 * @returns The tile, row by row, and the patch, row by row.
 */
export function patchOf(
  row: number,
  column: number,
  columns: number,
  { height, width }: PatchGrid,
): { readonly place: number; readonly patch: number } {
  const [down, across] = [Math.floor(row / height), Math.floor(column / width)];
  return {
    place: down * columns + across,
    patch: (row - down * height) * width + column - across * width,
  };
}

/**
 * The tile that each bank row comes from, row by row.
 *
 * @param origin Image, row and column of each row: `[K, 3]`.
 * @param columns Columns of tiles.
 * @param grid Patches of a tile.
 */
export function placesOf(
  origin: Int32Array,
  columns: number,
  grid: PatchGrid,
): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(
    { length: origin.length / 3 },
    (_, i) =>
      patchOf(origin[3 * i + 1]!, origin[3 * i + 2]!, columns, grid).place,
  );
}
