import { assert, assertEquals } from "@std/assert";
import { CurvePath } from "../../../src/core/metrics/curve_path.ts";

Deno.test("CurvePath keeps few points and goes where the curve goes", () => {
  const path = new CurvePath(1);
  for (let i = 1; i <= 10_000; i++) path.add(i / 10_000, Math.sqrt(i) / 100);
  const { points } = path;
  assert(points.length < 600, `${points.length} points`);
  assertEquals(points.at(-1), [1, 1]);
  for (const [x, y] of points) assert(Math.abs(y - Math.sqrt(x)) < 1e-12);
});

Deno.test("CurvePath ends on the straight line to the point beyond its end", () => {
  const path = new CurvePath(0.3);
  path.add(0.1, 0.5);
  path.add(0.5, 0.9);
  path.add(1, 1);
  assertEquals(path.points.map(([x, y]) => [x, Number(y.toFixed(6))]), [
    [0, 0],
    [0.1, 0.5],
    [0.3, 0.7],
  ]);
});

Deno.test("CurvePath keeps the last point however near", () => {
  const path = new CurvePath(1);
  path.add(0.0001, 0.0001);
  assertEquals(path.points, [[0, 0], [0.0001, 0.0001]]);
});
