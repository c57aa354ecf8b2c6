import type { BackboneFile, StoredBackbone } from "./backbone.ts";

/**
 * Gets the ONNX file of a backbone by its name, e.g. `wide_resnet50_2`.
 *
 * @param name As the caller gave it; of a model that is loaded without naming
 * its backbone, the bare name of the file that the model was fitted with.
 * @param stored What the model says of it, where a model is loaded: it comes
 * from whoever made the model, and nothing should be downloaded for it.
 */
export type BackboneResolver = (
  name: string,
  stored?: StoredBackbone,
) => Promise<BackboneFile>;

let resolver: BackboneResolver | undefined;

/**
 * Says how backbones that are given by name are found. `mod.ts` does so in
 * Deno: by the weights folder, published networks being pulled into it. In a
 * browser nobody knows where they are, until this is called.
 *
 * @param resolve Called with the name; `undefined` for no way.
 *
 * @example
 * ```ts
 * import { PatchCore, setBackboneResolver } from "@patchcore/webgpu/core";
 *
 * // In a page, with fetch().
 * setBackboneResolver(async (name) => ({
 *   name,
 *   bytes: await Deno.readFile(`weights/${name}.onnx`),
 * }));
 * using detector = await PatchCore.create({ backbone: "demo" });
 * ```
 */
export function setBackboneResolver(
  resolve: BackboneResolver | undefined,
): void {
  resolver = resolve;
}

/**
 * The file of a backbone that is given as a file or by name; `undefined` for a
 * name that there is no way to find.
 *
 * @param stored What the model that is loaded says of it.
 */
export async function resolveBackbone(
  backbone: BackboneFile | string,
  stored?: StoredBackbone,
): Promise<BackboneFile | undefined> {
  if (typeof backbone !== "string") return backbone;
  return await (stored ? resolver?.(backbone, stored) : resolver?.(backbone));
}

/**
 * The file of a backbone that is needed.
 *
 * @throws {TypeError} If it cannot be found.
 */
export async function requireBackbone(
  backbone: BackboneFile | string,
): Promise<BackboneFile> {
  const file = await resolveBackbone(backbone);
  if (file === undefined) {
    throw new TypeError(
      `Cannot find backbone "${backbone}": give its ONNX file as { name, bytes }, or say how names are found with setBackboneResolver()`,
    );
  }
  return file;
}
