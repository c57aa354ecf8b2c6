import { assert, assertEquals } from "@std/assert";
import { planSpade } from "../../../src/core/baselines/spade_plan.ts";

Deno.test("planSpade() keeps layers, not concatenated features", () => {
  const tap = (name: string, side: number, channels: number) => ({
    name,
    height: side,
    width: side,
    channels,
  });
  const plan = planSpade({
    layers: [
      tap("layer1", 56, 256),
      tap("layer2", 28, 512),
      tap("layer3", 14, 1024),
    ],
    last: tap("layer4", 7, 2048),
    images: 213,
    size: [224, 224],
  });
  assertEquals(plan.neighbours, 50);
  assertEquals(plan.galleryBytes, 213 * 4 * (1_404_928 + 2048));
  assert(plan.bytes < 1.35e9, `${plan.bytes} bytes`);
});
