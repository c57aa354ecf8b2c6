import { LIMITS } from "../settings/limits.ts";
import type { TileSettings } from "../settings/settings.ts";
import {
  type AxisExtent,
  planExtents,
  planOf,
  type ResizePlan,
  type ResizeSettings,
} from "./resize_plan.ts";

/** The tiles along one axis of an image. */
export interface TileAxis {
  /** Pixels of the image that is cut. */
  readonly length: number;
  /** Pixels of a tile. */
  readonly side: number;
  /** First pixel of each tile, ascending. */
  readonly offsets: readonly number[];
}

/** The tiles of an image: one for each pair of a row and a column. */
export interface TileGrid {
  /** From top to bottom. */
  readonly rows: TileAxis;
  /** From left to right. */
  readonly columns: TileAxis;
}

/**
 * Where an image is cut into tiles: as few as overlap by what the settings say,
 * evenly, so that the first and the last end with the image.
 *
 * @param width Columns of the original image.
 * @param height Its rows.
 * @throws {RangeError} If they are beyond all measure.
 */
export function planTiles(
  width: number,
  height: number,
  tiles: TileSettings,
): TileGrid {
  const { columns, rows } = measure(width, height, tiles);
  return { rows: withOffsets(rows), columns: withOffsets(columns) };
}

/** Pixels of an axis, of its tiles, and how many these are. */
interface TileMeasure extends Omit<TileAxis, "offsets"> {
  readonly count: number;
}

function measure(
  width: number,
  height: number,
  tiles: TileSettings,
): { readonly rows: TileMeasure; readonly columns: TileMeasure } {
  const whole = planExtents(width, height, {
    ...{ tiles, resize: tiles.side, crop: null },
  });
  const [rows, columns] = [whole.rows, whole.columns].map(({ length }) => {
    const side = Math.min(length, tiles.side);
    const step = tiles.side - tiles.overlap;
    const count = length <= side ? 1 : 1 + Math.ceil((length - side) / step);
    return { length, side, count };
  }) as [TileMeasure, TileMeasure];
  if (rows.count * columns.count > LIMITS.tiles) {
    throw new RangeError(
      `Cannot cut an image of ${width} × ${height} pixels into ${columns.count} × ${rows.count} tiles of ${tiles.side}: at most ${LIMITS.tiles} are possible; use larger tiles or a smaller scale`,
    );
  }
  return { rows, columns };
}

function withOffsets({ length, side, count }: TileMeasure): TileAxis {
  const offsets = Array.from(
    { length: count },
    (_, i) => offsetOf({ length, side, count }, i),
  );
  return { length, side, offsets };
}

function offsetOf({ length, side, count }: TileMeasure, tile: number): number {
  return count === 1 ? 0 : Math.round((length - side) * tile / (count - 1));
}

/**
 * Rows and columns of tiles that an image is seen in; `[1, 1]` without tiles.
 *
 * @throws {RangeError} If they are beyond all measure.
 */
export function tileCounts(
  { width, height }: { readonly width: number; readonly height: number },
  { tiles }: Pick<ResizeSettings, "tiles">,
): readonly [number, number] {
  if (tiles === undefined) return [1, 1];
  const { rows, columns } = measure(width, height, tiles);
  return [rows.count, columns.count];
}

/**
 * How an image becomes inputs of the network: one, or one for each tile, row by
 * row.
 *
 * @param width Columns of the original image.
 * @param height Its rows.
 * @throws {RangeError} If no such image can be resized as the settings say.
 */
export function planTilesOf(
  width: number,
  height: number,
  settings: ResizeSettings,
): ResizePlan<AxisExtent>[] {
  const [rows, columns] = tileCounts({ width, height }, settings);
  return Array.from(
    { length: rows * columns },
    (_, place) => planTileOf(width, height, settings, place),
  );
}

/** One of {@linkcode planTilesOf}. */
export function planTileOf(
  width: number,
  height: number,
  settings: ResizeSettings,
  place: number,
): ResizePlan<AxisExtent> {
  const whole = planExtents(width, height, settings);
  if (settings.tiles === undefined) return whole;
  const { rows, columns } = measure(width, height, settings.tiles);
  const down = Math.floor(place / columns.count);
  const across = place - down * columns.count;
  return planOf(
    {
      ...whole.columns,
      offset: offsetOf(columns, across),
      length: columns.side,
    },
    { ...whole.rows, offset: offsetOf(rows, down), length: rows.side },
  );
}

/**
 * Size `[height, width]` of the network's input for an image.
 *
 * @throws {RangeError} If no such image can be resized as the settings say.
 */
export function inputSize(
  { width, height }: { readonly width: number; readonly height: number },
  settings: ResizeSettings,
): [number, number] {
  if (settings.tiles !== undefined) {
    const { rows, columns } = measure(width, height, settings.tiles);
    return [rows.side, columns.side];
  }
  const { rows, columns } = planExtents(width, height, settings);
  return [rows.length, columns.length];
}
