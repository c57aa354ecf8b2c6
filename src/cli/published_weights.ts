import { environmentVariable } from "./environment.ts";
import { KNOWN_WEIGHTS, type KnownWeights } from "../core/weights.ts";
import type { Context } from "./command.ts";
import { statOrNothing } from "./disk.ts";
import { DownloadMeter } from "./download_meter.ts";
import { EXIT, UsageError } from "./exit.ts";
import {
  knownWeights,
  type PulledWeights,
  type PullOptions,
  pullWeights,
} from "./pull_weights.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import type { WeightsValues } from "./weights_options.ts";
import { backbonePath, weightsFolder } from "./weights_cache.ts";

/** `weights list`: what can be pulled, and what is here. */
export async function listWeights(
  operands: readonly string[],
  _values: WeightsValues,
  { terminal }: Context,
): Promise<number> {
  if (operands.length > 0) {
    throw new UsageError(`weights list takes no "${operands[0]}"`);
  }
  const folder = weightsFolder();
  const rows = [["network", "parameters", "here", "licence", "official file"]];
  for (const known of KNOWN_WEIGHTS.values()) {
    const { name, file, url = null, megaparameters, licence } = known;
    const path = backbonePath(folder, name);
    const info = await statOrNothing(path);
    const here = info?.isFile ? `${(info.size / 1e6).toFixed(1)} MB` : "no";
    const size = `${megaparameters.toFixed(1)} M`;
    rows.push([name, size, here, licence.name, file]);
    terminal.record({
      ...{ name, file, url },
      path: info?.isFile ? path : null,
      licence: licence.name,
      licence_url: licence.url,
    });
  }
  terminal.result(table(rows));
  terminal.message(`Backbones are kept in "${folder}"`);
  return EXIT.ok;
}

/** `weights pull`: fetches networks by name. */
export async function pullNames(
  operands: readonly string[],
  values: WeightsValues,
  { terminal, signal }: Context,
): Promise<number> {
  if (operands.length === 0) {
    throw new UsageError(
      `weights pull needs a name: ${[...KNOWN_WEIGHTS.keys()].join(", ")}`,
    );
  }
  operands.forEach(knownWeights);
  const { mirror: given, until, precision, timm, force, keep } = values;
  const { positions, acceptLicence, licence } = values;
  if (timm && given !== undefined) {
    throw new UsageError(
      "Cannot use --mirror with --timm: a mirror has the official files, give one of the two",
    );
  }
  const mirror = given ?? environmentVariable("PATCHCORE_MIRROR");
  const folder = weightsFolder();
  for (const name of operands) {
    const options: PullOptions = {
      folder,
      until,
      precision,
      timm,
      force,
      keep,
      ...{ positions, acceptLicence, licence },
      signal,
      ...(mirror ? { mirror } : {}),
    };
    const pulled = await pullVisibly(terminal, knownWeights(name), options);
    const { path, cached, source } = pulled;
    terminal.message(
      cached
        ? `"${name}" is here already; --force makes it anew`
        : `Took the weights of "${name}" from ${source}${
          timm ? ", without a SHA-256 to check them by" : ""
        }`,
    );
    terminal.result(path);
    terminal.record({ name, ...pulled });
  }
  return EXIT.ok;
}

async function pullVisibly(
  terminal: Terminal,
  known: KnownWeights,
  options: PullOptions,
): Promise<PulledWeights> {
  using meter = new DownloadMeter(terminal, known.name);
  return await pullWeights(known, { ...options, onProgress: meter.update });
}
