/** Returns the SHA-256 of `bytes` as 64 lowercase hexadecimal digits. */
export async function sha256(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  // Uint8Array.toHex() is not in Node.js 24.
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
