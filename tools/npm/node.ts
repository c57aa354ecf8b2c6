/**
 * The package's entry in Node.js: all of the method, Dawn for WebGPU where it
 * is installed (`npm install webgpu`), and backbones by name: `demo`, or a path
 * to an ONNX file.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { setBackboneResolver } from "../../src/core/mod.ts";

export * from "../../src/core/mod.ts";

/** Not written where it is imported, so that no bundler takes it along. */
const DAWN = "webgpu";

if (globalThis.navigator?.gpu === undefined) await startDawn();

async function startDawn(): Promise<void> {
  let dawn: { create(flags: string[]): GPU; globals: object };
  try {
    dawn = await import(DAWN);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ERR_MODULE_NOT_FOUND") return; // `Gpu.create` tells of it
    throw error;
  }
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create([]);
  const { navigator } = globalThis;
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
}

setBackboneResolver(async (name) => {
  const isDemo = name === "demo";
  if (!isDemo && !/\.onnx$/i.test(name)) {
    throw new TypeError(
      `Unknown backbone "${name}", expected "demo" or a path to an ONNX file`,
    );
  }
  const path = isDemo ? new URL("./demo.onnx", import.meta.url) : name;
  const folder = isDemo ? "" : dirname(resolve(name));
  return {
    name: basename(name).replace(/\.onnx$/i, ""),
    source: name,
    bytes: new Uint8Array(await readFile(path)),
    readExternal: async (location, offset, length) => {
      const bytes = await readFile(resolve(folder, basename(location)));
      const end = length === undefined ? undefined : offset + length;
      return new Uint8Array(bytes.subarray(offset, end));
    },
  };
});
