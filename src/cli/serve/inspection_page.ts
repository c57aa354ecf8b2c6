import type { StaticFile, StaticFiles } from "./static_files.ts";

/** Milliseconds after which a page that does not come is given up. */
const PATIENCE = 10_000;

/** Where `deno task web` writes the page; it is published with the package. */
const PAGE = new URL("../../../web/dist/index.html", import.meta.url);

/**
 * Reads the inspection page, which `serve` sends at `/`. The page is told that
 * it comes from a service. Where there is none, a page says what to do.
 */
export async function inspectionPage(page: URL = PAGE): Promise<StaticFiles> {
  const file: StaticFile = {
    type: "text/html; charset=utf-8",
    bytes: new TextEncoder().encode(await readPage(page)),
    headers: { "referrer-policy": "no-referrer", "x-frame-options": "DENY" },
  };
  return (path) => path === "/" || path === "/index.html" ? file : undefined;
}

async function readPage(page: URL): Promise<string> {
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(page, { signal });
    const text = await response.text();
    return response.ok
      ? text.replace("<html ", "<html data-service ")
      : missing(page);
  } catch {
    return missing(page);
  }
}

/** Says why there is no page. */
function missing(page: URL): string {
  const why = page.protocol === "file:"
    ? "is not built: run <code>deno task web</code>"
    : `cannot be fetched from <code>${page}</code>: let the service reach it`;
  return `<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>PatchCore service</title></head>
  <body>
    <p>The inspection page ${why} and start the service again. The service itself is described at <a href="/openapi.json">/openapi.json</a>.</p>
  </body>
</html>
`;
}
