/** Width and height of an anomaly map or a mask, in pixels. */
export interface MapSize {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** The connected components of a mask. */
interface Components {
  /** `[H, W]`: 0 outside the mask, else the component's number from 1. */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** Pixels of each component; index 0 is component 1. */
  readonly sizes: number[];
}

/**
 * Labels the 8-connected components of a mask (pixels that touch at an edge
 * or a corner belong together), numbered in the order of their first pixel,
 * row by row.
 *
 * @param mask `[H, W]`, anything but 0 belongs to a component.
 * @returns The label of each pixel and the size of each component.
 * @throws {RangeError} If the mask's length is not width × height.
 */
export function labelComponents(
  mask: Uint8Array,
  size: MapSize,
): Components {
  const { width, height } = size;
  if (mask.length !== width * height) {
    throw new RangeError(
      `Cannot label components: the mask has ${mask.length} pixels, expected ${width} × ${height}`,
    );
  }
  const { labels, parents } = provisionalLabels(mask, width, height);
  const numbers = new Uint32Array(parents.length);
  const sizes: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === 0) continue;
    const root = findRoot(parents, label);
    if (numbers[root] === 0) {
      sizes.push(0);
      numbers[root] = sizes.length;
    }
    const number = numbers[root]!;
    labels[i] = number;
    sizes[number - 1]!++;
  }
  return { labels, sizes };
}

function provisionalLabels(
  mask: Uint8Array,
  width: number,
  height: number,
): { labels: Uint32Array<ArrayBuffer>; parents: number[] } {
  const labels = new Uint32Array(width * height);
  const parents = [0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (mask[i] === 0) continue;
      const west = x > 0 ? labels[i - 1]! : 0;
      const north = y > 0 ? labels[i - width]! : 0;
      const northWest = x > 0 && y > 0 ? labels[i - width - 1]! : 0;
      const northEast = x + 1 < width && y > 0 ? labels[i - width + 1]! : 0;
      let label = north || northWest || west || northEast;
      if (label === 0) {
        label = parents.length;
        parents.push(label);
      } else if (north === 0 && northEast !== 0) {
        // Only the north-east pixel can join a component not joined before.
        join(parents, northEast, label);
      }
      labels[i] = label;
    }
  }
  return { labels, parents };
}

function join(parents: number[], a: number, b: number): void {
  const first = findRoot(parents, a);
  const second = findRoot(parents, b);
  parents[Math.max(first, second)] = Math.min(first, second);
}

function findRoot(parents: number[], label: number): number {
  while (parents[label] !== label) {
    parents[label] = parents[parents[label]!]!;
    label = parents[label]!;
  }
  return label;
}
