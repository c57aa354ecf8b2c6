/**
 * SPADE: one image against 4 similar training images, layers 1 to 3 concatenated
 * and on their own, at the sizes of ResNet-18 and WideResNet-50 at 224 pixels;
 * row_distances finds the similar ones. The paper takes 50 similar images.
 */
import { Spade } from "../src/core/baselines/spade.ts";
import { Gpu, type Tensor } from "../src/gpu/mod.ts";

const CASES = [
  { name: "ResNet-18", channels: [64, 128, 256, 512] },
  { name: "WideResNet-50", channels: [256, 512, 1024, 2048] },
] as const;

const IMAGES = 4;
const gpu = await Gpu.create();

for (const { name, channels } of CASES) {
  const shapes = channels.map((count, i) => ({
    name: `layer${i + 1}`,
    height: 56 >> i,
    width: 56 >> i,
    channels: count,
  }));
  const tensors: Tensor[] = shapes.map(({ height, width, channels }) => {
    const data = new Float32Array(IMAGES * height * width * channels);
    for (let i = 0; i < data.length; i++) data[i] = Math.random();
    return gpu.upload(data, [IMAGES, height, width, channels]);
  });
  const taps = { layers: tensors.slice(0, 3), last: tensors[3]! };
  for (const pyramid of ["concat", "layers"] as const) {
    const spade = new Spade(gpu, {
      layers: shapes.slice(0, 3),
      last: shapes[3]!,
      images: IMAGES,
      size: [224, 224],
      pyramid,
    });
    await spade.add(taps);
    Deno.bench({
      name: `one image against ${IMAGES}, ${name}, ${pyramid}`,
      group: name,
      n: 3,
      warmup: 1,
    }, async () => {
      await spade.score(taps, 1);
    });
  }
}
