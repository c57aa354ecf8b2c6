/**
 * What happens to an image before the trunk: decoding, and resize, crop and
 * normalisation by the kernels `resize_horizontal` and `resize_vertical`. The
 * time includes the upload and reading four values back.
 */
import { decodeImage } from "../src/core/images/decode.ts";
import { encodePng } from "../src/core/images/png.ts";
import type { Pixels } from "../src/core/images/pixels.ts";
import { Preprocessor } from "../src/core/images/preprocess.ts";
import { Gpu } from "../src/gpu/mod.ts";

const SIZES = [[256, 256], [900, 900], [1024, 1024], [2592, 1944]] as const;

const gpu = await Gpu.create();
const probe = gpu.tensor([4]);

for (const [width, height] of SIZES) {
  const image = texture(width, height);
  const group = `${width} × ${height}`;
  const png = await encodePng(image);
  Deno.bench({
    name: "decode a PNG",
    group,
    n: 10,
    warmup: 2,
    async fn() {
      await decodeImage(png, "bench.png");
    },
  });
  for (const [resize, crop] of [[256, 224], [366, 320]] as const) {
    const preprocessor = new Preprocessor(gpu, { resize, crop });
    Deno.bench({
      name: `resize to ${resize}, crop ${crop}`,
      group,
      n: 20,
      warmup: 3,
      async fn() {
        const { tensor } = await preprocessor.encode([image]);
        gpu.copy(tensor, probe, { count: 4 });
        await gpu.read(probe);
      },
    });
  }
}

/** A gradient with noise, about as compressible as a photograph. */
function texture(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    const noise = state >>> 28;
    data[i] = i % 4 === 3 ? 255 : (i / width >> 4) + noise;
  }
  return { width, height, data };
}
