import {
  KNOWN_WEIGHTS,
  LICENCE_KEY,
  LICENCE_TEXT_KEY,
} from "../core/weights.ts";
import { readFile } from "./disk.ts";
import { UsageError } from "./exit.ts";

/** What a command line says of a licence. */
export interface LicenceOptions {
  /** Whether the user agrees to it. */
  readonly acceptLicence?: boolean | undefined;
  /** Its text, a file. */
  readonly licence?: string | undefined;
}

/**
 * What an ONNX file says of the licence of a network's weights.
 *
 * @param name Name of the network.
 * @throws {UsageError} If the licence has terms that nobody agreed to; the
 * message tells them.
 */
export async function licenceMetadata(
  name: string,
  { acceptLicence = false, licence: file }: LicenceOptions,
): Promise<ReadonlyMap<string, string>> {
  const licence = KNOWN_WEIGHTS.get(name)?.licence;
  if (licence !== undefined && licence.terms.length > 0 && !acceptLicence) {
    throw new UsageError(
      `Cannot take the weights of "${name}" before their licence is accepted, the ${licence.name} (${licence.url}): ${
        licence.terms.join("; ")
      }; read it and, if you agree, run "weights" again with --accept-licence`,
    );
  }
  const text = file === undefined
    ? undefined
    : new TextDecoder().decode(await readFile(file)).trim();
  if (text === "") {
    throw new UsageError(`Cannot use --licence ${file}: it is empty`);
  }
  return new Map([
    ...(licence?.terms.length ? [[LICENCE_KEY, licence.name] as const] : []),
    ...(text === undefined ? [] : [[LICENCE_TEXT_KEY, text] as const]),
  ]);
}
