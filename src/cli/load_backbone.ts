import type { BackboneFile } from "../core/mod.ts";
import { join } from "../core/datasets/files.ts";
import { backboneFile } from "./backbone.ts";
import type { Context } from "./command.ts";
import { DEMO_BACKBONE, demoBackbone } from "./demo_backbone.ts";
import { readFile } from "./disk.ts";
import { DownloadMeter } from "./download_meter.ts";
import type { PullOptions } from "./pull_weights.ts";
import { UsageError } from "./exit.ts";
import { DEFAULT_BACKBONE } from "./settings_options.ts";
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
  using meter = new DownloadMeter(terminal, backbone);
  return await namedBackbone(backbone, { signal, onProgress: meter.update });
}

/**
 * The file of a backbone by name or path: `demo`, a file of the weights folder,
 * or a published network, which is pulled when it is not there.
 *
 * @throws {UsageError} When it is none of these.
 * @throws {DownloadError} When a published network cannot be had.
 */
export async function namedBackbone(
  backbone: string,
  options: Pick<PullOptions, "signal" | "onProgress"> = {},
): Promise<BackboneFile> {
  if (backbone === DEMO_BACKBONE) return await demoBackbone();
  const mirror = Deno.env.get("PATCHCORE_MIRROR");
  const path = await backboneFile(backbone, {
    ...options,
    folder: weightsFolder(),
    ...(mirror !== undefined && { mirror }),
  });
  return await readBackbone(path, backbone);
}

/**
 * Reads the ONNX file of a backbone; its external data are read from beside it.
 *
 * @param source What a model is to remember of where it was found.
 */
export async function readBackbone(
  path: string,
  source: string = path,
): Promise<BackboneFile> {
  const [, folder = "", name = path] = /^(.*[/\\])?([^/\\]+)$/.exec(path) ?? [];
  return {
    name: name.replace(/\.onnx$/i, ""),
    bytes: await readFile(path),
    source,
    readExternal: (location, offset, length) =>
      readPart(
        folder === "" ? location : join(folder, location),
        offset,
        length,
      ),
  };
}

/**
 * Reads the backbones of a fit: one, or those of an ensemble.
 *
 * @throws {UsageError} If one is named twice.
 */
export async function loadBackbones(
  names: readonly string[] = [DEFAULT_BACKBONE],
  context: Context,
): Promise<[BackboneFile, ...BackboneFile[]]> {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new UsageError(
      `Cannot use --backbone ${twice} twice in one ensemble`,
    );
  }
  const files: BackboneFile[] = [];
  for (const name of names) files.push(await loadBackbone(name, context));
  return files as [BackboneFile, ...BackboneFile[]];
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
