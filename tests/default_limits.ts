/**
 * To be preloaded (`deno task test:limits`): makes every adapter one that
 * offers nothing beyond what WebGPU guarantees, so that a test that passes does
 * so on any device.
 *
 * @module
 */
import { humbleAdapter } from "./humble_adapter.ts";

const { gpu } = navigator;
const request = gpu.requestAdapter.bind(gpu);
Object.defineProperty(gpu, "requestAdapter", {
  value: async (options?: GPURequestAdapterOptions) => {
    const adapter = await request(options);
    return adapter && humbleAdapter(adapter);
  },
});
