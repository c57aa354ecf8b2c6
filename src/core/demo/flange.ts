import { Canvas, type Paint, type Rgb } from "./canvas.ts";
import { SmoothNoise } from "./noise.ts";
import {
  between,
  type Defect,
  IMAGE_SIZE,
  jitter,
  type Product,
} from "./product.ts";
import {
  arc,
  blob,
  both,
  box,
  circle,
  line,
  type Point,
  ring,
} from "./shapes.ts";

const OUTER = 102;
const HUB = 50;
const BORE = 27;
const HOLES = 6;
const HOLE_CIRCLE = 76;
const HOLE = 10;

/** A turned steel flange with six bolt holes on a dark mat. */
export const FLANGE: Product = {
  name: "flange",
  about: "a turned steel flange with six bolt holes",
  defects: ["missing_hole", "rust", "scratch"],
  draw(random, defect): Canvas {
    const angle = jitter(random, 0.07);
    const canvas = new Canvas(IMAGE_SIZE, {
      x: 127.5 + jitter(random, 4),
      y: 127.5 + jitter(random, 4),
      angle,
      scale: 1 + jitter(random, 0.01),
    });
    const light = -0.9 + jitter(random, 0.08) - angle;
    const mat = new SmoothNoise(random);
    const turning = new SmoothNoise(random);
    canvas.fill((x, y) => {
      const level = 0.13 + 0.035 * mat.fractal(x / 5, y / 5) +
        0.02 * mat.at(x / 40, y / 40);
      return [level, level * 1.03, level * 1.1];
    });
    const shadow: Point = [-Math.cos(light) * 6, -Math.sin(light) * 6];
    canvas.shadow(circle(shadow[0], shadow[1], OUTER + 1), 0.65, 12);
    const face = turnedSteel(turning, light);
    canvas.paint(circle(0, 0, OUTER), face);
    drawEdge(canvas, OUTER - 3, OUTER, light, 1);
    canvas.paint(ring(0, 0, BORE, HUB), turnedSteel(turning, light, 0.07));
    drawEdge(canvas, HUB - 3, HUB, light, 1);
    drawEdge(canvas, HUB, HUB + 1.6, light, -0.7);
    if (defect?.kind === "rust") drawRust(canvas, defect);
    if (defect?.kind === "scratch") drawScratch(canvas, defect);
    const missing = defect?.kind === "missing_hole"
      ? defect.random.below(HOLES)
      : -1;
    for (let i = 0; i < HOLES; i++) {
      const turn = 2 * Math.PI * (i + 0.5) / HOLES;
      if (i === missing) continue;
      const x = HOLE_CIRCLE * Math.cos(turn);
      const y = HOLE_CIRCLE * Math.sin(turn);
      drawHole(canvas, x, y, HOLE, light);
    }
    drawHole(canvas, 0, 0, BORE, light);
    const key = box({ x: BORE + 2, y: 0, width: 12, height: 12, corner: 1 });
    canvas.paint(key, [0.06, 0.06, 0.07]);
    return canvas;
  },
};

/** Steel with the marks of a lathe: fine rings and two opposite highlights. */
function turnedSteel(noise: SmoothNoise, light: number, lift = 0): Paint {
  return (x, y) => {
    const radius = Math.sqrt(x * x + y * y);
    const turn = Math.atan2(y, x);
    const rings = noise.at(radius * 0.9, 3 + 0.6 * Math.cos(turn)) * 0.6 +
      noise.at(radius * 0.25, 40) * 0.4;
    const gloss = Math.abs(Math.cos(turn - light)) ** 5;
    const level = 0.5 + lift + 0.06 * rings + 0.2 * gloss;
    return [level, level * 1.005, level * 1.02];
  };
}

/** A chamfer: bright where it faces the light; `slope` −1 for a groove. */
function drawEdge(
  canvas: Canvas,
  inner: number,
  outer: number,
  light: number,
  slope: number,
): void {
  canvas.paint(ring(0, 0, inner, outer), (x, y) => {
    const facing = Math.cos(Math.atan2(y, x) - light) * slope;
    const level = 0.5 + 0.34 * facing;
    return [level, level, level * 1.02];
  });
}

/** A hole: dark, its wall lit on the side away from the light. */
function drawHole(
  canvas: Canvas,
  x: number,
  y: number,
  radius: number,
  light: number,
): void {
  canvas.paint(circle(x, y, radius + 1.5), (u, v) => {
    const facing = Math.cos(Math.atan2(v - y, u - x) - light);
    const level = 0.5 - 0.32 * facing;
    return [level, level, level];
  });
  canvas.paint(circle(x, y, radius), (u, v) => {
    const away = -((u - x) * Math.cos(light) + (v - y) * Math.sin(light));
    const level = 0.05 + 0.22 * Math.max(0, away / radius - 0.45);
    return [level, level, level * 1.1];
  });
}

function drawRust(canvas: Canvas, { random }: Defect): void {
  const noise = new SmoothNoise(random);
  const turn = between(random, 0, 2 * Math.PI);
  const distance = between(random, 58, 86);
  const [x, y] = [distance * Math.cos(turn), distance * Math.sin(turn)];
  const spot = blob(x, y, between(random, 11, 19), noise);
  const dark: Rgb = [0.34, 0.17, 0.08];
  canvas.paint(both(spot, circle(0, 0, OUTER)), (u, v) => {
    const shade = 1 + 0.5 * noise.fractal(u / 3, v / 3);
    return [dark[0] * shade, dark[1] * shade, dark[2] * shade];
  }, { opacity: 0.8, softness: 4 });
}

function drawScratch(canvas: Canvas, { random }: Defect): void {
  const turn = between(random, 0, 2 * Math.PI);
  const middle: Point = [
    70 * Math.cos(turn),
    70 * Math.sin(turn),
  ];
  const direction = between(random, 0, Math.PI);
  const half = between(random, 18, 32);
  const [dx, dy] = [half * Math.cos(direction), half * Math.sin(direction)];
  const points = arc(
    [middle[0] - dx, middle[1] - dy],
    [middle[0] + dx, middle[1] + dy],
    jitter(random, 0.15),
  );
  const face = ring(0, 0, HUB + 2, OUTER);
  const groove = points.map(([x, y]): Point => [x + 1.1, y + 1.1]);
  canvas.paint(both(line(groove, 1.6), face), [0.22, 0.22, 0.23]);
  canvas.paint(both(line(points, 1.5), face), [0.95, 0.95, 0.97]);
}
