/**
 * Anomaly maps from the patch grids of real backbones: the kernel
 * `anomaly_map`, once per axis. The time includes reading four pixels back.
 */
import { AnomalyMaps } from "../src/core/score/anomaly_map.ts";
import { PRESETS } from "../src/core/settings/presets.ts";
import { Gpu } from "../src/gpu/mod.ts";

const CASES = [
  { grid: 28, size: 224 },
  { grid: 40, size: 320 },
  { grid: 56, size: 224 },
  { grid: 128, size: 1024 },
] as const;
const BATCHES = [1, 8] as const;

const gpu = await Gpu.create();

for (const { grid, size } of CASES) {
  for (const images of BATCHES) {
    const shape = {
      grid: [grid, grid],
      size: [size, size],
      maxImages: images,
    } as const;
    const maps = new AnomalyMaps(gpu, shape, PRESETS.paper.map);
    const scores = gpu.upload(
      new Float32Array(images * grid * grid).fill(0.5),
      [images, grid * grid],
    );
    const output = gpu.tensor([images, size, size]);
    const program = gpu.program("anomaly maps");
    maps.record(program, scores, output);
    await program.compile();
    const probe = gpu.tensor([4]);
    Deno.bench({
      name: `${images} of ${grid} × ${grid} patches`,
      group: `${size} × ${size} pixels`,
      n: 20,
      warmup: 3,
      async fn() {
        program.run();
        gpu.copy(output, probe, { count: 4 });
        await gpu.read(probe);
      },
    });
  }
}
