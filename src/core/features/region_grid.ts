import { Region } from "../images/region.ts";
import { type CropGeometry, planExtents } from "../images/resize_plan.ts";
import type { Settings } from "../settings/settings.ts";

/** What of a network's input is inspected. */
export interface RegionGrid {
  /** The region in pixels of original images. */
  readonly region: Region;
  /** Places in the patch grid, row · width + column, that take part. */
  readonly places: Uint32Array<ArrayBuffer>;
  /**
   * For every place of the grid which of `places` is its own or the nearest one
   * in steps: there the map goes on, as it does beyond an image's edge.
   */
  readonly slots: Uint32Array<ArrayBuffer>;
  /** Pixels of the input, row · width + column, that are inspected. */
  readonly pixels: Uint32Array<ArrayBuffer>;
}

/**
 * Brings a region to the geometry of a network's input. A patch takes part, and
 * a pixel of the map is inspected, when any part of what it stands for is in the
 * region: nothing in the region is left unseen.
 *
 * @param input Input of the network, `[height, width]` in pixels.
 * @param grid Patches, `[height, width]`.
 * @returns Nothing where everything is inspected.
 * @throws {RangeError} If images of the region's size become another input, or
 * the crop cuts all of the region off.
 */
export function regionGrid(
  settings: Settings,
  input: readonly [number, number],
  grid: readonly [number, number],
): RegionGrid | undefined {
  if (settings.region === undefined) return undefined;
  const region = new Region(settings.region);
  const { width, height } = settings.region;
  const { geometry, rows, columns } = planExtents(width, height, settings);
  if (rows.length !== input[0] || columns.length !== input[1]) {
    throw new RangeError(
      `Cannot inspect a region of images of ${width} × ${height} pixels: they become ${columns.length} × ${rows.length} and the images ${
        input[1]
      } × ${input[0]}; draw it over one of the images`,
    );
  }
  const bitmap = region.bitmap();
  const touched = (cells: readonly [number, number]) =>
    touchedCells(bitmap, geometry, cells);
  const places = touched(grid);
  if (places.length === 0) throw cutOff(geometry);
  const slots = nearestSlots(places, grid);
  return { region, places, slots, pixels: touched(input) };
}

/**
 * Checks that images show a region of settings, before there is any.
 *
 * @throws {RangeError} If the crop cuts all of it off.
 */
export function checkRegion(settings: Settings): void {
  if (settings.region === undefined) return;
  const { width, height } = settings.region;
  const { geometry } = planExtents(width, height, settings);
  const bitmap = new Region(settings.region).bitmap();
  if (touchedCells(bitmap, geometry, [1, 1]).length === 0) {
    throw cutOff(geometry);
  }
}

function cutOff({ left, top, right, bottom, ...size }: CropGeometry): Error {
  return new RangeError(
    `Cannot inspect the region: the crop cuts it off, as it shows columns ${
      Math.floor(left)
    } to ${Math.ceil(right)} and rows ${Math.floor(top)} to ${
      Math.ceil(bottom)
    } of ${size.width} × ${size.height}; use no crop (--no-crop), or draw it inside`,
  );
}

/** Cells of a grid over a box that hold a marked pixel, or a part of one. */
function touchedCells(
  bitmap: Uint8Array,
  box: CropGeometry,
  [height, width]: readonly [number, number],
): Uint32Array<ArrayBuffer> {
  const columns = spans(box.left, box.right, width, box.width);
  const rows = spans(box.top, box.bottom, height, box.height);
  const found: number[] = [];
  rows.forEach(([top, bottom], row) => {
    columns.forEach(([left, right], column) => {
      for (let y = top; y < bottom; y++) {
        const line = bitmap.subarray(
          y * box.width + left,
          y * box.width + right,
        );
        if (!line.includes(1)) continue;
        found.push(row * width + column);
        return;
      }
    });
  });
  return Uint32Array.from(found);
}

/** What is less than this of a pixel is rounding. */
const ROUNDING = 1e-6;

/** For each cell of an axis the first pixel that it touches, and its end. */
function spans(
  low: number,
  high: number,
  cells: number,
  length: number,
): [start: number, end: number][] {
  const step = (high - low) / cells;
  return Array.from({ length: cells }, (_, i) => [
    Math.max(0, Math.floor(low + i * step + ROUNDING)),
    Math.min(length, Math.ceil(low + (i + 1) * step - ROUNDING)),
  ]);
}

/** Breadth first in steps to eight neighbours, in the order of the slots. */
function nearestSlots(
  places: Uint32Array,
  [height, width]: readonly [number, number],
): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(height * width).fill(NONE);
  places.forEach((place, slot) => slots[place] = slot);
  const queue = [...places];
  for (let i = 0; i < queue.length; i++) {
    const place = queue[i]!;
    const row = Math.floor(place / width);
    const column = place - row * width;
    for (
      let y = Math.max(0, row - 1);
      y <= Math.min(height - 1, row + 1);
      y++
    ) {
      for (
        let x = Math.max(0, column - 1);
        x <= Math.min(width - 1, column + 1);
        x++
      ) {
        const next = y * width + x;
        if (slots[next] !== NONE) continue;
        slots[next] = slots[place]!;
        queue.push(next);
      }
    }
  }
  return slots;
}

const NONE = 0xffffffff;
