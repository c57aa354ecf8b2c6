import type { SmoothNoise } from "./noise.ts";

/** A region of a part. */
export interface Shape {
  /** Horizontal centre of a circle around it. */
  readonly x: number;
  /** Vertical centre of that circle. */
  readonly y: number;
  /** Radius of that circle. */
  readonly radius: number;
  /** Distance of a point from its border, negative inside. */
  distance(x: number, y: number): number;
}

/** A point on a part. */
export type Point = readonly [x: number, y: number];

/** Euclidean length; several times as fast as `Math.hypot`. */
function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

/** A disc. */
export function circle(x: number, y: number, radius: number): Shape {
  return {
    x,
    y,
    radius,
    distance: (u, v) => length(u - x, v - y) - radius,
  };
}

/** What lies between two circles. */
export function ring(
  x: number,
  y: number,
  inner: number,
  outer: number,
): Shape {
  const middle = (inner + outer) / 2;
  const half = (outer - inner) / 2;
  return {
    x,
    y,
    radius: outer,
    distance: (u, v) => Math.abs(length(u - x, v - y) - middle) - half,
  };
}

/** Place, size and turn of a {@linkcode box}. */
interface BoxOptions {
  /** Horizontal centre. */
  readonly x: number;
  /** Vertical centre. */
  readonly y: number;
  /** Extent to the right before it is turned. */
  readonly width: number;
  /** Extent downwards before it is turned. */
  readonly height: number;
  /** Radius of the corners, 0 by default. */
  readonly corner?: number;
  /** Turn around the centre in radians, 0 by default. */
  readonly angle?: number;
}

/** A rectangle, turned and with round corners if so asked. */
export function box(options: BoxOptions): Shape {
  const { x, y, width, height, corner = 0, angle = 0 } = options;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return {
    x,
    y,
    radius: length(width, height) / 2,
    distance: (u, v) => {
      const across = (u - x) * cos + (v - y) * sin;
      const down = (v - y) * cos - (u - x) * sin;
      const dx = Math.abs(across) - width / 2 + corner;
      const dy = Math.abs(down) - height / 2 + corner;
      return length(Math.max(dx, 0), Math.max(dy, 0)) +
        Math.min(Math.max(dx, dy), 0) - corner;
    },
  };
}

/** A line of straight pieces with round ends. */
export function line(points: readonly Point[], width: number): Shape {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  return {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    radius: length(right - left, bottom - top) / 2 + width,
    distance: (u, v) => {
      let nearest = Infinity;
      for (let i = 1; i < points.length; i++) {
        const [ax, ay] = points[i - 1]!;
        const [bx, by] = points[i]!;
        const [dx, dy] = [bx - ax, by - ay];
        const along = ((u - ax) * dx + (v - ay) * dy) / (dx * dx + dy * dy);
        const t = Math.min(Math.max(along, 0), 1);
        nearest = Math.min(
          nearest,
          length(u - ax - t * dx, v - ay - t * dy),
        );
      }
      return nearest - width / 2;
    },
  };
}

/** A disc whose border noise dents, as of a stain or a fracture. */
export function blob(
  x: number,
  y: number,
  radius: number,
  noise: SmoothNoise,
): Shape {
  const roughness = 0.45 * radius;
  return {
    x,
    y,
    radius: radius + roughness,
    distance: (u, v) =>
      length(u - x, v - y) - radius +
      roughness * noise.fractal(u * 1.6 / radius, v * 1.6 / radius),
  };
}

/** What lies in both. */
export function both(a: Shape, b: Shape): Shape {
  return {
    ...a,
    distance: (u, v) => Math.max(a.distance(u, v), b.distance(u, v)),
  };
}

/** Points of a gently curved line. */
export function arc(
  from: Point,
  to: Point,
  sag: number,
  pieces = 12,
): Point[] {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  return Array.from({ length: pieces + 1 }, (_, i): Point => {
    const t = i / pieces;
    const bow = sag * 4 * t * (1 - t);
    return [from[0] + t * dx - bow * dy, from[1] + t * dy + bow * dx];
  });
}
