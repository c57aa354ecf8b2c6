import { assertEquals } from "@std/assert";
import type { Category, Sample } from "../../../src/core/datasets/dataset.ts";
import { readDataset } from "../../../src/core/datasets/read_dataset.ts";
import type { FileEntry, Files } from "../../../src/core/datasets/files.ts";

/** A file tree in memory; listing a folder that is not there fails. */
export class MemoryFiles implements Files {
  readonly #files = new Map<string, Uint8Array>();

  /** @param paths Files without content, or with text or bytes. */
  constructor(...paths: (string | [string, string | Uint8Array])[]) {
    for (const entry of paths) {
      const [path, content] = typeof entry === "string" ? [entry, ""] : entry;
      this.#files.set(
        path,
        typeof content === "string"
          ? new TextEncoder().encode(content)
          : content,
      );
    }
  }

  async *list(path: string): AsyncIterable<FileEntry> {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    const found = new Map<string, boolean>();
    for (const file of [...this.#files.keys()].reverse()) {
      if (!file.startsWith(prefix)) continue;
      const [name = "", ...below] = file.slice(prefix.length).split("/");
      found.set(name, below.length > 0);
    }
    if (found.size === 0) throw new Error(`No such folder: ${path}`);
    for (const [name, isDirectory] of found) {
      yield await Promise.resolve({ name, isDirectory, isFile: !isDirectory });
    }
  }

  read(path: string): Promise<Uint8Array> {
    const bytes = this.#files.get(path);
    return bytes === undefined
      ? Promise.reject(new Error(`No such file: ${path}`))
      : Promise.resolve(bytes);
  }
}

/** Builds a version 1 `.npy` file. */
export function npyFile(
  descr: string,
  shape: readonly number[],
  data: ArrayBufferView<ArrayBuffer>,
  order = "False",
): Uint8Array<ArrayBuffer> {
  const dims = shape.map((size) => `${size},`).join(" ");
  const header =
    `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${dims}), }\n`;
  const file = new Uint8Array(10 + header.length + data.byteLength);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(new Uint8Array(data.buffer), 10 + header.length);
  return file;
}

/** The paths of samples. */
export function paths(samples: readonly Sample[]): string[] {
  return samples.map(({ path }) => path);
}

/** Reads a dataset of one category. */
export async function readOne(files: Files, root: string): Promise<Category> {
  const categories = await readDataset(files, root);
  assertEquals(categories.length, 1);
  return categories[0]!;
}
