/**
 * PatchCore on WebGPU: finds anomalies in images after having seen normal
 * ones only.
 *
 * As a program: `deno run -A mod.ts --help`. As a library:
 *
 * ```ts
 * import { PatchCore } from "@patchcore/webgpu";
 *
 * // Any images: files' bytes, or pixels; here noisy grey squares.
 * const square = (level: number) => ({
 *   width: 64,
 *   height: 64,
 *   data: Uint8ClampedArray.from(
 *     { length: 64 * 64 * 4 },
 *     (_, i) => level + (i * 7919) % 13,
 *   ),
 * });
 *
 * await using detector = await PatchCore.create({
 *   backbone: "demo", // for real work: "wide_resnet50_2"
 *   resize: 64,
 *   crop: null,
 * });
 * await detector.fit([square(100), square(104), square(108)]);
 * for await (const result of detector.predict([square(104), square(220)])) {
 *   console.log(result.score, result.label);
 * }
 * ```
 *
 * In Deno a backbone may be given by name: those of `weights list` are pulled
 * when they are not in the weights folder. Elsewhere say how names are found
 * with {@linkcode setBackboneResolver}.
 *
 * @module
 */
import { setBackboneResolver } from "./src/core/mod.ts";

export * from "./src/core/mod.ts";

if ("Deno" in globalThis) {
  setBackboneResolver(async (name, stored) => {
    const { namedBackbone } = await import("./src/cli/load_backbone.ts");
    return await namedBackbone(name, { pull: stored === undefined });
  });
}

if (import.meta.main) {
  const { main } = await import("./src/cli/main.ts");
  await main();
}
