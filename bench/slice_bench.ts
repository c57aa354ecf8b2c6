/** Halving the channels of a stage, and taking every other pixel of an image. */
import { slice, type SliceSizes } from "../src/wgsl/slice.ts";
import { kernelBench } from "./harness.ts";

type Named = Omit<SliceSizes, "images"> & { readonly what: string };

const CASES: readonly Named[] = [
  {
    what: "half the channels of 128 × 28 × 28",
    input: [128, 28, 28],
    output: [64, 28, 28],
    starts: [64, 0, 0],
    steps: [1, 1, 1],
  },
  {
    what: "every other pixel of 3 × 224 × 224",
    input: [3, 224, 224],
    output: [3, 112, 112],
    starts: [0, 0, 0],
    steps: [1, 2, 2],
  },
];

for (const images of [1, 8]) {
  for (const { what, ...sizes } of CASES) {
    const elements = ([channels, rows, columns]: SliceSizes["input"]) =>
      images * Math.ceil(channels / 4) * 4 * rows * columns;
    kernelBench(
      { group: `${what}, ${images} images` },
      slice,
      { images, ...sizes },
      { x: elements(sizes.input) },
      elements(sizes.output),
    );
  }
}
