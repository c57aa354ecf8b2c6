import type { BackboneFile } from "../core/mod.ts";
import { join } from "../core/datasets/files.ts";
import { backboneFile } from "./backbone.ts";
import type { Context } from "./command.ts";
import { DEMO_BACKBONE, demoBackbone } from "./demo_backbone.ts";
import { readFile } from "./disk.ts";
import { weightsFolder } from "./weights_cache.ts";

/**
 * Reads the backbone that `--backbone` means; a published network that is not
 * here yet is pulled.
 *
 * @param backbone Name or path.
 */
export async function loadBackbone(
  backbone: string,
  { terminal, signal }: Context,
): Promise<BackboneFile> {
  if (backbone === DEMO_BACKBONE) return await demoBackbone();
  const mirror = Deno.env.get("PATCHCORE_MIRROR");
  const path = await backboneFile(backbone, {
    folder: weightsFolder(),
    signal,
    ...(mirror !== undefined && { mirror }),
    onProgress: (bytes, total) => {
      if (bytes === 0) {
        terminal.message(
          `Pulling "${backbone}"${
            total === undefined ? "" : ` (${(total / 1e6).toFixed(0)} MB)`
          }; it is kept for the next time`,
        );
      }
    },
  });
  const [, folder = "", name = path] = /^(.*[/\\])?([^/\\]+)$/.exec(path) ?? [];
  return {
    name: name.replace(/\.onnx$/i, ""),
    bytes: await readFile(path),
    source: backbone,
    readExternal: (location, offset, length) =>
      readPart(
        folder === "" ? location : join(folder, location),
        offset,
        length,
      ),
  };
}

async function readPart(
  path: string,
  offset: number,
  length: number | undefined,
): Promise<Uint8Array> {
  const bytes = await readFile(path);
  return bytes.subarray(
    offset,
    length === undefined ? undefined : offset + length,
  );
}
