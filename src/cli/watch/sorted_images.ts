import { basename, dirname, join, parse, relative } from "node:path";
import { sha256 } from "../../core/weights.ts";
import { readImage, reason, statOrNothing, writeAtomically } from "../disk.ts";
import type { AuditRecord } from "./audit_log.ts";
import type { Channel } from "./outbox.ts";

/** How images are sorted. */
interface SortingOptions {
  /** The folder that is watched. */
  readonly root: string;
  /** The folder that has `ok`, `nok`, `uncertain` and `error`. */
  readonly out: string;
  /** Whether images get a second name, or are copied. */
  readonly how: "link" | "copy";
  /** Called with what cannot be sorted any more. */
  readonly onTrouble: (sentence: string) => void;
}

/**
 * Gives each image a place in the folder of its verdict, under the path that it
 * has in the watched folder; a second image of a name gets its number in the
 * audit as well. Originals stay where they are.
 */
export class SortedImages implements Channel {
  readonly name = "sort";
  readonly #options: SortingOptions;
  #saidCopied = false;

  /** Nothing is written yet. */
  constructor(options: SortingOptions) {
    this.#options = options;
  }

  wants(): boolean {
    return true;
  }

  async deliver(record: AuditRecord): Promise<void> {
    const { root, out, how, onTrouble } = this.#options;
    const { image_path: path, image_sha256: hash, verdict, n } = record;
    if (hash === null) return; // It could not be read.
    const name = relative(root, path);
    const plain = join(out, verdict, name);
    const { dir, name: stem, ext } = parse(plain);
    const numbered = join(dir, `${stem}~${n}${ext}`);
    for (const place of [plain, numbered]) {
      if (await contentOf(place) === hash) return;
    }
    const place = await statOrNothing(plain) === undefined ? plain : numbered;
    const info = await statOrNothing(path);
    const isSame = info !== undefined && info.size === record.image_bytes &&
      (info.mtime?.getTime() ?? 0) === record.image_modified;
    if (!isSame) {
      return onTrouble(
        `Cannot sort image ${n}, "${path}": it has changed or is gone since it was inspected; the audit has its verdict`,
      );
    }
    await Deno.mkdir(dirname(place), { recursive: true });
    if (how === "link" && await this.#link(path, place)) return;
    const bytes = await readImage(path);
    if (await sha256(bytes) === hash) await writeAtomically(place, bytes);
    else {
      onTrouble(
        `Cannot sort image ${n}, "${path}": it has changed since it was inspected; the audit has its verdict`,
      );
    }
  }

  /** Gives a file a second name; tells where the file system has none to give. */
  async #link(path: string, place: string): Promise<boolean> {
    try {
      await Deno.link(path, place);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw error;
      if (error instanceof Deno.errors.AlreadyExists) throw error;
      if (!this.#saidCopied) {
        this.#saidCopied = true;
        this.#options.onTrouble(
          `Images are copied instead of linked, as "${
            basename(path)
          }" cannot have a second name in "${this.#options.out}": ${
            reason(error)
          }; --sort copy says so from the start`,
        );
      }
      return false;
    }
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  const info = await statOrNothing(path);
  return info?.isFile ? await sha256(await readImage(path)) : undefined;
}
