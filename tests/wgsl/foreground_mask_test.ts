import { assertEquals } from "@std/assert";
import { foregroundMask } from "../../src/wgsl/mod.ts";
import { foregroundOf } from "../reference/foreground.ts";
import { gpuTest, randomFloats } from "../testing.ts";
import { runBindings } from "./run_bindings.ts";

for (const line of [false, true]) {
  for (
    const grid of [[1, 1], [1, 9], [5, 7], [7, 5], [12, 13], [32, 45]] as const
  ) {
    gpuTest(
      `foreground_mask grows along the ${line ? "line" : "grid"} of ${
        grid[0]
      } × ${grid[1]} as the reference`,
      async (gpu) => {
        const patches = grid[0] * grid[1];
        const images = 4;
        // Each image is above the threshold more rarely than the one before.
        const components = randomFloats(patches, images * patches)
          .map((x, i) => 12 * x - 3 * Math.floor(i / patches));
        const { mask } = await runBindings(
          gpu,
          foregroundMask,
          { images, grid, threshold: 8, line },
          { components, mask: new Uint32Array(images * patches) },
        );
        for (let image = 0; image < images; image++) {
          const [from, to] = [image * patches, (image + 1) * patches];
          assertEquals(
            [...mask!.subarray(from, to)],
            foregroundOf(components.subarray(from, to), grid, {
              threshold: 8,
              line,
            }),
          );
        }
      },
    );
  }
}

gpuTest(
  "foreground_mask takes what is not finite for the part",
  async (gpu) => {
    const components = new Float32Array(100);
    components[55] = NaN;
    const { mask } = await runBindings(
      gpu,
      foregroundMask,
      { images: 1, grid: [10, 10], threshold: 10, line: false },
      { components, mask: new Uint32Array(100) },
    );
    assertEquals(mask![55], 1);
    assertEquals(mask![0], 0);
  },
);
