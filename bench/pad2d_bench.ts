/** Padding the image of a stem and the maps of a stage. */
import { pad2d } from "../src/wgsl/pad2d.ts";
import { kernelBench } from "./harness.ts";

for (const images of [1, 8]) {
  for (const [side, channels, pad] of [[224, 3, 3], [56, 64, 1]] as const) {
    for (const mode of ["constant", "reflect"] as const) {
      const wide = side + 2 * pad;
      const stride = Math.ceil(channels / 4) * 4;
      kernelBench(
        {
          group:
            `${mode} ${pad} of ${images} × ${side} × ${side} × ${channels}`,
        },
        pad2d,
        {
          images,
          channels,
          input: [side, side],
          output: [wide, wide],
          pads: [pad, pad],
          mode,
          value: 0,
        },
        { x: images * side * side * stride },
        images * wide * wide * stride,
      );
    }
  }
}
