import { assert } from "@std/assert";
import { PrincipalComponents } from "../../../src/core/features/principal_components.ts";
import type { Gpu } from "../../../src/gpu/mod.ts";
import { firstComponents } from "../../reference/foreground.ts";
import { gpuTest, randomFloats, relativeError } from "../../testing.ts";

/** First components of so many images' patches `[images · patches, dim]`. */
async function componentsOf(
  gpu: Gpu,
  rows: Float32Array<ArrayBuffer>,
  { images, patches, dim }: {
    readonly images: number;
    readonly patches: number;
    readonly dim: number;
  },
): Promise<Float32Array> {
  using x = gpu.upload(rows);
  using components = gpu.tensor([images, patches]);
  using principal = new PrincipalComponents(gpu, { images, patches, dim });
  using program = gpu.program("principal components");
  principal.record(program, x, components, images);
  await program.compile();
  program.run();
  return await gpu.readFloats(components);
}

/** Rows whose variance is spread over several directions. */
function rowsOf(
  seed: number,
  rows: number,
  dim: number,
  decay: number,
): Float32Array<ArrayBuffer> {
  const directions = Math.min(6, dim);
  const basis = randomFloats(seed, directions * dim);
  const weights = randomFloats(seed + 1, rows * directions);
  const noise = randomFloats(seed + 2, rows * dim);
  return noise.map((value, i) => {
    const [row, d] = [Math.floor(i / dim), i % dim];
    let sum = 3 + 0.02 * value;
    for (let k = 0; k < directions; k++) {
      sum += weights[row * directions + k]! * decay ** k *
        basis[k * dim + d]!;
    }
    return sum;
  });
}

for (
  const { images, patches, dim, decay } of [
    { images: 1, patches: 35, dim: 48, decay: 0.7 },
    { images: 3, patches: 64, dim: 32, decay: 0.9 },
    { images: 2, patches: 257, dim: 12, decay: 0.95 },
    { images: 1, patches: 300, dim: 96, decay: 0.5 },
    { images: 2, patches: 3, dim: 40, decay: 0.8 },
    { images: 1, patches: 20, dim: 4, decay: 0.6 },
  ]
) {
  gpuTest(
    `PrincipalComponents equals the whole decomposition: ${images} × ${patches} × ${dim}`,
    async (gpu) => {
      const rows = rowsOf(dim, images * patches, dim, decay);
      const result = await componentsOf(gpu, rows, { images, patches, dim });
      for (let image = 0; image < images; image++) {
        const own = rows.subarray(image * patches * dim).subarray(
          0,
          patches * dim,
        );
        const error = relativeError(
          result.subarray(image * patches, (image + 1) * patches),
          firstComponents(own, dim),
        );
        assert(error < 2e-4, `image ${image}: ${error}`);
      }
    },
  );
}

gpuTest("PrincipalComponents are 0 for patches that are alike", async (gpu) => {
  const [patches, dim] = [9, 8];
  const rows = new Float32Array(patches * dim).fill(2);
  const result = await componentsOf(gpu, rows, { images: 1, patches, dim });
  assert(result.every((x) => x === 0), `${result}`);
});
