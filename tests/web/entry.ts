/**
 * What tests run in a browser beside the page: bundled, it puts functions on
 * `globalThis.inBrowser`.
 *
 * @module
 */
import { decodeImage } from "../../src/core/mod.ts";
import { Gpu } from "../../src/gpu/mod.ts";
import * as catalogue from "../../src/wgsl/mod.ts";
import type { Kernel } from "../../src/wgsl/mod.ts";

const inBrowser = {
  /** Decodes an image, base64 in and out. */
  async decode(name: string, base64: string): Promise<string> {
    const { data } = await decodeImage(Uint8Array.fromBase64(base64), name);
    return new Uint8Array(data).toBase64();
  },

  /** Has every kernel checked whose features the device has. */
  async checkAll(): Promise<{ checked: string[]; problems: string[] }> {
    using gpu = await Gpu.create();
    const { device } = gpu;
    const checked: string[] = [];
    const problems: string[] = [];
    for (const kernel of kernelsOf({ ...catalogue })) {
      const { name, enables } = kernel;
      if (enables?.includes("f16") && !device.features.has("shader-f16")) {
        continue;
      }
      try {
        await gpu.pipelines.module(kernel);
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
      checked.push(name);
    }
    return { checked, problems };
  },
};

function kernelsOf(value: unknown): Kernel<never>[] {
  if (typeof value !== "object" || value === null) return [];
  return "source" in value
    ? [value as Kernel<never>]
    : Object.values(value).flatMap(kernelsOf);
}

Object.assign(globalThis, { inBrowser });
