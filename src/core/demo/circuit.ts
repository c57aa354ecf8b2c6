import { Canvas, type Rgb } from "./canvas.ts";
import { SmoothNoise } from "./noise.ts";
import {
  between,
  type Defect,
  IMAGE_SIZE,
  jitter,
  type Product,
} from "./product.ts";
import { box, circle, line, type Point, ring } from "./shapes.ts";

const SILK: Rgb = [0.86, 0.88, 0.84];
const SOLDER: Rgb = [0.66, 0.67, 0.66];
const GOLD: Rgb = [0.75, 0.6, 0.28];
const LEADS = 7;
const PITCH = 14;

/** A chip component of two ends: its place, its turn and the colour of its body. */
interface Passive {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly body: Rgb;
}

const BLACK: Rgb = [0.1, 0.1, 0.11];
const TAN: Rgb = [0.55, 0.42, 0.28];

const PASSIVES: readonly Passive[] = [
  { x: -88, y: -58, angle: Math.PI / 2, body: BLACK },
  { x: -88, y: 8, angle: Math.PI / 2, body: TAN },
  { x: -86, y: 82, angle: 0, body: BLACK },
  { x: 88, y: -78, angle: 0, body: TAN },
  { x: 92, y: -10, angle: Math.PI / 2, body: BLACK },
  { x: 88, y: 64, angle: Math.PI / 2, body: TAN },
];

const TRACES: readonly (readonly Point[])[] = [
  [[-36, -42], [-60, -42], [-76, -58], [-128, -58]],
  [[-36, -28], [-58, -28], [-66, -20], [-88, -8]],
  [[-36, 0], [-64, 0], [-74, 24], [-88, 24]],
  [[-36, 28], [-52, 28], [-70, 82], [-72, 82]],
  [[-100, 82], [-128, 82]],
  [[36, -42], [56, -42], [72, -78]],
  [[104, -78], [128, -78]],
  [[36, -14], [70, -14], [80, -26], [92, -26]],
  [[36, 14], [64, 14], [74, 6], [92, 6]],
  [[36, 42], [60, 42], [70, 50], [88, 50]],
  [[88, 80], [88, 104], [60, 128]],
  [[-30, -128], [-30, -96], [0, -84], [30, -96], [30, -128]],
  [[-20, 128], [-20, 92], [20, 84], [60, 84]],
];

const VIAS: readonly Point[] = [
  [0, -84],
  [20, 84],
  [-60, -104],
  [60, 108],
  [-112, 34],
  [60, 84],
  [112, -42],
  [-46, 106],
];

/** A printed circuit: a chip with fourteen leads and six small components. */
export const CIRCUIT: Product = {
  name: "circuit",
  about: "a circuit board with a chip and six small components",
  defects: ["bent_lead", "misplaced", "missing"],
  draw(random, defect): Canvas {
    const canvas = new Canvas(IMAGE_SIZE, {
      x: 127.5 + jitter(random, 3),
      y: 127.5 + jitter(random, 3),
      angle: jitter(random, 0.02),
      scale: 1,
    });
    const grain = new SmoothNoise(random);
    drawBoard(canvas, grain);
    const broken = defect === undefined ? -1 : chosen(defect);
    PASSIVES.forEach((passive, i) => {
      const placed = place(passive, random);
      drawFootprint(canvas, passive);
      const kind = i === broken ? defect?.kind : undefined;
      if (kind === "missing") return;
      const moved = kind === "misplaced"
        ? misplace(placed, defect!.random)
        : placed;
      drawPassive(canvas, moved);
    });
    const bent = defect?.kind === "bent_lead" ? broken : -1;
    drawChip(canvas, random, grain, bent, defect);
    return canvas;
  },
};

/** Index of the component, or of the lead, that is defective. */
function chosen({ kind, random }: Defect): number {
  return random.below(kind === "bent_lead" ? 2 * LEADS : PASSIVES.length);
}

function drawBoard(canvas: Canvas, grain: SmoothNoise): void {
  canvas.fill((x, y) => {
    const weave = 0.012 * (Math.sin(x * 1.3) + Math.sin(y * 1.3));
    const level = 1 + weave + 0.1 * grain.fractal(x / 12, y / 12);
    return [0.04 * level, 0.25 * level, 0.13 * level];
  });
  for (const trace of TRACES) {
    canvas.paint(line(trace, 5.5), [0.03, 0.19, 0.1]);
    canvas.paint(line(trace, 4), [0.1, 0.38, 0.19]);
  }
  for (const [x, y] of VIAS) {
    canvas.paint(circle(x, y, 5), GOLD);
    canvas.paint(circle(x, y, 2.4), [0.05, 0.06, 0.05]);
  }
  const outline = box({ x: 0, y: 0, width: 78, height: 112 });
  canvas.paint({
    ...outline,
    distance: (u, v) => Math.abs(outline.distance(u, v)) - 0.7,
  }, SILK);
}

function place(
  passive: Passive,
  random: Parameters<typeof jitter>[0],
): Passive {
  return {
    ...passive,
    x: passive.x + jitter(random, 0.8),
    y: passive.y + jitter(random, 0.8),
    angle: passive.angle + jitter(random, 0.03),
  };
}

function misplace(
  passive: Passive,
  random: Parameters<typeof jitter>[0],
): Passive {
  const turn = between(random, 0.3, 0.9) * (random.below(2) === 0 ? 1 : -1);
  const away = between(random, 0, 2 * Math.PI);
  return {
    ...passive,
    x: passive.x + 7 * Math.cos(away),
    y: passive.y + 7 * Math.sin(away),
    angle: passive.angle + turn,
  };
}

/** Pads and the printed outline of a component. */
function drawFootprint(canvas: Canvas, { x, y, angle }: Passive): void {
  const frame = box({ x, y, width: 46, height: 24, angle });
  canvas.paint(
    {
      ...frame,
      distance: (u, v) => Math.abs(frame.distance(u, v)) - 0.6,
    },
    SILK,
    { opacity: 0.8 },
  );
  for (const side of [-1, 1]) {
    const px = x + side * 13 * Math.cos(angle);
    const py = y + side * 13 * Math.sin(angle);
    const pad = { x: px, y: py, width: 13, height: 17, corner: 2, angle };
    canvas.paint(box(pad), (u, v) => {
      const level = 1 + 0.12 * Math.cos((u - px + v - py) / 5);
      return [SOLDER[0] * level, SOLDER[1] * level, SOLDER[2] * level];
    });
  }
}

function drawPassive(canvas: Canvas, { x, y, angle, body }: Passive): void {
  const whole = { x, y, width: 30, height: 14, corner: 1.5, angle };
  canvas.shadow(box({ ...whole, x: x + 1.5, y: y + 2 }), 0.5, 4);
  canvas.paint(box(whole), [0.8, 0.81, 0.8]);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  canvas.paint(box({ ...whole, width: 19, corner: 0 }), (u, v) => {
    const down = (v - y) * cos - (u - x) * sin;
    const level = 1 + 0.25 * (1 - Math.abs(down) / 5);
    return [body[0] * level, body[1] * level, body[2] * level];
  });
}

function drawChip(
  canvas: Canvas,
  random: Parameters<typeof jitter>[0],
  grain: SmoothNoise,
  bent: number,
  defect: Defect | undefined,
): void {
  for (let i = 0; i < 2 * LEADS; i++) {
    const side = i < LEADS ? -1 : 1;
    const y = (i % LEADS - (LEADS - 1) / 2) * PITCH;
    const pad = { x: side * 44, y, width: 16, height: 8, corner: 1.5 };
    canvas.paint(box(pad), SOLDER);
    const tip = i === bent
      ? y + between(defect!.random, 6, 9) * (defect!.random.below(2) * 2 - 1)
      : y + jitter(random, 0.4);
    if (i === bent) random.float64();
    drawLead(canvas, [side * 27, y], [side * 47, tip]);
  }
  const body = { x: 0, y: 0, width: 58, height: 104, corner: 3 };
  canvas.shadow(box({ ...body, x: 2, y: 3 }), 0.55, 7);
  canvas.paint(box(body), (x, y) => {
    const level = 0.13 + 0.03 * grain.fractal(x / 2, y / 2, 2) - 0.0003 * y;
    return [level, level, level * 1.05];
  });
  canvas.paint(box({ ...body, width: 50, height: 96 }), (x, y) => {
    const level = 0.15 + 0.03 * grain.fractal(x / 2, y / 2, 2) - 0.0003 * y;
    return [level, level, level * 1.05];
  });
  canvas.paint(circle(-17, -40, 3.5), [0.07, 0.07, 0.08]);
  canvas.paint(ring(0, -22, 6, 8), [0.42, 0.42, 0.42]);
  drawMarking(canvas, random);
}

function drawLead(canvas: Canvas, from: Point, to: Point): void {
  const below: Point = [to[0] + 1, to[1] + 2];
  canvas.shadow(line([from, below], 6), 0.4, 3);
  canvas.paint(line([from, to], 5), [0.56, 0.57, 0.58]);
  canvas.paint(line([from, to], 1.6), [0.9, 0.9, 0.9]);
}

/** Two rows of strokes for a type and a date, which no two chips share. */
function drawMarking(
  canvas: Canvas,
  random: Parameters<typeof jitter>[0],
): void {
  for (let row = 0; row < 2; row++) {
    for (let column = 0; column < 6; column++) {
      const x = -17.5 + column * 7;
      const y = 6 + row * 16;
      const strokes: Point[] = [
        [x - 2, y - 4],
        [x - 2, y + 4],
        [x + 2, y + 4],
        [
          x + 2,
          y - 4,
        ],
      ];
      const first = random.below(3);
      canvas.paint(line(strokes.slice(first, first + 2), 1.2), [
        0.45,
        0.45,
        0.45,
      ]);
    }
  }
}
