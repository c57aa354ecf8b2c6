/**
 * Copies the package with its kernels inside: one `src/wgsl/sources.ts` holds
 * the text of every `.wgsl`, and nothing is imported as text any more. For
 * registries and bundlers that refuse text imports:
 *
 *     deno task wgsl:embed out/embedded
 *     cd out/embedded && deno publish
 */

const TEXT_IMPORT =
  /import (\w+) from "(\.\/[^"]+\.wgsl)" with\s*\{\s*type: "text",?\s*\};/g;
/** What a copy needs besides what is published. */
const ALSO = ["tools/std/assert"];

/**
 * Writes the copy into a new folder.
 *
 * @param root The package.
 * @param out The new folder.
 * @returns How many kernels' texts were embedded.
 * @throws {Error} If the folder exists, or a text import is left over.
 */
export async function embedKernels(root: URL, out: URL): Promise<number> {
  const config = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  await Deno.mkdir(out);
  const texts = new Map<string, string>();
  const parts: readonly string[] = [...config.publish.include, ...ALSO];
  for (const part of parts) {
    for await (const path of filesOf(root, part)) {
      const from = new URL(path, root);
      const to = new URL(path, out);
      if (path.endsWith(".wgsl")) {
        texts.set(path, await Deno.readTextFile(from));
        continue;
      }
      await Deno.mkdir(new URL(".", to), { recursive: true });
      if (!path.endsWith(".ts")) {
        await Deno.copyFile(from, to);
        continue;
      }
      await Deno.writeTextFile(
        to,
        withoutTextImports(path, await Deno.readTextFile(from)),
      );
    }
  }
  await Deno.writeTextFile(
    new URL("src/wgsl/sources.ts", out),
    sourcesModule(texts),
  );
  return texts.size;
}

/** Files of a path that is published, relative to the root. */
async function* filesOf(root: URL, part: string): AsyncGenerator<string> {
  const { isFile } = await Deno.stat(new URL(part, root));
  if (isFile) {
    yield part;
    return;
  }
  for await (const { name } of Deno.readDir(new URL(`${part}/`, root))) {
    yield* filesOf(root, `${part}/${name}`);
  }
}

/**
 * A module's text with its kernels' texts imported from `sources.ts`.
 *
 * @param path Its path in the package.
 * @throws {Error} If a text import is left over.
 */
export function withoutTextImports(path: string, text: string): string {
  const embedded = text.replaceAll(
    TEXT_IMPORT,
    (_, name: string, specifier: string) => {
      const file = new URL(specifier, `file:///${path}`).pathname.slice(1);
      return `import { ${constantOf(file)} as ${name} } from "./sources.ts";`;
    },
  );
  if (!/type: "text"/.test(embedded)) return embedded;
  throw new Error(
    `Cannot embed the kernels of "${path}": it imports a text in a way this tool does not know`,
  );
}

/** `src/wgsl/conv2d/interface.wgsl` → `conv2d_interface`. */
function constantOf(file: string): string {
  return file.replace(/^src\/wgsl\//, "").replace(/\.wgsl$/, "")
    .replaceAll("/", "_");
}

/** The text of `sources.ts`: kernels' texts by path, as constants. */
export function sourcesModule(texts: ReadonlyMap<string, string>): string {
  const constants = [...texts].sort(([a], [b]) => a < b ? -1 : 1).map((
    [file, text],
  ) =>
    `/** Text of ${file}. */\nexport const ${constantOf(file)}: string = ${
      JSON.stringify(text)
    };\n`
  );
  return `// Made by tools/embed_wgsl.ts; do not edit.\n${constants.join("")}`;
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (folder === undefined) {
    console.error("Usage: deno task wgsl:embed FOLDER");
    Deno.exit(2);
  }
  const out = new URL(`${folder}/`, `file://${Deno.cwd()}/`);
  const count = await embedKernels(new URL("../", import.meta.url), out);
  console.log(`${folder}: the package with ${count} kernel texts inside`);
}
