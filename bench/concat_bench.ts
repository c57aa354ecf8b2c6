/** One input of a concatenation: DenseNet121's, 32 new channels a layer. */
import { concat } from "../src/wgsl/concat.ts";
import { kernelBench } from "./harness.ts";

for (const images of [1, 8]) {
  for (const [side, total] of [[56, 256], [28, 512], [14, 1024]] as const) {
    const pixels = images * side * side;
    for (const count of [32, total - 32]) {
      const offset = count === 32 ? total - 32 : 0;
      kernelBench(
        {
          group: `${count} of ${total} channels, ${images} × ${side} × ${side}`,
        },
        concat,
        { pixels, count, offset, total },
        { x: pixels * count },
        pixels * total,
      );
    }
  }
}
