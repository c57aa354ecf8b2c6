/** A corner of an outline: `[x, y]` in pixels from the left and from the top. */
export type Corner = readonly [x: number, y: number];

/** Steps to the right, down, to the left and up. */
const STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const;

/** For each heading the pixels ahead of a corner, on its left and its right. */
const AHEAD = [
  [[0, -1], [0, 0]],
  [[0, 0], [-1, 0]],
  [[-1, 0], [-1, -1]],
  [[-1, -1], [0, -1]],
] as const;

/**
 * The outer line of an 8-connected component along the edges of its pixels,
 * clockwise from its first pixel's upper left corner; holes have no line.
 *
 * @param labels `[H, W]`, numbers of components.
 * @param component Width of `labels` and the component's number.
 * @param first Its first pixel, row by row.
 * @returns The corners where the line turns.
 */
export function outlineOf(
  labels: Uint32Array,
  { width, label }: { readonly width: number; readonly label: number },
  first: number,
): Corner[] {
  const isInside = (x: number, y: number): boolean =>
    x >= 0 && x < width && labels[y * width + x] === label;
  const start = [first % width, Math.floor(first / width)] as const;
  const corners: Corner[] = [start];
  let [x, y] = [start[0], start[1]];
  let heading = 0;
  for (;;) {
    const [dx, dy] = STEPS[heading]!;
    x += dx;
    y += dy;
    const [left, right] = AHEAD[heading]!;
    // A pixel ahead on the left is a neighbour across the corner.
    const turn = isInside(x + left[0], y + left[1])
      ? 3
      : isInside(x + right[0], y + right[1])
      ? 0
      : 1;
    heading = (heading + turn) % 4;
    if (x === start[0] && y === start[1] && heading === 0) return corners;
    if (turn !== 0) corners.push([x, y]);
  }
}

/**
 * A closed line with fewer corners: those that are left out are at most
 * `tolerance` pixels from it (Ramer, Douglas and Peucker). All stay where fewer
 * than three would be left.
 */
export function simplified(
  corners: readonly Corner[],
  tolerance: number,
): Corner[] {
  if (corners.length < 4) return [...corners];
  const [start] = corners as [Corner];
  const far = farthest(
    corners,
    0,
    corners.length,
    (corner) => Math.hypot(corner[0] - start[0], corner[1] - start[1]),
  );
  const closed = [...corners, start];
  const kept = new Set([0, far.at]);
  const open = [[0, far.at], [far.at, corners.length]] as [number, number][];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const [from, to] = part;
    const found = farthest(
      closed,
      from + 1,
      to,
      (corner) => distanceTo(corner, closed[from]!, closed[to]!),
    );
    if (!(found.distance > tolerance)) continue;
    kept.add(found.at);
    open.push([from, found.at], [found.at, to]);
  }
  return corners.filter((_, i) => kept.size < 3 || kept.has(i));
}

function farthest(
  corners: readonly Corner[],
  from: number,
  to: number,
  distanceOf: (corner: Corner) => number,
): { at: number; distance: number } {
  let [at, distance] = [from, -1];
  for (let i = from; i < to; i++) {
    const own = distanceOf(corners[i]!);
    if (own > distance) [at, distance] = [i, own];
  }
  return { at, distance };
}

/** Distance of a point to the line between two others. */
function distanceTo(
  [x, y]: Corner,
  [ax, ay]: Corner,
  [bx, by]: Corner,
): number {
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy;
  const along = squared === 0
    ? 0
    : Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / squared, 0), 1);
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}
