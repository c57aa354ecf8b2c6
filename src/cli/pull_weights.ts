import {
  type ConvertOptions,
  convertWeights,
  KNOWN_WEIGHTS,
  type KnownWeights,
  type Positions,
  readStateDict,
  sha256,
  WEIGHTS_KEY,
  weightsTitle,
} from "../core/weights.ts";
import { readFile, statOrNothing, writeAtomically } from "./disk.ts";
import { download, DownloadError, fileSha256 } from "./download.ts";
import { UsageError } from "./exit.ts";
import { keptNetwork } from "./kept_network.ts";
import { didYouMean } from "./nearest.ts";
import { licenceMetadata, type LicenceOptions } from "./weights_licence.ts";
import { backbonePath } from "./weights_cache.ts";

/** Where published weights come from, and what is made and kept of them. */
export interface PullOptions
  extends Pick<ConvertOptions, "precision">, LicenceOptions {
  /** The last hierarchy level or block kept, see {@linkcode keptNetwork}. */
  readonly until?: string | undefined;
  /** How a transformer's positions are fitted, `"hub"` by default. */
  readonly positions?: Positions;
  /** Where backbones are kept, see `weightsFolder`. */
  readonly folder: string;
  /** Address of a folder that has the official files, instead of their own. */
  readonly mirror?: string;
  /** Whether to take timm's safetensors, whose SHA-256 nobody vouches for. */
  readonly timm?: boolean;
  /** Whether to make anew what is in the folder already. */
  readonly force?: boolean;
  /** Whether to keep the official file beside the ONNX file. */
  readonly keep?: boolean;
  /** How often a connection may fail; 4 by default. */
  readonly attempts?: number;
  /** Called with the bytes there are and, when known, those there will be. */
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
  /** Stops the download. */
  readonly signal?: AbortSignal;
}

/** A published network in the weights folder. */
export interface PulledWeights {
  /** The ONNX file. */
  readonly path: string;
  /** Its SHA-256. */
  readonly sha256: string;
  /** Whether it was there before. */
  readonly cached: boolean;
  /** Where the weights came from; absent when they were there before. */
  readonly source?: string;
}

/**
 * Fetches the published weights of a network, checks their SHA-256, makes an
 * ONNX file of them and keeps it. The next call finds it without a network.
 *
 * @throws {DownloadError} When the weights cannot be had; the message lists the
 * other ways to get them.
 * @throws {CheckpointError} When the file does not hold that network's weights.
 */
export async function pullWeights(
  known: KnownWeights,
  options: PullOptions,
): Promise<PulledWeights> {
  const { name } = known;
  const path = backbonePath(options.folder, name);
  if (!options.force && await isFile(path)) {
    return { path, sha256: await fileSha256(path), cached: true };
  }
  const { network, until } = keptNetwork(name, {
    until: options.until,
    positions: options.positions ?? "hub",
  });
  const licence = await licenceMetadata(name, options);
  await Deno.mkdir(options.folder, { recursive: true });
  const { file, source } = await fetchWeights(known, options);
  const tensors = readStateDict(await readFile(file));
  // Only a file whose SHA-256 was checked is called by what it is.
  const isChecked = !options.timm && known.sha256 !== "";
  const { bytes } = convertWeights(tensors, network, {
    until,
    ...(options.precision && { precision: options.precision }),
    metadata: new Map([
      ...(isChecked ? [[WEIGHTS_KEY, weightsTitle(known)] as const] : []),
      ...licence,
    ]),
  });
  await writeAtomically(path, bytes);
  if (!options.keep) await Deno.remove(file);
  return { path, sha256: await sha256(bytes), cached: false, source };
}

/**
 * Returns what is known of a network's weights.
 *
 * @throws {UsageError} When there is no such name; the message lists all.
 */
export function knownWeights(name: string): KnownWeights {
  const known = KNOWN_WEIGHTS.get(name);
  if (known) return known;
  const names = [...KNOWN_WEIGHTS.keys()];
  throw new UsageError(
    `Unknown network "${name}", expected one of ${names.join(", ")}${
      didYouMean(name, names)
    }`,
  );
}

/** Lists every way to get the weights of a network, one a line. */
function otherWays(known: KnownWeights, folder: string): string[] {
  const { name, file, url, timmUrl, licence } = known;
  const get = url === undefined
    ? `ask for it at ${licence.url}`
    : `download ${url} on another machine`;
  const ways = [
    `${get}, put it into "${folder}" as "${file}" and run "weights pull ${name}" again`,
    `make an ONNX file of any checkpoint of that network, .pth, .pt or .safetensors: "weights convert FILE"`,
    ...(timmUrl === undefined
      ? []
      : [`take timm's copy, ${timmUrl}: "weights pull ${name} --timm"`]),
    "name a server that has the official files: --mirror URL or PATCHCORE_MIRROR=URL",
    "give any network that was exported to ONNX: --backbone FILE.onnx",
  ];
  return [
    `Other ways to get the weights of "${name}":`,
    ...ways.map((way) => `  - ${way}`),
  ];
}

async function fetchWeights(
  known: KnownWeights,
  options: PullOptions,
): Promise<{ file: string; source: string }> {
  const { folder, timm, mirror } = options;
  const name = timm ? `${known.name}.timm.safetensors` : known.file;
  const file = `${folder}/${name}`;
  const sha256 = timm ? "" : known.sha256;
  if (await isFile(file) && (await fileSha256(file)).startsWith(sha256)) {
    return { file, source: file };
  }
  const url = timm
    ? known.timmUrl
    : mirror
    ? `${mirror.replace(/\/+$/, "")}/${known.file}`
    : known.url;
  if (url === undefined) {
    const what = timm ? "timm has no copy of it" : "it has no public address";
    throw new DownloadError(
      `Cannot download the weights of "${known.name}": ${what}`,
      { advice: otherWays(known, folder) },
    );
  }
  try {
    const maxBytes = mostBytes(known);
    await download(url, file, { ...options, sha256, maxBytes });
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    throw new DownloadError(error.message, {
      advice: otherWays(known, folder),
      cause: error,
    });
  }
  return { file, source: url };
}

/** Bytes of the weights as 32-bit floats, and of what a file has beside them. */
function mostBytes({ megaparameters }: KnownWeights): number {
  return Math.ceil(megaparameters * 4e6 * 1.05 + 2e6);
}

async function isFile(path: string): Promise<boolean> {
  return (await statOrNothing(path))?.isFile === true;
}
