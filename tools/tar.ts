/** A file of an archive. */
export interface TarEntry {
  /** Its path. */
  readonly path: string;
  /** Its content. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const BLOCK = 512;

/**
 * The files of a tar archive, as `deno publish` and `npm pack` make them: ustar
 * headers, long names in GNU's or POSIX's records before them.
 */
export function readTar(archive: Uint8Array<ArrayBuffer>): TarEntry[] {
  const entries: TarEntry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const size = parseInt(textOf(header, 124, 12), 8) || 0;
    const bytes = archive.slice(at + BLOCK, at + BLOCK + size);
    const kind = textOf(header, 156, 1);
    if (kind === "L") longName = textOf(bytes, 0, size);
    else if (kind === "x") {
      longName = /\d+ path=(.*)\n/.exec(textOf(bytes, 0, size))?.[1];
    } else {
      if (kind === "" || kind === "0") {
        entries.push({ path: longName ?? nameOf(header), bytes });
      }
      longName = undefined;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}

function nameOf(header: Uint8Array): string {
  const name = textOf(header, 0, 100);
  const isPosix = textOf(header, 257, 6) === "ustar";
  const prefix = isPosix ? textOf(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Text up to the first zero byte. */
function textOf(bytes: Uint8Array, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
