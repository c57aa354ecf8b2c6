/**
 * Patch features from layer2 and layer3 of real backbones: the kernels
 * `patch_pool` and `patch_merge`. The time includes reading one row back.
 */
import { PatchFeatures } from "../src/core/features/mod.ts";
import { PRESETS } from "../src/core/settings/presets.ts";
import { Gpu, RowChunks } from "../src/gpu/mod.ts";

const BACKBONES = { wide_resnet50_2: 512, resnet18: 128 } as const;
const SIZES = [224, 320] as const;
const BATCHES = [1, 8] as const;

const gpu = await Gpu.create();

for (const [backbone, channels] of Object.entries(BACKBONES)) {
  for (const size of SIZES) {
    for (const images of BATCHES) {
      for (const preset of ["paper", "anomalib"] as const) {
        await benchFeatures(backbone, channels, size, images, preset);
      }
    }
  }
}

async function benchFeatures(
  backbone: string,
  channels: number,
  size: number,
  images: number,
  preset: "paper" | "anomalib",
): Promise<void> {
  const settings = PRESETS[preset];
  const shapes = settings.layers.map((name, level) => ({
    name,
    height: size / 8 / 2 ** level,
    width: size / 8 / 2 ** level,
    channels: channels * 2 ** level,
  }));
  const taps = shapes.map(({ height, width, channels }) =>
    gpu.upload(
      new Float32Array(images * height * width * channels).fill(0.5),
      [images, height, width, channels],
    )
  );
  const features = new PatchFeatures(gpu, shapes, settings, images);
  const rows = RowChunks.allocate(
    gpu,
    images * features.patches,
    features.paddedDim,
    "features",
    features.patches,
  );
  const program = gpu.program("patch features");
  features.record(program, taps, rows);
  await program.compile();
  const probe = gpu.tensor([4]);
  Deno.bench({
    name: `${preset}, ${images} × ${size} px`,
    group: backbone,
    n: 20,
    warmup: 3,
    async fn() {
      program.run();
      gpu.copy(rows.chunks[0]!, probe, { count: 4 });
      await gpu.read(probe);
    },
  });
}
