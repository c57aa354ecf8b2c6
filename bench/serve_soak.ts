/**
 * Endurance test of `serve` on this machine, with a network so small that it is
 * the service that works: many requests of every kind, then senders that dawdle
 * beside a client that does not, then headers that take long to understand. It
 * stops by itself, and fails unless memory stays flat and everybody gets what
 * is due.
 *
 *     deno run -A bench/serve_soak.ts [--requests 20000] [--clients 4] \
 *       [--senders 32]
 *
 * @module
 */
import { encodePng } from "../src/core/images/png.ts";
import type { Pixels } from "../src/core/images/pixels.ts";
import { formBody, imageBody } from "../tests/cli/serve/fake_service.ts";
import { startService } from "../tests/cli/serve/service_process.ts";
import { tinyDetector, tinyImages } from "../tests/tiny_model.ts";
import { quantile, slope } from "./load.ts";

/** MiB that a thousand requests may cost, after those that warm it up. */
const FLAT = 1;
const WARM_UP = 0.1;
/** Requests from one look at the memory to the next. */
const SAMPLE = 200;
/** Milliseconds that a request with a long header may take. */
const QUICK = 50;
/** Characters of a long header, about what the server takes at all. */
const LONG = 60_000;

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

const folder = await Deno.makeTempDir();
const results: boolean[] = [];
try {
  const model = `${folder}/tiny.safetensors`;
  using detector = await tinyDetector();
  await Deno.writeFile(model, detector.save({ bundle: true }));
  const whole = tinyImages(1).test[0]!.content as Pixels;
  const image = await encodePng(whole);
  const small = await encodePng(quarter(whole));
  const service = await startService("--model", model, "--quiet");
  try {
    results.push(await requests(service.url, image, small));
    results.push(await dawdlers(service.url, small));
    results.push(await headers(service.url, small));
  } finally {
    const { code, stderr } = await service.stop("SIGTERM");
    console.log(`The service ended with ${code}${stderr && `: ${stderr}`}`);
    results.push(code === 0);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
const held = results.every(Boolean);
console.log(held ? "Holds" : "Does not hold");
Deno.exit(held ? 0 : 1);

/** Every fourth pixel of every fourth row. */
function quarter({ width, height, data }: Pixels): Pixels {
  const [columns, rows] = [width >> 2, height >> 2];
  const pixels = new Uint32Array(data.slice().buffer);
  const kept = Uint32Array.from(
    { length: columns * rows },
    (_, i) => pixels[4 * (Math.trunc(i / columns) * width + i % columns)]!,
  );
  const small = new Uint8ClampedArray(kept.buffer);
  return { width: columns, height: rows, data: small };
}

async function residentMiB(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const [, bytes] = /^process_resident_memory_bytes (\S+)$/m.exec(text)!;
  return Number(bytes) / 2 ** 20;
}

/** Memory over many requests: images, maps, forms and damaged images. */
async function requests(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  small: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const total = option("requests", 20_000);
  const cut = image.subarray(0, image.length >> 1);
  const kinds: (readonly [path: string, init: RequestInit, status: number])[] =
    [
      ["/predict", imageBody(image), 200],
      ["/predict", imageBody(small), 200],
      ["/predict", imageBody(small), 200],
      ["/predict?map=png", imageBody(small), 200],
      ["/predict", imageBody(small, { accept: "image/png" }), 200],
      ["/predict", formBody({ a: small, b: cut }), 200],
      ["/predict", imageBody(cut), 422],
      ["/predict?modle=tiny", imageBody(image), 400],
    ];
  let sent = 0;
  let wrong = 0;
  const samples: [thousands: number, mib: number][] = [];
  const client = async (): Promise<void> => {
    while (sent < total) {
      const number = ++sent;
      const [path, init, status] = kinds[number % kinds.length]!;
      const response = await fetch(url + path, init);
      await response.bytes();
      if (response.status !== status) wrong++;
      if (number % SAMPLE !== 0) continue;
      const mib = await residentMiB(url);
      samples.push([number / 1000, mib]);
      if (number % (10 * SAMPLE) === 0) {
        console.log(`${number} requests: ${mib.toFixed(1)} MiB`);
      }
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: option("clients", 4) }, client));
  const seconds = (performance.now() - start) / 1000;
  const warm = samples.filter(([at]) => at > WARM_UP * total / 1000);
  const grown = slope(warm);
  console.log(
    `${total} requests in ${
      seconds.toFixed(0)
    } s, ${wrong} answered wrongly; memory grows by ${
      grown.toFixed(2)
    } MiB for each 1000 after the first ${WARM_UP * total}`,
  );
  return wrong === 0 && grown < FLAT;
}

/** Senders of one byte a second, as many as the queue has places. */
async function dawdlers(
  url: string,
  image: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const answers = new Map<string, number>();
  const start = performance.now();
  const senders = Array.from(
    { length: option("senders", 32) },
    async () => {
      const answer = await dawdle(url);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    },
  );
  let dawdling = true;
  const all = Promise.all(senders).then(() => dawdling = false);
  const times: number[] = [];
  let wrong = 0;
  while (dawdling) {
    const before = performance.now();
    const response = await fetch(`${url}/predict`, imageBody(image));
    await response.bytes();
    times.push(performance.now() - before);
    if (response.status !== 200) wrong++;
  }
  await all;
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  console.log(
    `${senders.length} slow senders were answered ${
      [...answers].map(([answer, count]) => `${answer} (${count})`).join(", ")
    } within ${seconds.toFixed(1)} s; the client beside them got ${
      times.length - wrong
    } of ${times.length} images scored, p50 ${
      quantile(times, 0.5).toFixed(1)
    } ms, most ${times.at(-1)!.toFixed(1)} ms`,
  );
  return wrong === 0 && times.length > 0 &&
    answers.size === 1 && answers.has("408");
}

/** Sends a byte a second until it is answered; returns the status. */
async function dawdle(url: string): Promise<string> {
  const { hostname, port, host } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST /predict HTTP/1.1\r\nhost: ${host}\r\n` +
    "content-type: image/png\r\ncontent-length: 100000\r\n\r\n";
  await connection.write(new TextEncoder().encode(head));
  const drip = setInterval(
    () => void connection.write(new Uint8Array(1)).catch(() => {}),
    1000,
  );
  const answer = new Uint8Array(1024);
  const read = await connection.read(answer).catch(() => 0) ?? 0;
  clearInterval(drip);
  const text = new TextDecoder().decode(answer.subarray(0, read));
  return /^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? "nothing";
}

/** Requests with long headers; each is tried three times, the best counts. */
async function headers(
  url: string,
  image: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const form = "multipart/form-data; boundary=x";
  const long: (readonly [name: string, value: string])[] = [
    ["content-type", `${form}; a="${'\\"'.repeat(LONG / 2)}`],
    ["content-type", form + "; a=b".repeat(LONG / 5)],
    ["content-type", `${form}${" ".repeat(LONG)}; a=b`],
    ["accept", "a,".repeat(LONG / 2)],
    ["origin", `http://${":".repeat(LONG)}`],
    ["x-other", "y".repeat(LONG)],
  ];
  let slowest = 0;
  for (const [name, value] of long) {
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      const response = await fetch(
        `${url}/predict`,
        imageBody(image, { [name]: value }),
      );
      await response.bytes();
      best = Math.min(best, performance.now() - start);
    }
    slowest = Math.max(slowest, best);
  }
  console.log(
    `The slowest of ${long.length} headers of ${LONG} characters took ${
      slowest.toFixed(1)
    } ms`,
  );
  return slowest < QUICK;
}
