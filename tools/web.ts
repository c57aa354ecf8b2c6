/**
 * Builds the inspection page: one HTML file that needs nothing else.
 *
 * @module
 */
import { stop, transform } from "esbuild";
import { COLORS } from "../src/core/report/style.ts";

const ROOT = new URL("../", import.meta.url);

/** What browsers with WebGPU understand: `using` is not yet among it. */
const TARGET = "es2023";

/** Bundles a browser's entry into one script. */
export async function bundle(entry: URL): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--minify",
      "--platform",
      "browser",
      entry.href,
    ],
    cwd: ROOT,
  }).output();
  if (!success) {
    throw new Error(
      `Cannot bundle "${entry}": ${new TextDecoder().decode(stderr)}`,
    );
  }
  const { code } = await transform(new TextDecoder().decode(stdout), {
    target: TARGET,
    minify: true,
    format: "esm",
  });
  await stop();
  return code;
}

/**
 * The page as text: style, script and demo backbone are put into it, and a
 * content security policy that allows nothing else, but for the WebAssembly of
 * the script's decoder.
 */
export async function buildPage(): Promise<string> {
  const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
  const script = (await bundle(new URL("src/web/main.ts", ROOT)))
    .replaceAll("</script", "<\\/script");
  const style = COLORS + await read("src/web/style.css");
  const backbone = await gzip(
    await Deno.readFile(new URL("weights/demo.onnx", ROOT)),
  );
  const policy = [
    "default-src 'none'",
    `script-src '${await digest(script)}' 'wasm-unsafe-eval'`,
    `style-src '${await digest(style)}'`,
    "img-src data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const parts: Readonly<Record<string, string>> = {
    "<!-- style -->":
      `<meta http-equiv="Content-Security-Policy" content="${policy}">\n    <style>${style}</style>`,
    "<!-- backbone -->":
      `<script type="application/gzip;base64" id="demo-backbone">${backbone.toBase64()}</script>`,
    "<!-- script -->": `<script type="module">${script}</script>`,
  };
  const page = await read("src/web/index.html");
  return page.replace(
    /<!-- (style|backbone|script) -->/g,
    (mark) => parts[mark]!,
  );
}

async function digest(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return `sha256-${new Uint8Array(hash).toBase64()}`;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).bytes();
}

/** Builds the page and writes it where `serve` finds it. */
export async function writePage(): Promise<string> {
  const folder = new URL("web/dist/", ROOT);
  const page = await buildPage();
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL("index.html", folder), page);
  return page;
}

if (import.meta.main) await writePage();
