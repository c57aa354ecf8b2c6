/**
 * Decompresses no more than is wanted: a file of a few bytes may hold
 * gigabytes.
 *
 * @param format `"deflate"` with zlib's header and checksum, `"deflate-raw"`
 * without.
 * @param size Bytes that are wanted at most.
 * @returns Those bytes; fewer where there are not so many.
 * @throws {TypeError} If the data is damaged or ends too soon.
 */
export async function inflate(
  bytes: Uint8Array,
  format: "deflate" | "deflate-raw",
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const inflated = new Uint8Array(size);
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const reader = blob.stream()
    .pipeThrough(new DecompressionStream(format)).getReader();
  let filled = 0;
  while (true) {
    // All that is wanted may be there: what follows says whether it is sound.
    const { done, value } = await reader.read();
    if (done) return inflated.subarray(0, filled);
    const wanted = value.subarray(0, size - filled);
    inflated.set(wanted, filled);
    filled += wanted.length;
    if (wanted.length === value.length) continue;
    await reader.cancel();
    return inflated;
  }
}
