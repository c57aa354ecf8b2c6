const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Reads a number of bytes as people write it: `512MiB`, `2GB`, `1.5 GiB`.
 *
 * @returns Whole bytes, or `undefined` where it is no size above 0.
 */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ??
    [];
  const factor = UNITS[unit?.toLowerCase() ?? "?"];
  if (number === undefined || factor === undefined) return undefined;
  const bytes = Math.floor(Number(number) * factor);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A number of bytes in words: `512 MiB`, `1.5 GiB`, rounded up. */
export function bytesInWords(bytes: number): string {
  if (!Number.isFinite(bytes)) return "any amount";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  const digits = bytes < 10 && unit > 0 ? 10 : 1;
  return `${Math.ceil(bytes * digits) / digits} ${units[unit]}`;
}
