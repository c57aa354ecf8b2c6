/** Element-wise maps over the stage outputs of WideResNet50-2. */
import { elementwise } from "../src/wgsl/elementwise.ts";
import { kernelBench } from "./harness.ts";

const STAGES = [[56, 256], [28, 512], [14, 1024]] as const;

for (const images of [1, 8]) {
  for (const [side, channels] of STAGES) {
    const pixels = side * side;
    const elements = images * pixels * channels;
    const shape = `${images} × ${side} × ${side} × ${channels}`;
    kernelBench(
      { group: `ReLU of ${shape}` },
      elementwise,
      {
        images,
        pixels,
        channels,
        operation: "none",
        activation: { kind: "relu" },
      },
      { x: elements, b: 4, c: 4 },
      elements,
    );
    kernelBench(
      { group: `Add and ReLU of ${shape}` },
      elementwise,
      {
        images,
        pixels,
        channels,
        operation: "add",
        activation: { kind: "relu" },
      },
      { x: elements, b: elements, c: 4 },
      elements,
    );
    kernelBench(
      { group: `BatchNormalization of ${shape}` },
      elementwise,
      { images, pixels, channels, operation: "affine", broadcast: "channel" },
      { x: elements, b: channels, c: channels },
      elements,
    );
  }
}
