import { assertEquals } from "@std/assert";
import { imageMax } from "../../src/wgsl/image_max.ts";
import { assertAllClose, gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

const NONE = 0xffffffff;
const FAR = 3e38;

for (
  const { images, patches, neighbours, used, squared } of [
    { images: 1, patches: 1, neighbours: 1, used: 1, squared: false },
    { images: 3, patches: 64, neighbours: 1, used: 1, squared: true },
    { images: 2, patches: 65, neighbours: 3, used: 2, squared: false },
    { images: 5, patches: 784, neighbours: 16, used: 16, squared: false },
  ]
) {
  gpuTest(
    `image_max finds each image's worst patch: ${images} × ${patches} × ${used} of ${neighbours}`,
    async (gpu) => {
      const rows = images * patches;
      const distances = randomFloats(2, rows * neighbours)
        .map((value) => 3 + value);
      const indices = Uint32Array.from(distances, (_, i) => i * 3);
      const result = await runBindings(
        gpu,
        imageMax,
        { images, patches, neighbours, used, squared },
        bindings(distances, indices, images, rows),
      );
      const scores = Array.from({ length: rows }, (_, row) => {
        let sum = 0;
        for (let i = 0; i < used; i++) {
          const value = distances[row * neighbours + i]!;
          sum += squared ? value : Math.sqrt(value);
        }
        return sum / used;
      });
      const worst = Array.from({ length: images }, (_, image) => {
        const own = scores.slice(image * patches, (image + 1) * patches);
        return image * patches + own.indexOf(Math.max(...own));
      });
      assertAllClose(result.patch_scores, scores);
      assertAllClose(result.scores, worst.map((row) => scores[row]!));
      assertEquals([...result.worst], worst);
      assertEquals(
        [...result.nearest],
        worst.map((row) => indices[row * neighbours]!),
      );
    },
  );
}

gpuTest(
  "image_max takes a patch without neighbours for the worst",
  async (gpu) => {
    const distances = Float32Array.of(5, 9, 1, FAR, 7, FAR, 0, 0);
    const indices = Uint32Array.of(5, 9, 1, NONE, 7, NONE, 0, 2);
    const result = await runBindings(
      gpu,
      imageMax,
      { images: 2, patches: 4, neighbours: 1, used: 1, squared: true },
      bindings(distances, indices, 2, 8),
    );
    assertEquals([...result.patch_scores], [5, 9, 1, NaN, 7, NaN, 0, 0]);
    assertEquals([...result.scores], [NaN, NaN]);
    assertEquals([...result.worst], [3, 5]);
    assertEquals([...result.nearest], [NONE, NONE]);
  },
);

gpuTest("image_max names the first of equal patches", async (gpu) => {
  // Patches 70, 134 and 9 are those of lanes 6, 6 and 9.
  const patches = 200;
  const distances = new Float32Array(patches).fill(1);
  for (const patch of [134, 70, 9]) distances[patch] = 4;
  const indices = Uint32Array.from(distances, (_, i) => i);
  const { worst } = await runBindings(
    gpu,
    imageMax,
    { images: 1, patches, neighbours: 1, used: 1, squared: true },
    bindings(distances, indices, 1, patches),
  );
  assertEquals([...worst], [9]);
});

function bindings(
  distances: Float32Array<ArrayBuffer>,
  indices: Uint32Array<ArrayBuffer>,
  images: number,
  rows: number,
): Record<
  | "distances"
  | "indices"
  | "patch_scores"
  | "scores"
  | "worst"
  | "nearest",
  Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>
> {
  return {
    distances,
    indices,
    patch_scores: new Float32Array(rows),
    scores: new Float32Array(images),
    worst: new Uint32Array(images),
    nearest: new Uint32Array(images),
  };
}
