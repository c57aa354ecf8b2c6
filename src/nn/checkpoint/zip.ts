import { unzipSync } from "npm:fflate@0.8.3";
import { CheckpointError, malformed, printable } from "./checkpoint_error.ts";

/**
 * Reads a zip archive whose entries are stored, as `torch.save` writes it.
 * `checkName` sees each entry's name before it is read and may throw.
 *
 * @throws {CheckpointError} When the archive is malformed, an entry is
 * compressed, occurs twice, or the entries claim more bytes than the file has.
 */
export function readStoredZip(
  bytes: Uint8Array,
  checkName: (name: string) => void = () => {},
): ReadonlyMap<string, Uint8Array> {
  const sizes = new Map<string, number>();
  let total = 0;
  const files = open(bytes, (name, size, originalSize, compression) => {
    checkName(name);
    if (compression !== 0 || size !== originalSize) {
      throw malformed(
        `entry "${printable(name)}" is compressed; torch.save stores entries`,
      );
    }
    total += size;
    if (total > bytes.length) {
      throw malformed(
        `its entries claim ${total} bytes, the file has ${bytes.length}`,
      );
    }
    if (sizes.has(name)) {
      throw malformed(`entry "${printable(name)}" occurs twice`);
    }
    sizes.set(name, size);
  });
  const read = new Map(Object.entries(files));
  for (const [name, size] of sizes) {
    const length = read.get(name)?.length;
    if (length !== size) {
      throw malformed(
        `entry "${printable(name)}" has ${length ?? 0} of ${size} bytes`,
      );
    }
  }
  return read;
}

function open(
  bytes: Uint8Array,
  check: (
    name: string,
    size: number,
    originalSize: number,
    compression: number,
  ) => void,
): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, {
      filter: ({ name, size, originalSize, compression }) => {
        check(name, size, originalSize, compression);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw malformed(`the zip archive is damaged (${reason})`);
  }
}
