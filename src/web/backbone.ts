import type { BackboneFile } from "../core/mod.ts";

/**
 * The demo backbone that is part of the page.
 *
 * @throws {Error} If the page was built without it.
 */
export async function demoBackbone(): Promise<BackboneFile> {
  const text = document.getElementById("demo-backbone")?.textContent ?? "";
  const packed = new Blob([Uint8Array.fromBase64(text.trim())]);
  const stream = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return {
    name: "demo",
    bytes: new Uint8Array(await new Response(stream).arrayBuffer()),
    source: "demo",
  };
}

/** An ONNX file that the user chose. */
export async function chosenBackbone(file: File): Promise<BackboneFile> {
  return {
    name: file.name.replace(/\.onnx$/i, ""),
    bytes: new Uint8Array(await file.arrayBuffer()),
    source: file.name,
  };
}
