/**
 * PatchCore on WebGPU: finds anomalies in images after having seen normal
 * ones only.
 *
 * As a program: `deno run -A mod.ts --help`. As a library:
 *
 * ```ts no-eval
 * import { PatchCore } from "@patchcore/webgpu";
 *
 * const bytes = await Deno.readFile("resnet18.onnx");
 * await using detector = await PatchCore.create({
 *   backbone: { name: "resnet18", bytes },
 * });
 * ```
 *
 * @module
 */
export * from "./src/core/mod.ts";

if (import.meta.main) {
  const { main } = await import("./src/cli/main.ts");
  await main();
}
