/** Softmax over the classes of ImageNet, and over channels of a map. */
import { softmax } from "../src/wgsl/softmax.ts";
import { kernelBench } from "./harness.ts";

for (const [rows, channels] of [[1, 1000], [8, 1000], [3136, 64]] as const) {
  const elements = rows * channels;
  kernelBench(
    { group: `${rows} × ${channels}` },
    softmax,
    { rows, channels },
    { x: elements },
    elements,
  );
}
