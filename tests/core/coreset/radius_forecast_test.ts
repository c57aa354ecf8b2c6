import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { RadiusForecast } from "../../../src/core/coreset/radius_forecast.ts";

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
