import { environmentVariable } from "./environment.ts";
import { basename, dirname, extname, join, sep, win32 } from "node:path";
import type { BackboneFile, StoredBackbone } from "../core/mod.ts";
import { KNOWN_WEIGHTS, sha256 } from "../core/weights.ts";
import type { Context } from "./command.ts";
import { FileError, readFile, readFilePart, statOrNothing } from "./disk.ts";
import { DownloadMeter } from "./download_meter.ts";
import { UsageError } from "./exit.ts";
import { didYouMean } from "./nearest.ts";
import { type PullOptions, pullWeights } from "./pull_weights.ts";
import { DEFAULT_BACKBONE } from "./settings_options.ts";
import { backbonePath, weightsFolder } from "./weights_cache.ts";

/** Name of the embedded backbone in models and messages. */
export const DEMO_BACKBONE = "demo";

/**
 * Reads the backbone that `--backbone` means for a fit, see
 * {@linkcode namedBackbone}, and shows how far its download is, where one is
 * needed.
 */
export async function loadBackbone(
  backbone: string,
  { terminal, signal }: Context,
): Promise<BackboneFile> {
  using meter = new DownloadMeter(terminal, backbone);
  return await namedBackbone(backbone, { signal, onProgress: meter.update });
}

/**
 * Reads the backbone that `--backbone` means for a fitted model: as for a fit,
 * but nothing is downloaded.
 *
 * @throws {UsageError} When it is not here.
 */
export async function localBackbone(backbone: string): Promise<BackboneFile> {
  return await namedBackbone(backbone, { pull: false });
}

/**
 * Reads the backbone of a fitted model: the file that fit used, in the weights
 * folder or beside the model. Where else the model says that it was is not
 * opened, since whoever made the model chose that path.
 *
 * @param stored What the model says of its backbone.
 * @param model Path of the model.
 * @throws {FileError} When it is in neither place.
 */
export async function storedBackbone(
  { name, sha256: wanted, source = name }: StoredBackbone,
  model: string,
): Promise<BackboneFile> {
  if (source === DEMO_BACKBONE) return await demoBackbone();
  const found: BackboneFile[] = [];
  for (const path of await backbonePlaces(source, model)) {
    const backbone = await readBackbone(path, source);
    if (await sha256(backbone.bytes) === wanted) return backbone;
    found.push(backbone);
  }
  // The wrong file rather than none: the model tells how they differ.
  if (found[0] !== undefined) return found[0];
  throw new FileError(
    `Cannot find backbone "${name}" of model "${model}": there is no "${
      fileOf(source)
    }" in "${weightsFolder()}" or beside the model; give it with --backbone FILE.onnx${
      KNOWN_WEIGHTS.has(source) ? `, or run "weights pull ${source}"` : ""
    }`,
  );
}

/**
 * Files that may be the backbone of a fitted model.
 *
 * @param source Name or path that fit was given.
 * @param model Path of the model.
 */
export async function backbonePlaces(
  source: string,
  model: string,
): Promise<readonly string[]> {
  const weights = weightsFolder();
  const file = fileOf(source);
  const places = [join(weights, file), join(dirname(model), file)];
  if (await liesIn(weights, source)) places.push(source);
  const found: string[] = [];
  for (const path of places) {
    if ((await statOrNothing(path))?.isFile) found.push(path);
  }
  return found;
}

/** The name of a backbone's file, whatever system its path is of. */
function fileOf(source: string): string {
  const name = win32.basename(source);
  return /\.onnx$/i.test(name) ? name : `${name}.onnx`;
}

/** Whether a path leads to something in a folder, links followed. */
async function liesIn(folder: string, path: string): Promise<boolean> {
  try {
    const [real, root] = await Promise.all([
      Deno.realPath(path),
      Deno.realPath(folder),
    ]);
    return real.startsWith(root + sep);
  } catch {
    return false; // one of them is not there, or may not be looked at
  }
}

/** How a backbone that is given by name is found. */
type NameOptions = Pick<PullOptions, "signal" | "onProgress"> & {
  /** Whether a published network is pulled when it is not here; it is by default. */
  readonly pull?: boolean;
};

/**
 * Reads a backbone: `demo`, a file by its path or of the weights folder by its
 * name, or a published network, which is pulled when it is not there.
 *
 * @throws {UsageError} When it is none of these.
 * @throws {DownloadError} When a published network cannot be had.
 */
export async function namedBackbone(
  backbone: string,
  options: NameOptions = {},
): Promise<BackboneFile> {
  if (backbone === DEMO_BACKBONE) return await demoBackbone();
  const mirror = environmentVariable("PATCHCORE_MIRROR");
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
  { pull = true, ...options }: PullOptions & NameOptions,
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
  if (known && pull) return (await pullWeights(known, options)).path;
  if (known) {
    throw new UsageError(
      `Cannot find backbone "${backbone}": it is not in "${options.folder}", and is downloaded only for a fit; run "weights pull ${backbone}" first`,
    );
  }
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
  const info = await statOrNothing(path);
  if (info !== undefined && !info.isFile && !info.isDirectory) {
    throw new FileError(`Cannot read "${path}": it is no regular file`);
  }
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
