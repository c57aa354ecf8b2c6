import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { greedyCoreset } from "../../../src/core/coreset/greedy_coreset.ts";
import { gpuTest, randomFloats } from "../../testing.ts";
import { uploadRows } from "./some_rows.ts";
import { RadiusForecast } from "../../../src/core/coreset/lazy_greedy.ts";

const LARGE: Readonly<Record<string, (dim: number) => Float32Array>> = {
  "of one cloud": (dim) => randomFloats(1, 9000 * dim),
  // All clusters have a pick after 150, so that the radius falls at once.
  "of tight clusters": (dim) => {
    const centres = randomFloats(1, 150 * dim);
    return randomFloats(2, 9000 * dim).map((noise, i) =>
      centres[Math.floor(i / dim) * 7 % 150 * dim + i % dim]! + noise / 1000
    );
  },
};

for (const [name, make] of Object.entries(LARGE)) {
  for (const dim of [8, 100]) {
    gpuTest(
      `greedyCoreset() leaves rows out and picks the same: ${dim} ${name}`,
      async (gpu) => {
        using rows = uploadRows(gpu, make(dim), dim);
        for (
          const start of [
            { kind: "mean", points: [0, 1, 8999] },
            { kind: "kept", rows: 20 },
          ] as const
        ) {
          const options = { picks: 400, start };
          const lazy = await greedyCoreset(gpu, rows, options);
          const plain = await greedyCoreset(gpu, rows, {
            ...options,
            method: "plain",
          });
          assertEquals(lazy.indices, plain.indices);
          assertEquals(lazy.radius, plain.radius);
          assert(lazy.passes < 40, `${lazy.passes} passes`);
        }
      },
    );
  }
}

Deno.test("RadiusForecast foretells what a power law leaves, a little less", () => {
  const radius = (count: number) => 2 * count ** (-1 / 7);
  const forecast = new RadiusForecast(5000);
  assertEquals(forecast.add(10, radius(10)), 0);
  assertEquals(forecast.add(40, radius(40)), 0);
  for (const count of [80, 300, 2000, 5000]) {
    const least = forecast.add(count, radius(count));
    assert(least < radius(5000), `${least} at ${count}`);
    assert(least > radius(5000) * 0.85, `${least} at ${count}`);
  }
});

Deno.test("RadiusForecast is careful once it was wrong", () => {
  const forecast = new RadiusForecast(1000);
  forecast.add(100, 1);
  const before = forecast.add(200, 0.9);
  forecast.missed();
  assertAlmostEquals(forecast.add(200, 0.9), before / 2);
});

Deno.test("RadiusForecast says nothing of a radius of 0", () => {
  const forecast = new RadiusForecast(1000);
  forecast.add(100, 1);
  assertEquals(forecast.add(200, 0), 0);
  assert(!(forecast.add(400, 0) > 0));
});
