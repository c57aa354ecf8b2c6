/** A server of files that are made up: path → content. */
export interface PageServer extends AsyncDisposable {
  /** Where it is, with a final slash. */
  readonly url: string;
}

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  html: "text/html; charset=utf-8",
};

/** Serves these files on loopback; `/` is `index.html`. */
export function serveFiles(
  files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>,
): PageServer {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const path = new URL(request.url).pathname.slice(1) || "index.html";
      const content = files[path];
      if (content === undefined) return new Response(null, { status: 404 });
      const type = TYPES[path.replace(/^.*\./, "")] ?? "text/plain";
      return new Response(content, { headers: { "content-type": type } });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
