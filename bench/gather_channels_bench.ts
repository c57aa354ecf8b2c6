/** Channels of an image from blue to red, and those of a stage shuffled. */
import { gatherChannels } from "../src/wgsl/gather_channels.ts";
import { kernelBench } from "./harness.ts";

const CASES = [
  { channels: 3, side: 224 },
  { channels: 128, side: 28 },
];

for (const images of [1, 8]) {
  for (const { channels, side } of CASES) {
    const pixels = images * side * side;
    const stride = Math.ceil(channels / 4) * 4;
    kernelBench(
      { group: `${channels} × ${side} × ${side}, ${images} images` },
      gatherChannels,
      { pixels, channels, count: channels },
      { x: pixels * stride, picks: stride },
      pixels * stride,
    );
  }
}
