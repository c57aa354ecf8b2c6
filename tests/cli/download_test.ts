import { assert, assertEquals, assertRejects } from "@std/assert";
import { download, DownloadError, fileSha256 } from "../../src/cli/download.ts";
import { sha256 } from "../../src/nn/sha256.ts";

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, i) => i * 31 >> 3);
const DIGEST = await sha256(CONTENT);
const FAST = { retryDelayMs: 1, attempts: 3, sha256: DIGEST };

/** Answers one request; `asked` counts them from 1. */
type Answer = (request: Request, asked: number) => Response;

/** Serves `answer` on 127.0.0.1 while `use` runs in a folder of its own. */
async function serving(
  answer: Answer,
  use: (
    url: string,
    folder: string,
    ranges: (string | null)[],
  ) => Promise<void>,
): Promise<void> {
  const ranges: (string | null)[] = [];
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
      onError: () => new Response(),
    },
    (request) => {
      ranges.push(request.headers.get("range"));
      return answer(request, ranges.length);
    },
  );
  const folder = await Deno.makeTempDir();
  try {
    await use(`http://127.0.0.1:${server.addr.port}/w.pth`, folder, ranges);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Answers with the content from where the request asks for it. */
function ranged(request: Request): Response {
  const from = Number(
    /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0,
  );
  if (from === 0) return new Response(CONTENT);
  if (from >= CONTENT.length) {
    const range = `bytes */${CONTENT.length}`;
    return new Response(null, {
      status: 416,
      headers: { "content-range": range },
    });
  }
  const range = `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`;
  return new Response(CONTENT.subarray(from), {
    status: 206,
    headers: { "content-range": range },
  });
}

/** Answers with 40000 bytes of the content and cuts once they are there. */
function cut(arrived: Promise<void>): Response {
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(CONTENT.subarray(0, 40_000));
      await arrived;
      controller.error(new Error("cut"));
    },
  });
  const headers = { "content-length": String(CONTENT.length) };
  return new Response(body, { headers });
}

/** A promise that resolves at 40000 bytes of progress. */
function arrival(): {
  promise: Promise<void>;
  onProgress: (bytes: number) => void;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, onProgress: (bytes) => bytes >= 40_000 && resolve() };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("download() fetches a file, checks it and reports progress", async () => {
  await serving(ranged, async (url, folder, ranges) => {
    const path = `${folder}/w.pth`;
    const seen: [number, number | undefined][] = [];
    const onProgress = (bytes: number, total: number | undefined) =>
      seen.push([bytes, total]);
    const done = await download(url, path, { ...FAST, onProgress });
    assertEquals(done, {
      bytes: CONTENT.length,
      sha256: DIGEST,
      resumedFrom: 0,
    });
    assertEquals(await Deno.readFile(path), CONTENT);
    assertEquals(seen.at(-1), [CONTENT.length, CONTENT.length]);
    assertEquals(ranges, [null]);
    assertEquals(await fileSha256(path), DIGEST);
    assert(!await exists(`${path}.part`));
  });
});

Deno.test("download() goes on where the connection was cut", async () => {
  const { promise, onProgress } = arrival();
  const answer: Answer = (request, asked) =>
    asked === 1 ? cut(promise) : ranged(request);
  await serving(answer, async (url, folder, ranges) => {
    const path = `${folder}/w.pth`;
    await download(url, path, { ...FAST, onProgress });
    assertEquals(await Deno.readFile(path), CONTENT);
    assertEquals(ranges, [null, "bytes=40000-"]);
  });
});

Deno.test("download() leaves what has arrived for the next call", async () => {
  let working = false;
  const { promise, onProgress } = arrival();
  const answer: Answer = (request) => working ? ranged(request) : cut(promise);
  await serving(answer, async (url, folder) => {
    const path = `${folder}/w.pth`;
    await assertRejects(
      () => download(url, path, { ...FAST, attempts: 1, onProgress }),
      DownloadError,
      `the 40000 bytes that arrived stay in "${path}.part"`,
    );
    assert(!await exists(path));
    assertEquals((await Deno.stat(`${path}.part`)).size, 40_000);
    working = true;
    assertEquals((await download(url, path, FAST)).resumedFrom, 40_000);
    assertEquals(await Deno.readFile(path), CONTENT);
  });
});

Deno.test("download() asks for nothing twice when the part file is whole", async () => {
  await serving(ranged, async (url, folder, ranges) => {
    const path = `${folder}/w.pth`;
    await Deno.writeFile(`${path}.part`, CONTENT);
    await download(url, path, FAST);
    assertEquals(await Deno.readFile(path), CONTENT);
    assertEquals(ranges, [`bytes=${CONTENT.length}-`]);
  });
});

Deno.test("download() starts anew when the server knows no ranges", async () => {
  await serving(() => new Response(CONTENT), async (url, folder) => {
    const path = `${folder}/w.pth`;
    await Deno.writeFile(`${path}.part`, CONTENT.subarray(0, 1000));
    await download(url, path, FAST);
    assertEquals(await Deno.readFile(path), CONTENT);
  });
});

for (
  const [what, rest] of [
    ["is of another file", new Uint8Array(1000)],
    ["is longer than the file", new Uint8Array(CONTENT.length + 5)],
  ] as const
) {
  Deno.test(`download() starts anew when the part file ${what}`, async () => {
    await serving(ranged, async (url, folder) => {
      const path = `${folder}/w.pth`;
      await Deno.writeFile(`${path}.part`, rest);
      await download(url, path, FAST);
      assertEquals(await Deno.readFile(path), CONTENT);
    });
  });
}

Deno.test("download() refuses and removes a file with a wrong SHA-256", async () => {
  await serving(ranged, async (url, folder) => {
    const path = `${folder}/w.pth`;
    const error = await assertRejects(
      () => download(url, path, { ...FAST, sha256: "95faca4d" }),
      DownloadError,
    );
    assert(
      error.message.startsWith(
        `Refused ${url}: its SHA-256 is ${DIGEST}, expected 95faca4d…`,
      ),
      error.message,
    );
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  });
});

Deno.test("download() does not ask again when the file is not there", async () => {
  const missing = () => new Response("no", { status: 404 });
  await serving(missing, async (url, folder, ranges) => {
    await assertRejects(
      () => download(url, `${folder}/w.pth`, FAST),
      DownloadError,
      `Cannot download ${url}: the server answered 404`,
    );
    assertEquals(ranges.length, 1);
  });
});

Deno.test("download() asks again when the server is busy", async () => {
  const answer: Answer = (request, asked) =>
    asked < 3 ? new Response("busy", { status: 503 }) : ranged(request);
  await serving(answer, async (url, folder, ranges) => {
    const path = `${folder}/w.pth`;
    await download(url, path, FAST);
    assertEquals(await Deno.readFile(path), CONTENT);
    assertEquals(ranges.length, 3);
  });
});

Deno.test("download() gives up on a server that falls silent", async () => {
  const silent = () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(CONTENT.subarray(0, 10)),
      }),
    );
  await serving(silent, async (url, folder) => {
    await assertRejects(
      () =>
        download(url, `${folder}/w.pth`, { ...FAST, attempts: 1, stallMs: 50 }),
      DownloadError,
      "no data for 0.05 s",
    );
  });
});

Deno.test("download() stops when its signal is aborted", async () => {
  await serving(ranged, async (url, folder) => {
    const signal = AbortSignal.abort(new Error("stopped by the user"));
    await assertRejects(
      () => download(url, `${folder}/w.pth`, { ...FAST, signal }),
      Error,
      "stopped by the user",
    );
  });
});

Deno.test("download() names the server nobody answers from", async () => {
  const url = "http://127.0.0.1:9/w.pth";
  const folder = await Deno.makeTempDir();
  await assertRejects(
    () => download(url, `${folder}/w.pth`, { ...FAST, attempts: 2 }),
    DownloadError,
    `Cannot download ${url} after 2 attempts: `,
  );
  await Deno.remove(folder);
});

Deno.test("download() refuses what is no address", async () => {
  await assertRejects(
    () => download("mirror/w.pth", "/nowhere/w.pth", FAST),
    DownloadError,
    'Cannot download "mirror/w.pth": it is no address',
  );
});

Deno.test("download() refuses a file that is too large, announced or not", async () => {
  const announced = (): Response => new Response(CONTENT);
  const endless = (): Response =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      }),
    );
  for (const answer of [announced, endless]) {
    let asked = 0;
    const counted = () => {
      asked++;
      return answer();
    };
    await serving(counted, async (url, folder) => {
      const path = `${folder}/w.pth`;
      await assertRejects(
        () => download(url, path, { retryDelayMs: 1, maxBytes: 50_000 }),
        DownloadError,
        `Refused ${url}: it has `,
      );
      assertEquals(asked, 1, "it must not be asked for again");
      assert(!await exists(path) && !await exists(`${path}.part`));
    });
  }
});
