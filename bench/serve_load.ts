/**
 * Load test of `serve` on this machine: finds what the service can do, then
 * sends twice as much for two minutes. It stops by itself, and fails unless the
 * service lives on, its memory stays flat and every answer is 200 or 429.
 *
 *     deno run -A bench/serve_load.ts [--seconds 120] [--probe 10] \
 *       [--queue 16] [--batch 4] [--model FILE --image FILE] [--json]
 *
 * Without a model it fits one from demo images with the demo's backbone.
 *
 * @module
 */
import { PatchCore } from "../src/core/mod.ts";
import { DEMO_PRODUCTS, demoSet } from "../src/core/demo/demo_set.ts";
import { encodePng } from "../src/core/images/png.ts";
import { demoBackbone } from "../src/cli/load_backbone.ts";
import { startService } from "../tests/cli/serve/service_process.ts";
import { byStatus, capacity, growth, overload, type Send } from "./load.ts";

/** Memory that is called flat grows by less than this share. */
const FLAT = 0.05;
const FACTOR = 2;

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Deno.args[at + 1] ?? fallback;
}

const seconds = Number(option("seconds", "120"));
const probe = Number(option("probe", "10"));
const queue = Number(option("queue", "16"));
const batch = Number(option("batch", "4"));
const folder = await Deno.makeTempDir();
let held = false;
try {
  const model = option("model", `${folder}/demo.safetensors`);
  const images = await prepare(model);
  const service = await startService(
    ...["--model", model, "--queue", String(queue), "--batch", String(batch)],
    "--quiet",
  );
  let code: number;
  try {
    held = await measure(service.url, images);
  } finally {
    ({ code } = await service.stop("SIGTERM"));
  }
  console.log(`The service ended with ${code}`);
  held &&= code === 0;
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(held ? "Holds" : "Does not hold");
Deno.exit(held ? 0 : 1);

/** Fits the demo's model where none is given; returns images to send. */
async function prepare(
  model: string,
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const image = option("image", "");
  if (image !== "") return [await Deno.readFile(image)];
  const set = [...demoSet(DEMO_PRODUCTS[0]!, {
    train: 6,
    good: 4,
    defective: 1,
  })];
  using detector = await PatchCore.create({
    backbone: await demoBackbone(),
    square: true,
    crop: null,
    coreset: 0.01,
  });
  const train = set.filter(({ split }) => split === "train");
  await detector.fit(train.map(({ pixels }) => pixels));
  await Deno.writeFile(model, detector.save());
  const test = set.filter(({ split }) => split === "test");
  return await Promise.all(test.map(({ pixels }) => encodePng(pixels)));
}

/** Measures; returns whether what must hold holds. */
async function measure(
  url: string,
  images: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  let sent = 0;
  const send: Send = async () => {
    const body = images[sent++ % images.length]!;
    const response = await fetch(`${url}/predict`, {
      method: "POST",
      headers: { "content-type": "image/png" },
      body,
    });
    await response.bytes();
    return response.status;
  };
  const clients = Math.max(1, Math.floor(queue / 2));
  const probes = [
    await capacity(send, clients, probe / 2),
    await capacity(send, clients, probe / 2),
  ];
  const rate = FACTOR * Math.max(...probes);
  console.log(
    `Capacity with ${clients} clients: ${
      probes.map((most) => most.toFixed(1)).join(" and ")
    } images/s; sending ${rate.toFixed(1)}/s for ${seconds} s`,
  );
  const memory: number[] = [];
  const slow: number[] = [];
  const sampling = setInterval(async () => {
    const start = performance.now();
    const response = await fetch(`${url}/metrics`).catch(() => undefined);
    const text = await response?.text() ?? "";
    slow.push(performance.now() - start);
    const [, bytes = "NaN"] =
      /^process_resident_memory_bytes (\S+)$/m.exec(text) ?? [];
    memory.push(Number(bytes) / 2 ** 20);
  }, Math.max(200, seconds * 1000 / 60));
  const options = { rate, seconds, mostUnderWay: 8 * queue };
  const { answers, unsent } = await overload(send, options);
  clearInterval(sampling);
  const statuses = byStatus(answers);
  const grown = growth(memory) - 1;
  for (const { status, count, p50, p99 } of statuses) {
    console.log(
      `${status}: ${count} answers, p50 ${p50.toFixed(1)} ms, p99 ${
        p99.toFixed(1)
      } ms`,
    );
  }
  const done = statuses.find(({ status }) => status === 200)?.count ?? 0;
  console.log(
    `${(done / seconds).toFixed(1)} images/s under overload; unsent: ${unsent}`,
  );
  console.log(
    `Memory ${memory[0]?.toFixed(0)} MiB at first, ${
      memory.at(-1)?.toFixed(0)
    } at last, ${
      Math.max(...memory).toFixed(0)
    } at most; last third over middle third ${(grown * 100).toFixed(1)} %`,
  );
  console.log(
    `/metrics was answered within ${Math.max(...slow).toFixed(0)} ms`,
  );
  return unsent === 0 && grown < FLAT &&
    statuses.every(({ status }) => status === 200 || status === 429) &&
    statuses.length === 2;
}
