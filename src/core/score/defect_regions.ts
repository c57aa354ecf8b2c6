import { labelComponents } from "../images/components.ts";
import { mapToOriginal, type MapWindow } from "../images/map_geometry.ts";
import type { FloatImage } from "../images/pixels.ts";
import { type Corner, outlineOf, simplified } from "../images/outline.ts";
import type { CropGeometry } from "../images/resize_plan.ts";

/** A connected region of an image where its map is above the threshold. */
export interface DefectRegion {
  /** First column. */
  readonly x: number;
  /** First row. */
  readonly y: number;
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Pixels of the image that belong to it. */
  readonly area: number;
  /** The largest value of the map in it. */
  readonly peak: number;
  /** Column of the pixel that has it, the first of equals. */
  readonly peakX: number;
  /** Row of that pixel. */
  readonly peakY: number;
  /**
   * Its outer line, corners `[x, y]` clockwise in pixels from the left and from
   * the top: along the edges of its pixels, to half a pixel of the map.
   */
  readonly contour: readonly Corner[];
}

/** A map whose regions are wanted. */
export interface JudgedAnomalyMap extends FloatImage {
  /** Value from which on a pixel is anomalous; `null`: there are no regions. */
  readonly threshold: number | null;
  /** Where the map lies in the original image. */
  readonly geometry: CropGeometry;
}

/**
 * The regions of an image that its anomaly map calls anomalous: pixels of the
 * original image at the map's threshold or above that touch at an edge or a
 * corner, those with the highest peaks first.
 *
 * @example Usage
 * ```ts ignore
 * for await (const { name, map } of detector.predict(images)) {
 *   for (const { x, y, width, height, area } of defectRegions(map)) {
 *     console.log(`${name}: ${width} × ${height} at ${x}, ${y}: ${area} pixels`);
 *   }
 * }
 * ```
 */
export function defectRegions(map: JudgedAnomalyMap): DefectRegion[] {
  const found = regionsAbove(map);
  if (found === undefined) return [];
  const { labels, regions, window } = found;
  const { geometry } = map;
  const across = (geometry.right - geometry.left) / map.width;
  const down = (geometry.bottom - geometry.top) / map.height;
  const tolerance = Math.max(across, down) / 2;
  const width = window.right - window.left;
  return regions.map((region, i): DefectRegion => {
    const outline = outlineOf(labels, { width, label: i + 1 }, region.first);
    return {
      x: window.left + region.left,
      y: window.top + region.top,
      width: region.right - region.left + 1,
      height: region.bottom - region.top + 1,
      area: region.area,
      peak: region.peak,
      peakX: window.left + region.peakAt % width,
      peakY: window.top + Math.floor(region.peakAt / width),
      contour: simplified(outline, tolerance)
        .map(([x, y]) => [window.left + x, window.top + y]),
    };
  }).sort((a, b) => b.peak - a.peak || a.y - b.y || a.x - b.x);
}

/** Pixels of the largest of {@linkcode defectRegions}; 0 where there is none. */
export function largestArea(map: JudgedAnomalyMap): number {
  const regions = regionsAbove(map)?.regions ?? [];
  return regions.reduce((most, { area }) => Math.max(most, area), 0);
}

/** A region within a window; places are row · width + column of it. */
interface WindowRegion {
  readonly first: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
  area: number;
  peak: number;
  peakAt: number;
}

function regionsAbove(map: JudgedAnomalyMap): {
  readonly labels: Uint32Array;
  readonly regions: readonly WindowRegion[];
  readonly window: MapWindow;
} | undefined {
  const { threshold, geometry } = map;
  const window = threshold === null ? undefined : windowAbove(map, threshold);
  if (window === undefined || threshold === null) return undefined;
  const { width, height, data } = mapToOriginal(map, geometry, window);
  const mask = new Uint8Array(data.length);
  data.forEach((value, i) => mask[i] = value >= threshold ? 1 : 0);
  const { labels, sizes } = labelComponents(mask, { width, height });
  const regions: WindowRegion[] = [];
  labels.forEach((label, i) => {
    if (label === 0) return;
    const x = i % width;
    const y = Math.floor(i / width);
    const region = regions[label - 1] ??= {
      ...{ first: i, left: x, top: y, right: x, bottom: y },
      ...{ area: sizes[label - 1]!, peak: -Infinity, peakAt: i },
    };
    region.left = Math.min(region.left, x);
    region.right = Math.max(region.right, x);
    region.bottom = y;
    if (data[i]! > region.peak) {
      region.peak = data[i]!;
      region.peakAt = i;
    }
  });
  return { labels, regions, window };
}

/**
 * The part of the original image where pixels can be at the threshold: what is
 * blended from a pixel of the map that is.
 */
function windowAbove(
  { width, height, data, geometry }: JudgedAnomalyMap,
  threshold: number,
): MapWindow | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!(data[y * width + x]! >= threshold)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return undefined;
  const across = (geometry.right - geometry.left) / width;
  const down = (geometry.bottom - geometry.top) / height;
  const { floor, ceil, max, min } = Math;
  return {
    left: max(0, floor(geometry.left + (left - 1) * across)),
    right: min(geometry.width, ceil(geometry.left + (right + 2) * across)),
    top: max(0, floor(geometry.top + (top - 1) * down)),
    bottom: min(geometry.height, ceil(geometry.top + (bottom + 2) * down)),
  };
}
