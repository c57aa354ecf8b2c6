import type { BackboneFile } from "../core/mod.ts";

/** Name of the embedded backbone in models and messages. */
export const DEMO_BACKBONE = "demo";

/** The embedded backbone: fixed filters, nothing learned. */
export async function demoBackbone(): Promise<BackboneFile> {
  const url = new URL("../../weights/demo.onnx", import.meta.url);
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(
      `Cannot read the demo's backbone at "${url}": ${response.status}`,
    );
  }
  return {
    name: DEMO_BACKBONE,
    bytes: await response.bytes(),
    source: DEMO_BACKBONE,
  };
}
