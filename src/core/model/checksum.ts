import { dataBytes, type StoredTensor } from "../../nn/stored_tensor.ts";
import { crc32 } from "../images/crc32.ts";

/** The metadata string that holds the checksum; it is not part of it. */
export const CHECKSUM_KEY = "crc32";

/**
 * A CRC-32 of all that a model file says, whatever the order: 8 hexadecimal
 * digits.
 *
 * @param tensors The tensors by name.
 * @param metadata The strings.
 */
export function checksumOf(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Iterable<readonly [string, string]>,
): string {
  const text = new TextEncoder();
  let crc = 0;
  for (const [key, value] of [...metadata].sort(byName)) {
    if (key !== CHECKSUM_KEY) crc = crc32(text.encode(`${key}\n${value}`), crc);
  }
  for (const [name, { shape, data }] of [...tensors].sort(byName)) {
    crc = crc32(text.encode(`${name} ${shape}`), crc);
    crc = crc32(dataBytes(data), crc);
  }
  return crc.toString(16).padStart(8, "0");
}

function byName([a]: readonly [string, unknown], [b]: readonly [
  string,
  unknown,
]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
