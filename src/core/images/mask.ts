import {
  decodeStored,
  type SizeLimit,
  storedExtent,
  uprightPixels,
} from "./decode.ts";
import type { Pixels } from "./pixels.ts";

/**
 * Decodes a mask. Where it has more than 8 bits a sample its numbers are taken
 * as they are up to 255, as in masks of class numbers; where there are larger
 * ones, or floats, the largest becomes white.
 *
 * @throws {ImageError} If it cannot be decoded.
 */
export async function decodeMask(
  bytes: Uint8Array,
  name: string,
  limit: SizeLimit = {},
): Promise<Pixels> {
  const stored = await decodeStored(bytes, name, limit);
  const extent = storedExtent(stored);
  if (extent === undefined) return uprightPixels(stored);
  const { kind, most } = extent;
  const high = kind === "float" ? most : Math.max(255, most);
  return uprightPixels(stored, { low: 0, high: high > 0 ? high : 1 });
}
