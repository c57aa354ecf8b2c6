import { environmentVariable } from "./environment.ts";

/** What {@linkcode weightsFolder} looks at; the machine's own by default. */
export interface WeightsPlace {
  /** Reads an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** The operating system, as `Deno.build.os` names it. */
  readonly os: string;
  /** Address of this program's files; `file:` in a checkout. */
  readonly program: string;
  /** Says whether a file exists. */
  readonly exists: (path: URL) => boolean;
}

const HERE: WeightsPlace = {
  env: environmentVariable,
  os: Deno.build.os,
  program: import.meta.url,
  exists: (path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  },
};

/**
 * Returns the folder where backbones are kept: `PATCHCORE_WEIGHTS` when set,
 * `weights` in a checkout, the platform's cache folder elsewhere.
 *
 * @throws {Error} When the environment says neither where the home nor where
 * the cache is, or may not be read.
 */
export function weightsFolder(place: WeightsPlace = HERE): string {
  const chosen = place.env("PATCHCORE_WEIGHTS");
  if (chosen) return chosen;
  if (place.program.startsWith("file:")) {
    const root = new URL("../../", place.program);
    if (
      place.exists(new URL("weights/README.md", root)) &&
      place.exists(new URL("deno.json", root))
    ) return filePath(new URL("weights", root), place.os);
  }
  const separator = place.os === "windows" ? "\\" : "/";
  return `${cacheFolder(place)}${separator}weights`;
}

/**
 * Returns this program's folder among the platform's caches.
 *
 * @throws {Error} When the environment does not say where they are.
 */
export function cacheFolder({ env, os }: WeightsPlace = HERE): string {
  if (os === "windows") return `${required(env, "LOCALAPPDATA")}\\patchcore`;
  const cache = env("XDG_CACHE_HOME");
  if (cache && os !== "darwin") return `${cache}/patchcore`;
  const home = required(env, "HOME");
  return os === "darwin"
    ? `${home}/Library/Caches/patchcore`
    : `${home}/.cache/patchcore`;
}

function required(env: WeightsPlace["env"], name: string): string {
  const value = env(name);
  if (value) return value;
  throw new Error(
    `Cannot find a folder for weights: the environment has no ${name}, or may not be read; set PATCHCORE_WEIGHTS and allow it with --allow-env=PATCHCORE_WEIGHTS`,
  );
}

function filePath(url: URL, os: string): string {
  const path = decodeURIComponent(url.pathname);
  return os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
}

/** Returns the path of the backbone called `name` in a weights folder. */
export function backbonePath(folder: string, name: string): string {
  return `${folder}/${name}.onnx`;
}
