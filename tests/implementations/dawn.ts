/**
 * To be preloaded: makes Dawn, Chromium's implementation of WebGPU, the one
 * that tests in Deno use.
 *
 *     deno test -A --no-check --no-lock --preload tests/implementations/dawn.ts tests/wgsl
 *
 * On a machine without a GPU Dawn wants SwiftShader: `VK_ICD_FILENAMES` names
 * that of a Chromium, `/usr/lib/chromium/vk_swiftshader_icd.json`.
 *
 * @module
 */

/** Not written where it is imported: no other command should fetch it. */
const DAWN = "npm:webgpu@0.6.2";

const dawn: { create(flags: string[]): GPU; globals: object } = await import(
  DAWN
);
Object.assign(globalThis, dawn.globals);
const gpu = dawn.create([]);
Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
