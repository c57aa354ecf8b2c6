/** A file that the service sends as it is. */
export interface StaticFile {
  /** Media type, e.g. `text/html; charset=utf-8`. */
  readonly type: string;
  /** The whole content, sent uncompressed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** More header fields, e.g. a content security policy. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Maps the path of a URL, `/` among them, to a file; undefined where there is
 * none. The service's own paths come first.
 */
export type StaticFiles = (
  path: string,
) => StaticFile | undefined | Promise<StaticFile | undefined>;

/** No files at all. */
export const NO_FILES: StaticFiles = () => undefined;

/** The answer with a file. */
export function fileResponse({ type, bytes, headers }: StaticFile): Response {
  return new Response(bytes, {
    headers: { "content-type": type, "cache-control": "no-cache", ...headers },
  });
}
