/** LayerNormalization (`layer_norm`) of the tokens of ViT-S/14 and B/14. */
import { layerNorm } from "../src/wgsl/layer_norm.ts";
import { gpu, kernelBench } from "./harness.ts";

for (
  const [rows, channels] of [[257, 384], [1025, 384], [1370, 768]] as const
) {
  kernelBench(
    { group: `${rows} × ${channels}` },
    gpu.pick(layerNorm),
    { images: 1, rows, channels, epsilon: 1e-6 },
    { x: rows * channels, gamma: channels, beta: channels },
    rows * channels,
  );
}
