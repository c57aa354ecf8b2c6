import type { FloatImage } from "../images/pixels.ts";
import type { TileAxis, TileGrid } from "../images/tiles.ts";

/**
 * The anomaly map of an image, made of those of its tiles one after the other.
 * Where tiles overlap, a pixel is the mean of theirs, weighed by how far it is
 * from their edges, so that no seam shows.
 */
export class BlendedMap {
  /** The map so far: `[height, width]` of the image that is cut. */
  readonly map: FloatImage;
  readonly #grid: TileGrid;
  readonly #rows: readonly Float32Array[];
  readonly #columns: readonly Float32Array[];

  /** Starts with zeros. */
  constructor(grid: TileGrid) {
    const [width, height] = [grid.columns.length, grid.rows.length];
    this.map = { width, height, data: new Float32Array(width * height) };
    this.#grid = grid;
    this.#rows = tileWeights(grid.rows);
    this.#columns = tileWeights(grid.columns);
  }

  /**
   * Adds the map of a tile.
   *
   * @param place Which tile it is, row by row.
   * @param tile `[rows, columns]` of a tile, row by row.
   */
  add(place: number, tile: Float32Array): void {
    const { rows, columns } = this.#grid;
    const down = Math.floor(place / columns.offsets.length);
    const across = place - down * columns.offsets.length;
    const { width, data } = this.map;
    const weights = this.#columns[across]!;
    const left = columns.offsets[across]!;
    for (let y = 0; y < rows.side; y++) {
      const weight = this.#rows[down]![y]!;
      const to = (rows.offsets[down]! + y) * width + left;
      const from = y * columns.side;
      for (let x = 0; x < columns.side; x++) {
        data[to + x]! += weight * weights[x]! * tile[from + x]!;
      }
    }
  }
}

/**
 * What each pixel of each tile along an axis weighs: 1 where it is alone; where
 * tiles overlap it falls to 0 towards the edge of each, and the sum is 1.
 */
export function tileWeights(
  { length, side, offsets }: TileAxis,
): Float32Array[] {
  const ramps = offsets.map((offset, i) => {
    const before = (offsets[i - 1] ?? -Infinity) + side - offset;
    const after = offset + side - (offsets[i + 1] ?? Infinity);
    return Float64Array.from({ length: side }, (_, x) =>
      Math.min(
        1,
        before > 0 ? (x + 0.5) / before : 1,
        after > 0 ? (side - x - 0.5) / after : 1,
      ));
  });
  const sums = new Float64Array(length);
  ramps.forEach((ramp, i) =>
    ramp.forEach((weight, x) => sums[offsets[i]! + x]! += weight)
  );
  return ramps.map((ramp, i) =>
    Float32Array.from(ramp, (weight, x) => weight / sums[offsets[i]! + x]!)
  );
}
