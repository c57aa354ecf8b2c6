/**
 * The house rules as one table: which layer may import which, who may import
 * an outside package, who may touch `Deno`, how long a file may be. The lint
 * plugin and `tests/layering_test.ts` both read it.
 *
 * @module
 */

/** Layer (a folder of `src/`) → the layers it may import. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  wgsl: [],
  gpu: ["wgsl"],
  nn: ["gpu", "wgsl"],
  core: ["nn", "gpu", "wgsl"],
  cli: ["core"],
  web: ["core"],
};

/** What the root `mod.ts` may import. */
export const ENTRY_LAYERS: readonly string[] = ["core", "cli"];

/** Folders of `src/core` in the data flow; each imports only those before it. */
export const CORE_FLOW: readonly string[] = [
  "settings",
  "images",
  "datasets",
  "demo",
  "features",
  "rows",
  "search",
  "coreset",
  "bank",
  "score",
  "model",
  "threshold",
  "detector",
  "baselines",
  "metrics",
  "evaluation",
  "report",
];

/** Outside package → the one file that may import it. */
export const SINGLE_IMPORTER: Readonly<Record<string, string>> = {
  "d3-scale-chromatic": "src/core/images/overlay.ts",
  "fflate": "src/nn/checkpoint/zip.ts",
  "hono": "src/cli/serve/hono.ts",
  "imagescript": "src/core/images/imagescript.ts",
  "@jsquash/jpeg": "src/core/images/mozjpeg.ts",
  "onnx-proto": "src/nn/onnx/proto.ts",
  "@std/cli": "src/cli/args.ts",
  "papaparse": "src/core/datasets/csv_rows.ts",
  "mqtt": "src/cli/watch/mqtt_client.ts",
  "prom-client": "src/cli/serve/metrics.ts",
};

/** Packages that belong to tests only. */
export const TEST_ONLY: readonly string[] = [
  "@std/assert",
  "@seriousme/openapi-schema-validator",
  "ajv",
];

/** Lines no source file may exceed; one that long does too much. */
export const MAX_LINES = 500;

/** Why `file` must not import `specifier`; undefined when it may. */
export function importProblem(
  file: string,
  specifier: string,
): string | undefined {
  if (!isShipped(file)) return undefined;
  return specifier.startsWith(".")
    ? localProblem(file, specifier)
    : packageProblem(file, specifier);
}

/** Whether users get this file: the entry and everything in `src/`. */
export function isShipped(file: string): boolean {
  return file === "mod.ts" || file.startsWith("src/");
}

/** Whether this file must also run in a browser: all of it but the program. */
export function isPortable(file: string): boolean {
  return isShipped(file) && layerOf(file) !== "cli";
}

/** Why a file of so many lines is too long; undefined when it is not. */
export function lengthProblem(lines: number): string | undefined {
  return lines > MAX_LINES
    ? `File has ${lines} lines, at most ${MAX_LINES} are allowed: split it by what it does`
    : undefined;
}

/** Lines of a text, the last line's break not counted as one more. */
export function countLines(text: string): number {
  return text.replace(/\n$/, "").split("\n").length;
}

function localProblem(file: string, specifier: string): string | undefined {
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  if (!isShipped(target)) {
    return `"${file}" must not import "${target}": only src/ is published`;
  }
  const from = layerOf(file);
  const to = layerOf(target);
  if (target.endsWith(".wgsl") && from !== "wgsl") {
    return `"${file}" must not import "${target}": kernels are reached through src/wgsl/mod.ts`;
  }
  const allowed = from === undefined ? ENTRY_LAYERS : LAYERS[from];
  if (allowed === undefined) {
    return `"${file}" is in no known layer: expected one of ${
      Object.keys(LAYERS).join(", ")
    }`;
  }
  if (from !== to && !allowed.includes(to ?? "")) {
    return `"${file}" must not import "${target}": ${
      from ?? "mod.ts"
    } may import ${allowed.join(", ") || "nothing"}`;
  }
  return from === "core" && to === "core"
    ? flowProblem(file, target)
    : undefined;
}

function flowProblem(file: string, target: string): string | undefined {
  const from = stageOf(file);
  const to = stageOf(target);
  if (from === undefined || from === to) return undefined;
  const position = CORE_FLOW.indexOf(from);
  if (position < 0) {
    return `"${file}" is in no known folder of src/core: expected one of ${
      CORE_FLOW.join(", ")
    }`;
  }
  const before = CORE_FLOW.slice(0, position);
  if (to !== undefined && before.includes(to)) return undefined;
  return `"${file}" must not import "${target}": core/${from} may import ${
    before.join(", ") || "nothing"
  }`;
}

function packageProblem(file: string, specifier: string): string | undefined {
  const name = packageOf(specifier);
  if (TEST_ONLY.includes(name)) {
    return `"${file}" must not import "${specifier}": ${name} is for tests`;
  }
  const owner = SINGLE_IMPORTER[name];
  if (owner !== undefined && owner !== file) {
    return `"${file}" must not import "${specifier}": only "${owner}" imports ${name}`;
  }
  if (specifier.startsWith("node:")) {
    return isPortable(file)
      ? `"${file}" must not import "${specifier}": it has to run in a browser`
      : undefined;
  }
  return /^(npm|jsr):(@[^/]+\/)?[^/@]+@[\^~]?\d/.test(specifier)
    ? undefined
    : `"${file}" must not import "${specifier}": who imports it by path or URL has no import map of ours; say "npm:NAME@VERSION"`;
}

function layerOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}

function stageOf(file: string): string | undefined {
  return /^src\/core\/([^/]+)\//.exec(file)?.[1];
}

function packageOf(specifier: string): string {
  const bare = specifier.replace(/^(npm|jsr):\/?/, "");
  return /^(@[^/]+\/[^/@]+|[^/@]+)/.exec(bare)?.[1] ?? bare;
}
