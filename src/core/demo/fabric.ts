import { Canvas, type Rgb } from "./canvas.ts";
import { SmoothNoise } from "./noise.ts";
import {
  between,
  type Defect,
  IMAGE_SIZE,
  jitter,
  type Product,
} from "./product.ts";
import { arc, blob, line, type Point } from "./shapes.ts";

/** Pixels from one thread to the next. */
const PITCH = 9;
const WARP: Rgb = [0.2, 0.27, 0.42];
const WEFT: Rgb = [0.62, 0.64, 0.62];

/** Denim: a twill of blue warp and light weft threads. */
export const FABRIC: Product = {
  name: "fabric",
  about: "denim, a twill of blue and light threads",
  defects: ["hole", "loose_thread", "stain"],
  draw(random, defect): Canvas {
    const canvas = new Canvas(IMAGE_SIZE, {
      x: 127.5 + jitter(random, PITCH * 2),
      y: 127.5 + jitter(random, PITCH * 2),
      angle: jitter(random, 0.04),
      scale: 1 + jitter(random, 0.02),
    });
    const fibre = new SmoothNoise(random);
    const wander = new SmoothNoise(random);
    const everywhere = {
      x: 0,
      y: 0,
      radius: 2 * IMAGE_SIZE,
      distance: () => -2 * IMAGE_SIZE,
    };
    canvas.paint(everywhere, (x, y) => weave(x, y, fibre, wander));
    if (defect?.kind === "hole") drawHole(canvas, defect);
    if (defect?.kind === "loose_thread") drawLooseThread(canvas, defect);
    if (defect?.kind === "stain") drawStain(canvas, defect, fibre, wander);
    return canvas;
  },
};

/** The colour of a 3/1 twill: each weft thread lies over every fourth warp thread. */
function weave(
  x: number,
  y: number,
  fibre: SmoothNoise,
  wander: SmoothNoise,
): Rgb {
  const u = (x + 1.6 * wander.at(x / 60, y / 25)) / PITCH;
  const v = (y + 1.6 * wander.at(y / 60 + 30, x / 25)) / PITCH;
  const column = Math.floor(u);
  const row = Math.floor(v);
  const across = u - column - 0.5;
  const down = v - row - 0.5;
  const weftOnTop = ((column + row) % 4 + 4) % 4 === 0;
  const bulge = weftOnTop
    ? Math.cos(down * 2.7) * Math.cos(across * 1.5)
    : Math.cos(across * 2.7) * (0.85 + 0.15 * Math.cos(down * 6.28));
  const fuzz = weftOnTop ? fibre.at(x / 5, y * 0.9) : fibre.at(x * 0.9, y / 5);
  const thread = 1 +
    0.12 *
      fibre.at(weftOnTop ? 0.5 : column * 3.7, weftOnTop ? row * 3.7 : 0.5);
  const level = (0.45 + 0.6 * bulge) * (1 + 0.16 * fuzz) * thread;
  const color = weftOnTop ? WEFT : WARP;
  return [color[0] * level, color[1] * level, color[2] * level];
}

function spot(random: Defect["random"]): Point {
  return [jitter(random, 75), jitter(random, 75)];
}

function drawHole(canvas: Canvas, { random }: Defect): void {
  const [x, y] = spot(random);
  const noise = new SmoothNoise(random);
  const radius = between(random, 8, 14);
  canvas.paint(blob(x, y, radius, noise), (u, v) => {
    const level = 0.05 + 0.02 * noise.fractal(u / 3, v / 3);
    return [level, level, level * 1.1];
  }, { softness: 2 });
  const ends = 4 + random.below(4);
  for (let i = 0; i < ends; i++) {
    const turn = between(random, 0, 2 * Math.PI);
    const from: Point = [
      x + radius * 1.2 * Math.cos(turn),
      y + radius * 1.2 * Math.sin(turn),
    ];
    const to: Point = [
      x + radius * 0.3 * Math.cos(turn + 0.7),
      y + radius * 0.3 * Math.sin(turn + 0.7),
    ];
    canvas.paint(line(arc(from, to, jitter(random, 0.3), 6), 1.8), [
      0.5,
      0.53,
      0.58,
    ]);
  }
}

function drawLooseThread(canvas: Canvas, { random }: Defect): void {
  const [x, y] = spot(random);
  const turn = between(random, 0, 2 * Math.PI);
  const half = between(random, 22, 38);
  const [dx, dy] = [half * Math.cos(turn), half * Math.sin(turn)];
  const path = arc(
    [x - dx, y - dy],
    [x + dx, y + dy],
    between(random, 0.15, 0.4),
  );
  const below = path.map(([u, v]): Point => [u + 1.5, v + 2]);
  canvas.shadow(line(below, 4), 0.45, 3);
  canvas.paint(line(path, 3.2), [0.72, 0.72, 0.7]);
  canvas.paint(line(path, 1.2), [0.86, 0.86, 0.84]);
}

function drawStain(
  canvas: Canvas,
  { random }: Defect,
  fibre: SmoothNoise,
  wander: SmoothNoise,
): void {
  const [x, y] = spot(random);
  const noise = new SmoothNoise(random);
  const patch = blob(x, y, between(random, 13, 22), noise);
  canvas.paint(patch, (u, v) => {
    const [red, green, blue] = weave(u, v, fibre, wander);
    return [0.09 + red * 0.45, 0.06 + green * 0.33, 0.03 + blue * 0.22];
  }, { opacity: 0.85, softness: 6 });
}
