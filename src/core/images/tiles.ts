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
 */
export function planTiles(
  width: number,
  height: number,
  tiles: TileSettings,
): TileGrid {
  const { columns, rows } = planExtents(width, height, {
    ...{ tiles, resize: tiles.side, crop: null },
  });
  return {
    rows: tileAxis(rows.length, tiles),
    columns: tileAxis(columns.length, tiles),
  };
}

function tileAxis(
  length: number,
  { side, overlap }: TileSettings,
): TileAxis {
  if (length <= side) return { length, side: length, offsets: [0] };
  const steps = Math.ceil((length - side) / (side - overlap));
  const offsets = Array.from(
    { length: steps + 1 },
    (_, i) => Math.round((length - side) * i / steps),
  );
  return { length, side, offsets };
}

/** Rows and columns of tiles that an image is seen in; `[1, 1]` without tiles. */
export function tileCounts(
  { width, height }: { readonly width: number; readonly height: number },
  { tiles }: Pick<ResizeSettings, "tiles">,
): readonly [number, number] {
  if (tiles === undefined) return [1, 1];
  const { rows, columns } = planTiles(width, height, tiles);
  return [rows.offsets.length, columns.offsets.length];
}

/**
 * How an image becomes inputs of the network: one, or one for each tile, row by
 * row.
 *
 * @param width Columns of the original image.
 * @param height Its rows.
 * @throws {RangeError} If no such image can be resized as the settings say.
 */
export function planViews(
  width: number,
  height: number,
  settings: ResizeSettings,
): ResizePlan<AxisExtent>[] {
  const whole = planExtents(width, height, settings);
  if (settings.tiles === undefined) return [whole];
  const { rows, columns } = planTiles(width, height, settings.tiles);
  return rows.offsets.flatMap((top) =>
    columns.offsets.map((left) =>
      planOf(
        { ...whole.columns, offset: left, length: columns.side },
        { ...whole.rows, offset: top, length: rows.side },
      )
    )
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
    const { rows, columns } = planTiles(width, height, settings.tiles);
    return [rows.side, columns.side];
  }
  const { rows, columns } = planExtents(width, height, settings);
  return [rows.length, columns.length];
}
