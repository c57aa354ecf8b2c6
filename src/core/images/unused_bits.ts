import type { Pixels } from "./pixels.ts";
import { hasSixteenBits } from "./png_header.ts";

/**
 * How many of the highest bits of a 16-bit PNG no sample uses, as in files of
 * cameras that write 10 or 12 bits into 16: such an image decodes nearly black.
 *
 * @param bytes The file, which {@linkcode decodeImage} accepted.
 * @param pixels What it decoded to: the high 8 bits of each sample.
 * @returns 0 for other files; at most 8, as lower bits are not decoded.
 */
export function unusedBits(bytes: Uint8Array, { data }: Pixels): number {
  if (!hasSixteenBits(bytes)) return 0;
  let used = 0;
  for (let i = 0; i < data.length && used < 128; i += 4) {
    used |= data[i]! | data[i + 1]! | data[i + 2]!;
  }
  return Math.clz32(used) - 24;
}
