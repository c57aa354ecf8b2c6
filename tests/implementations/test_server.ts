/**
 * Serves the checkout to a browser as JavaScript, so that tests run there as
 * they stand: TypeScript without its types, kernels' texts as modules, packages
 * of npm bundled one by one.
 *
 * @module
 */
import { transform } from "esbuild";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const CONFIG = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
const RUNNER = "/tests/implementations/deno_in_browser.ts";

/** A page that has `runTests`. */
const PAGE = `<!DOCTYPE html><link rel="icon" href="data:,">
<script type="module" src="${RUNNER}"></script>`;

/** A server of this checkout on loopback. */
export class TestServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #packages = new Map<string, Promise<string>>();

  /** Listens on a port that is free. */
  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        try {
          return await this.#answer(new URL(request.url));
        } catch (error) {
          if (error instanceof Deno.errors.NotFound) {
            return new Response(null, { status: 404 });
          }
          return new Response(String(error), { status: 500 });
        }
      },
    );
  }

  /** Where the page is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async #answer({ pathname, searchParams }: URL): Promise<Response> {
    const place = searchParams.get("path");
    if (pathname === "/") return answer(PAGE, "text/html");
    if (place !== null) return await tell(pathname, onDisk(place));
    if (pathname.startsWith("/npm/")) {
      return answer(await this.#package(decodeURIComponent(pathname.slice(5))));
    }
    const text = await Deno.readTextFile(`${ROOT}${pathname.slice(1)}`);
    if (pathname.endsWith(".wgsl")) {
      return answer(`export default ${JSON.stringify(text)};`);
    }
    return answer(await javaScript(text, pathname));
  }

  /** A package of npm as one module. */
  #package(specifier: string): Promise<string> {
    let made = this.#packages.get(specifier);
    if (made === undefined) {
      made = bundled(specifier);
      this.#packages.set(specifier, made);
    }
    return made;
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function answer(text: string, type = "text/javascript"): Response {
  return new Response(text, {
    headers: { "content-type": `${type}; charset=utf-8` },
  });
}

/** Paths that tests make are of this machine, or below the page's address. */
function onDisk(path: string): string {
  const isOfMachine = path.startsWith(ROOT) || !path.startsWith("/");
  return isOfMachine ? path : `${ROOT}${path.slice(1)}`;
}

async function tell(what: string, path: string): Promise<Response> {
  if (what === "/file") return new Response(await Deno.readFile(path));
  if (what === "/folder") {
    return Response.json(await Array.fromAsync(Deno.readDir(path)));
  }
  const { isFile, isDirectory, size } = await Deno.stat(path);
  return Response.json({ isFile, isDirectory, size });
}

async function javaScript(text: string, path: string): Promise<string> {
  const plain = text.replaceAll(/\s+with\s*\{\s*type: "text",?\s*\}/g, "");
  const { code } = await transform(plain, {
    loader: "ts",
    format: "esm",
    target: "es2023",
    sourcefile: path,
  });
  return code.replaceAll(
    /(\bfrom\s*|\bimport\s*\(?\s*)"([^"./][^"]*)"/g,
    (found, before: string, specifier: string) =>
      isPackage(specifier) ? `${before}"${addressOf(specifier)}"` : found,
  );
}

/** Whether that names a package; a sentence may have the same form. */
function isPackage(specifier: string): boolean {
  return specifier.startsWith("npm:") || specifier.startsWith(CONFIG.name) ||
    specifier in CONFIG.imports;
}

/** Where the server has what a specifier means. */
function addressOf(specifier: string): string {
  if (specifier === "@std/assert") return "/tools/std/assert/mod.ts";
  if (specifier.startsWith(CONFIG.name)) {
    const entry = CONFIG.exports[`.${specifier.slice(CONFIG.name.length)}`];
    return entry.slice(1);
  }
  const target = specifier.startsWith("npm:")
    ? specifier
    : CONFIG.imports[specifier];
  return `/npm/${encodeURIComponent(target)}`;
}

async function bundled(specifier: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const module = await import(specifier);
    const names = "default" in module ? "export { default } from " : "";
    const entry = `${folder}/entry.ts`;
    await Deno.writeTextFile(
      entry,
      `${names && `${names}"${specifier}";\n`}export * from "${specifier}";\n`,
    );
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      { args: ["bundle", "--quiet", "--platform", "browser", entry] },
    ).output();
    const text = new TextDecoder();
    if (!success) throw new Error(text.decode(stderr));
    return text.decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
