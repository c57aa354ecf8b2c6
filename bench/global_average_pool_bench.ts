/** The mean over all pixels, over the last maps of real networks. */
import { globalAveragePool } from "../src/wgsl/global_average_pool.ts";
import { kernelBench } from "./harness.ts";

for (const images of [1, 8]) {
  for (const [side, channels] of [[7, 512], [7, 2048], [14, 1024]] as const) {
    kernelBench(
      { group: `${images} × ${side} × ${side} × ${channels}` },
      globalAveragePool,
      { images, pixels: side * side, channels4: channels / 4 },
      { x: images * side * side * channels },
      images * channels,
    );
  }
}
