import type { Shape } from "./shapes.ts";

/** A colour: red, green and blue, 0 to 1. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** A colour for each point. */
export type Paint = (x: number, y: number) => Rgb;

/** Where a part lies in the image. */
interface Placement {
  /** Column of the part's origin. */
  readonly x: number;
  /** Row of the part's origin. */
  readonly y: number;
  /** Rotation in radians, clockwise on the screen. */
  readonly angle: number;
  /** Pixels per unit of the part. */
  readonly scale: number;
}

/** How a shape is painted. */
interface PaintOptions {
  /** 0 (nothing) to 1 (opaque), 1 by default. */
  readonly opacity?: number;
  /** Pixels over which the edge fades, 1 by default. */
  readonly softness?: number;
}

/**
 * An RGB image of floats to draw on. Shapes and paints are given in the
 * coordinates of a part, which lies in the image as its placement says.
 */
export class Canvas {
  /** Pixels of each side. */
  readonly size: number;
  /** `[H, W, 3]`, 0 to 1; may leave that range until it is exposed. */
  readonly data: Float32Array<ArrayBuffer>;
  readonly #placement: Placement;
  readonly #cos: number;
  readonly #sin: number;

  /** @param size Pixels of each side. */
  constructor(size: number, placement: Placement) {
    this.size = size;
    this.data = new Float32Array(size * size * 3);
    this.#placement = placement;
    this.#cos = Math.cos(placement.angle);
    this.#sin = Math.sin(placement.angle);
  }

  /** Paints every pixel; the paint gets columns and rows of the image. */
  fill(paint: Paint): void {
    for (let y = 0, i = 0; y < this.size; y++) {
      for (let x = 0; x < this.size; x++, i += 3) {
        const [red, green, blue] = paint(x, y);
        this.data[i] = red;
        this.data[i + 1] = green;
        this.data[i + 2] = blue;
      }
    }
  }

  /** Paints a shape with antialiased edges. */
  paint(shape: Shape, paint: Rgb | Paint, options: PaintOptions = {}): void {
    const { opacity = 1, softness = 1 } = options;
    const { scale } = this.#placement;
    this.#visit(shape, softness, (u, v, i) => {
      const inside = 0.5 - shape.distance(u, v) * scale / softness;
      if (inside <= 0) return;
      const alpha = opacity * Math.min(inside, 1);
      const color = typeof paint === "function" ? paint(u, v) : paint;
      for (let c = 0; c < 3; c++) {
        this.data[i + c]! += (color[c]! - this.data[i + c]!) * alpha;
      }
    });
  }

  /** Darkens what lies below a shape: the shadow it casts. */
  shadow(shape: Shape, depth: number, softness: number): void {
    this.paint(shape, [0, 0, 0], { opacity: depth, softness });
  }

  /** Visits the pixels around a shape, with their place on the part. */
  #visit(
    shape: Shape,
    softness: number,
    visit: (u: number, v: number, index: number) => void,
  ): void {
    const { x, y, scale } = this.#placement;
    const cos = this.#cos;
    const sin = this.#sin;
    const centerX = x + (shape.x * cos - shape.y * sin) * scale;
    const centerY = y + (shape.x * sin + shape.y * cos) * scale;
    const reach = shape.radius * scale + softness;
    const left = Math.max(0, Math.floor(centerX - reach));
    const right = Math.min(this.size - 1, Math.ceil(centerX + reach));
    const top = Math.max(0, Math.floor(centerY - reach));
    const bottom = Math.min(this.size - 1, Math.ceil(centerY + reach));
    for (let row = top; row <= bottom; row++) {
      const down = (row - y) / scale;
      for (let column = left; column <= right; column++) {
        const across = (column - x) / scale;
        const u = across * cos + down * sin;
        const v = down * cos - across * sin;
        visit(u, v, (row * this.size + column) * 3);
      }
    }
  }
}
