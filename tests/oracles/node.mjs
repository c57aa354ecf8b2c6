/**
 * Runs examples/portable.ts in Node.js with Dawn, from npm's `webgpu`, and
 * prints its scores. Node.js must be 24 or later:
 *
 *     deno bundle --platform browser -o FOLDER/portable.mjs examples/portable.ts
 *     cp tests/oracles/node.mjs weights/demo.onnx FOLDER
 *     cd FOLDER && npm install webgpu@0.6.2
 *     node node.mjs
 *
 * Without a GPU, Dawn wants SwiftShader, such as Debian's chromium has:
 *
 *     echo '{"file_format_version": "1.0.0", "ICD": {"library_path":
 *       "/usr/lib/chromium/libvk_swiftshader.so", "api_version": "1.3.0"}}' >icd.json
 *     VK_ICD_FILENAMES=$PWD/icd.json node node.mjs
 */
import { readFile } from "node:fs/promises";
import process from "node:process";

const { create, globals } = await import("webgpu");
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, "navigator", {
  value: { gpu: create([]) },
  configurable: true,
});
const { inspectSquares } = await import("./portable.mjs");
const found = await inspectSquares(
  new Uint8Array(await readFile("demo.onnx")),
);
console.log(`Node.js ${process.version}: ${JSON.stringify(found)}`);
process.exit(0);
