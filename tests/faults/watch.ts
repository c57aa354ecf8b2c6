/**
 * Has `watch` inspect files that come in bursts, written in parts, renamed or
 * overwritten, while it is killed and started again, and sees that each image is
 * in the audit once, and that webhook and broker were told of each: `deno run -A
 * tests/faults/watch.ts [FILES] [KILLS]`, 5000 and 12 by default.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { sha256 } from "../../src/core/weights.ts";
import type { AuditRecord } from "../../src/cli/watch/audit_log.ts";
import { Chance } from "../fuzz/damage.ts";
import { NO_MOSQUITTO, startBroker } from "../cli/watch/mosquitto.ts";
import {
  auditOf,
  startWatch,
  until,
  writeTinyModel,
} from "../cli/watch/watch_process.ts";

const SECRET = "secret of the line";

/** Milliseconds between the parts of a file, at the most. */
const PAUSE = 1500;

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

if (import.meta.main) {
  const [files = "5000", kills = "12"] = Deno.args;
  await watchUnderFaults(Number(files), Number(kills), new Chance(1));
  Deno.exit();
}

async function watchUnderFaults(
  files: number,
  kills: number,
  chance: Chance,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const inbox = `${root}/in`;
  const out = `${root}/out`;
  const port = 19_830 + Deno.pid % 1000;
  try {
    await Deno.mkdir(`${inbox}/sub`, { recursive: true });
    const model = `${root}/part.safetensors`;
    const pictures = await writeTinyModel(model);
    const hook = startReceiver(chance);
    if (NO_MOSQUITTO !== undefined) {
      console.log(`Without a broker: ${NO_MOSQUITTO}`);
    }
    const broker = NO_MOSQUITTO === undefined
      ? await startBroker(port)
      : undefined;
    const published = broker && await listen(broker.url);
    const start = (): Deno.ChildProcess =>
      startWatch([
        ...[inbox, "--model", model, "--out", out, "--batch", "8"],
        ...["--interval", "0.3", "--patience", "20", "--sort", "link"],
        ...["--webhook", hook.url, "--webhook-secret-env", "PATCHCORE_SECRET"],
        ...broker ? ["--mqtt", broker.url, "--mqtt-topic", "line/1"] : [],
      ], { PATCHCORE_SECRET: SECRET });
    const begun = performance.now();
    const seconds = (): string =>
      ((performance.now() - begun) / 1000).toFixed(0);
    const camera = takePictures(inbox, files, pictures, chance);
    let isTaken = false;
    void camera.then(() => isTaken = true);
    let killed = 0;
    const stopTimes: number[] = [];
    while (killed < kills || !isTaken) {
      const child = start();
      const stderr = new Response(child.stderr).text();
      const before = (await auditOf(out)).length;
      const most = files / (kills + 1);
      // So that each life gets on, however slow the machine is.
      const enough = before + chance.below(Math.ceil(most));
      const by = performance.now() + 120_000;
      while (
        (await auditOf(out)).length <= enough && performance.now() < by &&
        !(isTaken && (await auditOf(out)).length >= files)
      ) await wait(200);
      const signal = (["SIGKILL", "SIGKILL", "SIGTERM", "SIGINT"] as const)[
        killed % 4
      ]!;
      const told = performance.now();
      child.kill(signal);
      const { code } = await child.status;
      if (signal !== "SIGKILL") {
        stopTimes.push(performance.now() - told);
        assertEquals(code, signal === "SIGINT" ? 130 : 0, await stderr);
      }
      const said = await stderr;
      assert(!/ {4}at |Uncaught|panicked/.test(said), said);
      killed++;
      console.log(
        `${seconds()} s: ${signal}, ${(await auditOf(out)).length} images`,
      );
    }
    const expected = await camera;
    const last = start();
    const stderr = new Response(last.stderr).text();
    await until(
      "all are in the audit",
      async () => (await auditOf(out)).length >= expected.size,
      600,
    );
    await until("all are told", () =>
      hook.heard.size >= expected.size &&
      (published === undefined || published.size >= expected.size), 300);
    await wait(2000); // Whatever came twice would come now.
    last.kill("SIGTERM");
    assertEquals((await last.status).code, 0, await stderr);

    const audit = await auditOf(out);
    const counts = new Map<string, number>();
    for (const one of audit) {
      counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
    }
    const lost = [...expected.keys()].filter((key) => !counts.has(key));
    const twice = [...counts].filter(([, count]) => count > 1);
    const foreign = audit.filter((one) => !expected.has(keyOf(one)));
    assertEquals([lost, twice, foreign], [[], [], []]);
    for (const one of audit) {
      assertEquals(one.verdict, expected.get(keyOf(one)), one.image_path);
    }
    const numbers = audit.map(({ n }) => n);
    assertEquals(numbers, numbers.map((_, i) => i + 1));
    for (
      const [name, heard] of [["webhook", hook.heard], [
        "mqtt",
        published,
      ]] as const
    ) {
      if (heard === undefined) continue;
      assertEquals(numbers.filter((n) => !heard.has(n)), [], name);
    }
    await assertSorted(out, audit);
    console.log(
      `${expected.size} images of ${files} files in ${seconds()} s, ${killed} ends: each once in the audit; webhook ${hook.deliveries.count} deliveries (${hook.deliveries.refused} refused), broker ${
        published === undefined ? "not there" : `told of ${published.size}`
      }; ended within ${
        Math.max(0, ...stopTimes).toFixed(0)
      } ms by SIGTERM and SIGINT`,
    );
    await hook.stop();
    await broker?.[Symbol.asyncDispose]();
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function keyOf({ image_path, image_sha256 }: AuditRecord): string {
  return `${image_path.replace(/.*\/in\//, "")} ${image_sha256}`;
}

/**
 * Writes files as cameras do.
 *
 * @returns What the audit has to have of each image, by name and hash.
 */
async function takePictures(
  inbox: string,
  files: number,
  { good, bad }: Awaited<ReturnType<typeof writeTinyModel>>,
  chance: Chance,
): Promise<Map<string, AuditRecord["verdict"]>> {
  const expected = new Map<string, AuditRecord["verdict"]>();
  const writing: Promise<void>[] = [];
  for (let i = 0; i < files;) {
    const burst = 1 + chance.below(200);
    for (let k = 0; k < burst && i < files; k++, i++) {
      const name = `${i % 3 === 0 ? "sub/" : ""}${i}.png`;
      const isGood = chance.below(4) > 0;
      const bytes = numbered(isGood ? good : bad, i);
      expected.set(`${name} ${await sha256(bytes)}`, isGood ? "ok" : "nok");
      writing.push(write(`${inbox}/${name}`, bytes, chance));
    }
    await wait(chance.below(3000));
  }
  await Promise.all(writing);
  return expected;
}

/** The bytes of a picture, and a number after its end: no two files are alike. */
function numbered(
  bytes: Uint8Array<ArrayBuffer>,
  i: number,
): Uint8Array<ArrayBuffer> {
  const one = new Uint8Array(bytes.length + 4);
  one.set(bytes);
  new DataView(one.buffer).setUint32(bytes.length, i + 1);
  return one;
}

/** Writes a file at once, in parts, or under another name first. */
async function write(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  chance: Chance,
): Promise<void> {
  const way = chance.below(3);
  if (way === 0) return await Deno.writeFile(path, bytes);
  if (way === 1) {
    const hidden = path.replace(/([^/]*)$/, ".$1.part");
    await Deno.writeFile(hidden, bytes);
    return await Deno.rename(hidden, path);
  }
  const parts = 2 + chance.below(3);
  const pauses = Array.from({ length: parts }, () => chance.below(PAUSE));
  using file = await Deno.open(path, { write: true, create: true });
  for (const [part, pause] of pauses.entries()) {
    const from = Math.floor(part * bytes.length / parts);
    const to = Math.floor((part + 1) * bytes.length / parts);
    await file.write(bytes.subarray(from, to));
    if (part + 1 < parts) await wait(pause);
  }
}

/** Every image that was sorted is what the audit says of it. */
async function assertSorted(
  out: string,
  audit: readonly AuditRecord[],
): Promise<void> {
  for (const { image_path, image_sha256, verdict } of audit) {
    const name = image_path.replace(/.*\/in\//, "");
    const bytes = await Deno.readFile(`${out}/${verdict}/${name}`);
    assertEquals(await sha256(bytes), image_sha256, name);
  }
}

interface Receiver {
  readonly url: string;
  readonly heard: Set<number>;
  readonly deliveries: { count: number; refused: number };
  stop(): Promise<void>;
}

/** Takes requests, but for one in a hundred, and checks their signatures. */
function startReceiver(chance: Chance): Receiver {
  const heard = new Set<number>();
  const deliveries = { count: 0, refused: 0 };
  const key = crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(SECRET),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { headers } = request;
      const body = await request.text();
      deliveries.count++;
      if (chance.below(100) === 0) {
        deliveries.refused++;
        return new Response(null, { status: 503 });
      }
      const signed = ["webhook-id", "webhook-timestamp"].map((name) =>
        headers.get(name)
      );
      const isOurs = await crypto.subtle.verify(
        "HMAC",
        await key,
        Uint8Array.fromBase64(headers.get("webhook-signature")!.slice(3)),
        new TextEncoder().encode([...signed, body].join(".")),
      );
      if (!isOurs) return new Response(null, { status: 401 });
      heard.add(JSON.parse(body).n);
      return new Response(null, { status: 204 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    heard,
    deliveries,
    stop: () => server.shutdown(),
  };
}

/** Numbers of the images that a broker was told of. */
async function listen(url: string): Promise<Set<number>> {
  const { connectAsync } = await import("../../src/cli/watch/mqtt_client.ts");
  const heard = new Set<number>();
  const client = await connectAsync(url);
  client.on("message", (_topic: string, payload: Uint8Array) => {
    heard.add(JSON.parse(new TextDecoder().decode(payload)).n);
  });
  await client.subscribeAsync("line/1", { qos: 1 });
  return heard;
}
