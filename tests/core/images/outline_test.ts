import { assert, assertEquals } from "@std/assert";
import { labelComponents } from "../../../src/core/images/components.ts";
import {
  type Corner,
  outlineOf,
  simplified,
} from "../../../src/core/images/outline.ts";
import { Mt19937 } from "../../../src/core/settings/random.ts";

/** The outline of the first component of rows of `#` and `.`. */
function outline(...rows: string[]): Corner[] {
  const width = rows[0]!.length;
  const mask = Uint8Array.from(rows.join(""), (c) => c === "#" ? 1 : 0);
  const { labels } = labelComponents(mask, { width, height: rows.length });
  return outlineOf(labels, { width, label: 1 }, labels.indexOf(1));
}

/** Twice the area that a closed line surrounds, clockwise positive. */
function twiceArea(corners: readonly Corner[]): number {
  return corners.reduce((sum, [x0, y0], i) => {
    const [x1, y1] = corners[(i + 1) % corners.length]!;
    return sum + x0 * y1 - x1 * y0;
  }, 0);
}

Deno.test("outlineOf() follows the edges of pixels clockwise", () => {
  assertEquals(outline("...", ".#.", "..."), [[1, 1], [2, 1], [2, 2], [1, 2]]);
  assertEquals(outline("##", "#."), [
    [0, 0],
    [2, 0],
    [2, 1],
    [1, 1],
    [1, 2],
    [0, 2],
  ]);
  // Pixels that touch at a corner are one component with one line.
  assertEquals(outline("#.", ".#"), [
    ...[[0, 0], [1, 0], [1, 1], [2, 1]] as const,
    ...[[2, 2], [1, 2], [1, 1], [0, 1]] as const,
  ]);
});

Deno.test("outlineOf() surrounds a component and its holes: any random mask", () => {
  const random = new Mt19937(3);
  for (let run = 0; run < 200; run++) {
    const width = 1 + random.below(12);
    const height = 1 + random.below(12);
    const share = 0.2 + 0.7 * random.float64();
    const mask = Uint8Array.from(
      { length: width * height },
      () => random.float64() < share ? 1 : 0,
    );
    const { labels, sizes } = labelComponents(mask, { width, height });
    sizes.forEach((size, i) => {
      const label = i + 1;
      const corners = outlineOf(
        labels,
        { width, label },
        labels.indexOf(label),
      );
      const area = size + holes(labels, label, width, height);
      assertEquals(twiceArea(corners), 2 * area);
      assert(corners.every(([x, y], k) => {
        const [nextX, nextY] = corners[(k + 1) % corners.length]!;
        return (x === nextX) !== (y === nextY);
      }));
    });
  }
});

/** Pixels that a component surrounds, found by filling from outside. */
function holes(
  labels: Uint32Array,
  label: number,
  width: number,
  height: number,
): number {
  const outside = new Set<string>();
  const open: [number, number][] = [[-1, -1]];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const [x, y] = at;
    if (x < -1 || y < -1 || x > width || y > height) continue;
    const isIn = x >= 0 && y >= 0 && x < width && y < height &&
      labels[y * width + x] === label;
    if (isIn || outside.has(`${x},${y}`)) continue;
    outside.add(`${x},${y}`);
    open.push([x + 1, y], [x - 1, y], [x, y + 1], [x, y - 1]);
  }
  let count = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (labels[y * width + x] === label) continue;
      if (!outside.has(`${x},${y}`)) count++;
    }
  }
  return count;
}

Deno.test("simplified() leaves out corners within the tolerance alone", () => {
  const stairs: Corner[] = [[0, 0], [10, 0], [10, 10]];
  for (let i = 9; i > 0; i--) stairs.push([i, i + 1], [i, i]);
  assertEquals(simplified(stairs, 0), stairs);
  const few = simplified(stairs, 1);
  assert(few.length >= 3 && few.length < 6, `${few.length}`);
  for (const [x, y] of stairs) {
    const nearest = Math.min(...few.map((a, i) => {
      const b = few[(i + 1) % few.length]!;
      return toSegment([x, y], a, b);
    }));
    assert(nearest <= 1 + 1e-9, `${x}, ${y}: ${nearest}`);
  }
  const box: Corner[] = [[0, 0], [4, 0], [4, 1], [0, 1]];
  assertEquals(simplified(box, 50), box);
});

/** Distance to a segment, by looking at a thousand of its points. */
function toSegment([x, y]: Corner, [ax, ay]: Corner, [bx, by]: Corner): number {
  return Math.min(...Array.from({ length: 1001 }, (_, i) => {
    const t = i / 1000;
    return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
  }));
}
