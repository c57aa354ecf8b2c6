/**
 * A vision transformer of DINOv2's widths and one block, whose filters of
 * patches are smooth as trained ones are: random ones would be refused.
 *
 * @module
 */
import { keptNetwork } from "../src/cli/kept_network.ts";
import {
  convertWeights,
  randomWeights,
  type StateDict,
} from "../src/core/weights.ts";

/** Neighbouring weights of a filter that are averaged. */
const SMOOTHED = 5;

/** The ONNX file of a ViT-S/14 that ends behind its first block. */
export function smoothTransformer(): Uint8Array<ArrayBuffer> {
  const { network } = keptNetwork("dinov2_vits14", {
    until: "blocks.0",
    positions: "hub",
  });
  const tensors: StateDict = new Map(
    [...randomWeights(network, 1).weights].map(([name, { shape, data }]) => [
      name,
      {
        dtype: "F32",
        shape,
        data: name.startsWith("patch_embed.proj.")
          ? smooth(data as Float32Array)
          : data,
      },
    ]),
  );
  return convertWeights(tensors, network).bytes;
}

function smooth(values: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (_, i) => {
    let sum = 0;
    for (let j = i; j < i + SMOOTHED; j++) sum += values[j % values.length]!;
    return sum / SMOOTHED + 1e-3;
  });
}
