const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  }
  return value;
});

/**
 * The CRC-32 of PNG and zip (ISO 3309).
 *
 * @param bytes What to check.
 * @param earlier The CRC of what comes before, to go on from.
 */
export function crc32(bytes: Uint8Array, earlier = 0): number {
  let crc = ~earlier;
  for (let i = 0; i < bytes.length; i++) {
    crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
