/** Flattening the last maps of networks with large classifiers. */
import { flatten } from "../src/wgsl/flatten.ts";
import { kernelBench } from "./harness.ts";

for (const images of [1, 8]) {
  for (const [side, channels] of [[7, 512], [6, 256], [14, 1024]] as const) {
    const elements = images * side * side * channels;
    kernelBench(
      { group: `${images} × ${side} × ${side} × ${channels}` },
      flatten,
      { images, pixels: side * side, channels },
      { x: elements },
      elements,
    );
  }
}
