/** Reads models and their recorded activations from disk. */
import type { FloatTensor, Graph } from "../../src/nn/graph.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { readSafetensors } from "../../src/nn/safetensors.ts";
import { floatData } from "../../src/nn/stored_tensor.ts";

/** The graph in an ONNX file, with the data files beside it. */
export async function readModelFile(path: string): Promise<Graph> {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return await readOnnx(await Deno.readFile(path), {
    readExternal: async (location, offset, length) => {
      const bytes = await Deno.readFile(folder + location);
      return bytes.subarray(offset, length && offset + length);
    },
  });
}

/** Float tensors of a safetensors file, and its metadata. */
export async function readActivations(path: string): Promise<{
  tensors: Map<string, FloatTensor>;
  metadata: Record<string, string>;
}> {
  const file = readSafetensors(await Deno.readFile(path));
  const tensors = new Map<string, FloatTensor>();
  for (const [name, tensor] of file.tensors) {
    if (tensor.dtype !== "F32") continue;
    tensors.set(name, floatTensor(tensor.shape, floatData(tensor)));
  }
  return { tensors, metadata: Object.fromEntries(file.metadata) };
}

/** Reads a float32 .npy file of version 1. */
export async function readNpy(path: string): Promise<Float32Array> {
  const bytes = await Deno.readFile(path);
  const header = new DataView(bytes.buffer).getUint16(8, true);
  return new Float32Array(bytes.slice(10 + header).buffer);
}
