import type { StaticFile, StaticFiles } from "./static_files.ts";

/** Says why there is no page. */
const MISSING = `<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>PatchCore service</title></head>
  <body>
    <p>The inspection page is not built: run <code>deno task web</code> and start the service again. The service itself is described at <a href="/openapi.json">/openapi.json</a>.</p>
  </body>
</html>
`;

/** Where `deno task web` writes the page; it is published with the package. */
const PAGE = new URL("../../../web/dist/index.html", import.meta.url);

/**
 * Reads the inspection page, which `serve` sends at `/`. The page is told that
 * it comes from a service. Where it was not built there is a page that says so.
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
  const response = await fetch(page).catch(() => undefined);
  if (response?.ok !== true) return MISSING;
  const text = await response.text();
  return text.replace("<html ", "<html data-service ");
}
