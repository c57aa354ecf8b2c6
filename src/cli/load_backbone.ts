import { basename, dirname, extname, join } from "node:path";
import type { BackboneFile } from "../core/mod.ts";
import { KNOWN_WEIGHTS } from "../core/weights.ts";
import type { Context } from "./command.ts";
import { readFile, readFilePart, statOrNothing } from "./disk.ts";
import { DownloadMeter } from "./download_meter.ts";
import { UsageError } from "./exit.ts";
import { didYouMean } from "./nearest.ts";
import { type PullOptions, pullWeights } from "./pull_weights.ts";
import { DEFAULT_BACKBONE } from "./settings_options.ts";
import { backbonePath, weightsFolder } from "./weights_cache.ts";

/** Name of the embedded backbone in models and messages. */
export const DEMO_BACKBONE = "demo";

/**
 * Reads the backbone that `--backbone` means, see {@linkcode namedBackbone}, and
 * shows how far its download is, where one is needed.
 */
export async function loadBackbone(
  backbone: string,
  { terminal, signal }: Context,
): Promise<BackboneFile> {
  using meter = new DownloadMeter(terminal, backbone);
  return await namedBackbone(backbone, { signal, onProgress: meter.update });
}

/**
 * Reads a backbone: `demo`, a file by its path or of the weights folder by its
 * name, or a published network, which is pulled when it is not there.
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
 * Returns the path of the ONNX file that a `--backbone` means: a path, the name
 * of a file in the weights folder, or a published network, which is pulled when
 * it is not there.
 *
 * @throws {UsageError} When it is none of these.
 * @throws {DownloadError} When a published network cannot be had.
 */
export async function backboneFile(
  backbone: string,
  options: PullOptions,
): Promise<string> {
  if (/\.(pth|pt|safetensors)$/i.test(backbone)) {
    throw new UsageError(
      `"${backbone}" holds weights but no network: run "weights convert ${backbone}" and give the ONNX file`,
    );
  }
  const isPath = basename(backbone) !== backbone ||
    extname(backbone).toLowerCase() === ".onnx";
  if (isPath) return backbone;
  const kept = backbonePath(options.folder, backbone);
  if ((await statOrNothing(kept))?.isFile) return kept;
  const known = KNOWN_WEIGHTS.get(backbone);
  if (known) return (await pullWeights(known, options)).path;
  const names = [...KNOWN_WEIGHTS.keys()];
  throw new UsageError(
    `Unknown backbone "${backbone}", expected a path to an ONNX file, the name of one in "${options.folder}", or one of ${
      names.join(", ")
    }${didYouMean(backbone, names)}`,
  );
}

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

/**
 * Reads the ONNX file of a backbone; its external data are read from beside it.
 *
 * @param source What a model is to remember of where it was found.
 */
export async function readBackbone(
  path: string,
  source: string = path,
): Promise<BackboneFile> {
  return {
    name: basename(path).replace(/\.onnx$/i, ""),
    bytes: await readFile(path),
    source,
    readExternal: (location, offset, length) =>
      readFilePart(join(dirname(path), location), offset, length),
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
