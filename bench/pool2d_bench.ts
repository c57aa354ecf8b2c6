/** Pooling over the shapes of real networks. */
import { pool2d } from "../src/wgsl/pool2d.ts";
import { kernelBench } from "./harness.ts";

const STEM = {
  kernel: [3, 3],
  strides: [2, 2],
  dilations: [1, 1],
  pads: [1, 1, 1, 1],
} as const;

for (const batch of [1, 8]) {
  for (const side of [112, 160]) {
    for (const mode of ["max", "average"] as const) {
      const half = side / 2;
      kernelBench(
        { group: `${mode} 3×3/2 of ${batch} × ${side} × ${side} × 64` },
        pool2d,
        {
          images: batch,
          channels4: 16,
          input: [side, side],
          output: [half, half],
          ...STEM,
          mode,
        },
        { x: batch * side * side * 64 },
        batch * half * half * 64,
      );
    }
  }
}
