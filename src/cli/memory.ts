import { parseByteSize } from "../core/settings/byte_size.ts";
import { UsageError } from "./exit.ts";
import type { TextOption } from "./options.ts";

/** What a fit may use where the system does not tell its memory. */
const UNKNOWN = 2 * 2 ** 30;

/** Share of the free memory that a fit may use. */
const SHARE = 0.5;

/** How much GPU memory a fit may use. */
export const MEMORY_OPTION = {
  kind: "text",
  value: "SIZE",
  help:
    "GPU memory that the fit may use, such as 512MiB or 2GB; features that do not fit are reduced in buckets. WebGPU does not tell what a graphics card has: name it where that is less than the default (default: half of the machine's free memory, 2GiB where that is not known)",
} as const satisfies TextOption;

/**
 * Bytes that {@linkcode MEMORY_OPTION} allows.
 *
 * @throws {UsageError} If the text is no size.
 */
export async function memoryBudget(text: string | undefined): Promise<number> {
  if (text === undefined) {
    const free = await freeMemory();
    return free === undefined ? UNKNOWN : Math.floor(free * SHARE);
  }
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  throw new UsageError(
    `Cannot use --memory "${text}": expected a size such as 512MiB or 2GB`,
  );
}

/** Free memory of the machine, or of the container that limits it. */
async function freeMemory(): Promise<number | undefined> {
  const { state } = await Deno.permissions.query({
    name: "sys",
    kind: "systemMemoryInfo",
  });
  if (state !== "granted") return undefined;
  const { available } = Deno.systemMemoryInfo();
  const limit = await number("/sys/fs/cgroup/memory.max");
  const used = await number("/sys/fs/cgroup/memory.current");
  return limit === undefined || used === undefined
    ? available
    : Math.min(available, Math.max(0, limit - used));
}

async function number(path: string): Promise<number | undefined> {
  try {
    const value = Number(await Deno.readTextFile(path));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined; // no such limit here, or it may not be read
  }
}
