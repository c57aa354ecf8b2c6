import { createHash } from "node:crypto";

/** A file that could not be downloaded, or is not the expected one. */
export class DownloadError extends Error {
  /** Tells this class of errors from others. */
  override readonly name = "DownloadError";
  /** The lines of the message: what went wrong, then what can be done. */
  readonly lines: readonly [string, ...string[]];

  /** @param advice Further lines of the message. */
  constructor(
    message: string,
    { advice = [], ...options }: ErrorOptions & {
      readonly advice?: readonly string[];
    } = {},
  ) {
    const lines = [message, ...advice] as const;
    super(lines.join("\n"), options);
    this.lines = lines;
  }
}

interface DownloadOptions {
  /** The SHA-256 of the file or its first digits; not checked when absent. */
  readonly sha256?: string;
  /** The most bytes that the file may have; any number when absent. */
  readonly maxBytes?: number;
  /** How often a connection may fail before giving up; 4 by default. */
  readonly attempts?: number;
  /** Pause before the second attempt, doubled each time; 500 by default. */
  readonly retryDelayMs?: number;
  /** Longest silence of the server, in milliseconds; 60000 by default. */
  readonly stallMs?: number;
  /** Called with the bytes there are and, when known, those there will be. */
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
  /** Stops the download; what has arrived stays for the next time. */
  readonly signal?: AbortSignal;
}

interface Downloaded {
  /** Size of the file. */
  readonly bytes: number;
  /** SHA-256 of the file, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Bytes that were there from an earlier attempt. */
  readonly resumedFrom: number;
}

/** The server does not give the file; asking again does not help. */
class FinalError extends DownloadError {}

/**
 * Downloads `url` to `path`. The bytes gather in `path.part`; a cut connection,
 * or the next call, goes on where that file ends. It gets its name only once
 * its SHA-256 is right.
 *
 * @throws {DownloadError} When the server refuses, the connection keeps
 * failing, or the SHA-256 is wrong; in the last case the bytes are removed.
 */
export async function download(
  url: string,
  path: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  if (!URL.canParse(url)) {
    throw new DownloadError(`Cannot download "${url}": it is no address`);
  }
  const part = `${path}.part`;
  const resumedFrom = await transferWithRetries(url, part, options);
  const { size } = await Deno.stat(part);
  const sha256 = await fileSha256(part);
  const expected = options.sha256?.toLowerCase();
  if (expected !== undefined && !sha256.startsWith(expected)) {
    await Deno.remove(part);
    // What an earlier call left may be of another file: fetch it all once.
    if (resumedFrom > 0) return await download(url, path, options);
    throw new DownloadError(
      `Refused ${url}: its SHA-256 is ${sha256}, expected ${expected}${
        expected.length < 64 ? "…" : ""
      }; the ${size} bytes were removed`,
    );
  }
  await Deno.rename(part, path);
  return { bytes: size, sha256, resumedFrom };
}

/** Returns the SHA-256 of a file as 64 lowercase hexadecimal digits. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

async function transferWithRetries(
  url: string,
  part: string,
  options: DownloadOptions,
): Promise<number> {
  const { attempts = 4, retryDelayMs = 500, signal } = options;
  const resumedFrom = await sizeOf(part);
  for (let attempt = 1;; attempt++) {
    try {
      await transfer(url, part, options);
      return resumedFrom;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof FinalError || isDiskError(error)) throw error;
      if (attempt >= attempts) throw await gaveUp(url, part, attempts, error);
      await pause(retryDelayMs * 2 ** (attempt - 1), signal);
    }
  }
}

/** Asks once for what is missing and appends it. */
async function transfer(
  url: string,
  part: string,
  options: DownloadOptions,
): Promise<void> {
  const { stallMs = 60_000, maxBytes = Infinity, signal, onProgress } = options;
  const stall = new AbortController();
  const stop = signal ? AbortSignal.any([signal, stall.signal]) : stall.signal;
  const silence = (): void =>
    stall.abort(new DownloadError(`no data for ${stallMs / 1000} s`));
  let timer = setTimeout(silence, stallMs);
  try {
    const have = await sizeOf(part);
    // A compressed answer could not be gone on with.
    const headers = new Headers({ "accept-encoding": "identity" });
    if (have > 0) headers.set("range", `bytes=${have}-`);
    const response = await fetch(url, { headers, signal: stop });
    const plan = await planOf(response, url, part, have);
    if (plan === undefined || response.body === null) return;
    let { bytes } = plan;
    const check = async (size: number): Promise<void> => {
      if (size > maxBytes) throw await tooLarge(url, part, size, maxBytes);
    };
    if ((plan.total ?? bytes) > maxBytes) await response.body.cancel();
    await check(plan.total ?? bytes);
    using file = await Deno.open(part, {
      create: true,
      write: true,
      truncate: bytes === 0,
      append: bytes > 0,
    });
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(silence, stallMs);
      await writeAll(file, chunk);
      bytes += chunk.length;
      await check(bytes);
      onProgress?.(bytes, plan.total);
    }
    if (plan.total !== undefined && bytes !== plan.total) {
      throw new DownloadError(`it ended after ${bytes} of ${plan.total} bytes`);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Refuses a file that cannot be the one; what has come of it is removed. */
async function tooLarge(
  url: string,
  part: string,
  bytes: number,
  most: number,
): Promise<FinalError> {
  await Deno.remove(part).catch(() => {});
  return new FinalError(
    `Refused ${url}: it has ${bytes} bytes or more, expected at most ${most}; what had arrived was removed`,
  );
}

interface Plan {
  /** Bytes of the part file to keep. */
  readonly bytes: number;
  /** Size of the whole file. */
  readonly total: number | undefined;
}

/** Decides from the answer where its body belongs; undefined: all is there. */
async function planOf(
  response: Response,
  url: string,
  part: string,
  have: number,
): Promise<Plan | undefined> {
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/
    .exec(response.headers.get("content-range") ?? "");
  const total = range && range[2] !== "*" ? Number(range[2]) : undefined;
  if (response.status === 206 && range && Number(range[1]) === have) {
    return { bytes: have, total };
  }
  if (response.status === 200) {
    const length = response.headers.get("content-length");
    const plain = !response.headers.has("content-encoding");
    return {
      bytes: 0,
      total: plain && length !== null ? Number(length) : undefined,
    };
  }
  await response.body?.cancel();
  if (have > 0 && (response.status === 416 || response.status === 206)) {
    if (response.status === 416 && total === have) return undefined;
    await Deno.remove(part);
    throw new DownloadError("the part file does not fit; starting anew");
  }
  const what = `${response.status} ${response.statusText}`.trim();
  const passing = response.status >= 500 || response.status === 429 ||
    response.status === 408;
  const make = passing ? DownloadError : FinalError;
  throw new make(`Cannot download ${url}: the server answered ${what}`);
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += await file.write(chunk.subarray(done));
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

async function gaveUp(
  url: string,
  part: string,
  attempts: number,
  error: unknown,
): Promise<DownloadError> {
  const reason = reasonOf(error).replace(`Cannot download ${url}: `, "");
  const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  const bytes = await sizeOf(part);
  const rest = bytes > 0
    ? `; the ${bytes} bytes that arrived stay in "${part}", the next call goes on from there`
    : "";
  return new DownloadError(
    `Cannot download ${url} after ${times}: ${reason}${rest}`,
    { cause: error },
  );
}

/** The innermost message: a failed fetch says why in its cause only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

function isDiskError(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable ||
    (error instanceof Error && "code" in error && error.code === "ENOSPC");
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
