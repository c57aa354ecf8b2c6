/**
 * Writes the WebAssembly of `@jsquash/jpeg` into a module, so that it is there
 * wherever the package is: without a permission to read files, in threads, from
 * JSR and in a browser. After another version of it:
 *
 *     deno run -A tools/embed_mozjpeg.ts
 */

const WASM = "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";

/** Where the module is. */
export const MODULE: URL = new URL(
  "../src/core/images/mozjpeg_wasm.ts",
  import.meta.url,
);

/** The WebAssembly as the package has it. */
export async function packagedWasm(): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(new URL(import.meta.resolve(WASM)));
}

if (import.meta.main) {
  const gzip = new Blob([await packagedWasm()]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const text = (await new Response(gzip).bytes()).toBase64();
  await Deno.writeTextFile(
    MODULE,
    `/** ${WASM} as gzip, base64; tools/embed_mozjpeg.ts has written it. */
export const MOZJPEG_WASM: string =
  "${text}";
`,
  );
}
