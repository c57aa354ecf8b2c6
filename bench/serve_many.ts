/**
 * `serve --models` with 12 models and memory for 3: 2,000 mixed requests, a few
 * models asked for more than others, while files are replaced. Prints rate,
 * median and 99th percentile.
 *
 *     deno run -A bench/serve_many.ts [--requests 2000] [--clients 12]
 *
 * Fails unless all answers are 200 or 429, scores are those of the model alone, to
 * the bit, in a version that was there while the request was under way, never
 * more models than fit are loaded, and memory stays flat.
 *
 * @module
 */
import { PatchCore } from "../src/core/mod.ts";
import { encodePng } from "../src/core/images/png.ts";
import type { Pixels } from "../src/core/images/pixels.ts";
import { Mt19937 } from "../src/core/settings/random.ts";
import { Gpu } from "../src/gpu/mod.ts";
import { startService } from "../tests/cli/serve/service_process.ts";
import {
  TINY_SETTINGS,
  tinyBackbone,
  tinyImages,
} from "../tests/tiny_model.ts";

const MODELS = 12;
const HELD = 3;
const VERSIONS = 2;
/** Requests from one replacement of a file to the next. */
const REPLACE = 40;
/** Memory that is called flat grows by less than this share. */
const FLAT = 0.1;

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

const total = option("requests", 2000);
const clients = option("clients", 12);

/** A model's file in each version, and what it says of each image. */
interface Product {
  readonly name: string;
  readonly files: Uint8Array<ArrayBuffer>[];
  readonly scores: number[][];
}

const { train, test } = tinyImages(8);
const images = await Promise.all(
  test.map(({ content }) => encodePng(content as Pixels)),
);
const products = await makeProducts();
const folder = await Deno.makeTempDir();
let holds = false;
try {
  await Deno.mkdir(`${folder}/models`);
  const versions = products.map(() => 0);
  for (const i of products.keys()) await write(i, 0);
  const bytes = await bytesOfOne();
  const memory = Math.ceil(bytes * (HELD + 0.1) / 1024);
  console.log(
    `${MODELS} models of ${
      (bytes / 1e6).toFixed(2)
    } MB, memory for ${HELD}; ${total} requests of ${clients} clients, a file replaced every ${REPLACE}`,
  );
  const service = await startService(
    ...["--models", `${folder}/models`, "--models-memory", `${memory}KiB`],
    ...["--queue", "11", "--batch", "1", "--no-autotune", "--quiet"],
    ...["--timeout", "300"],
  );
  try {
    holds = await measure(service.url, versions, memory * 1024);
  } finally {
    const { code } = await service.stop("SIGTERM");
    holds &&= code === 0;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(holds ? "Holds" : "Does not hold");
Deno.exit(holds ? 0 : 1);

/** Fits every model in every version; each has a backbone of its own. */
async function makeProducts(): Promise<Product[]> {
  using gpu = await Gpu.create();
  const made: Product[] = [];
  for (let i = 0; i < MODELS; i++) {
    const files: Uint8Array<ArrayBuffer>[] = [];
    const scores: number[][] = [];
    for (let version = 0; version < VERSIONS; version++) {
      using detector = await PatchCore.create({
        ...TINY_SETTINGS,
        ...{ backbone: tinyBackbone(i + 1), allowRandom: true, gpu },
      });
      await detector.fit(train.slice(version * 4, version * 4 + 4));
      files.push(detector.save({ bundle: true }));
      const own: number[] = [];
      for await (const { score } of detector.predict(images)) own.push(score);
      scores.push(own);
    }
    made.push({ name: `product-${i}`, files, scores });
  }
  return made;
}

async function write(product: number, version: number): Promise<void> {
  const { name, files } = products[product]!;
  const path = `${folder}/models/${name}.safetensors`;
  await Deno.writeFile(`${folder}/new`, files[version]!);
  await Deno.rename(`${folder}/new`, path);
}

async function gauge(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

/** What one model takes on the GPU, as the service says. */
async function bytesOfOne(): Promise<number> {
  const service = await startService(
    ...["--models", `${folder}/models`, "--batch", "1", "--no-autotune"],
    "--quiet",
  );
  try {
    await ask(service.url, 0, 0);
    return await gauge(service.url, "patchcore_models_gpu_bytes");
  } finally {
    await service.stop("SIGTERM");
  }
}

async function ask(
  url: string,
  product: number,
  image: number,
): Promise<{ status: number; score: number }> {
  const response = await fetch(
    `${url}/predict?model=${products[product]!.name}`,
    {
      method: "POST",
      headers: { "content-type": "image/png" },
      body: images[image]!,
    },
  );
  const { pred_score } = await response.json();
  return { status: response.status, score: pred_score };
}

/** Sends all requests; returns whether what must hold holds. */
async function measure(
  url: string,
  versions: number[],
  allowed: number,
): Promise<boolean> {
  const random = new Mt19937(1);
  const statuses = new Map<number, number>();
  const times: number[] = [];
  const memory: number[] = [];
  let [sent, wrong, most, bytes] = [0, 0, 0, 0];
  /** Replacements of each model, so that a request can tell of one meanwhile. */
  const replaced = products.map(() => 0);
  let replacing = Promise.resolve();
  const client = async (): Promise<void> => {
    while (sent < total) {
      const number = sent++;
      if (number % REPLACE === REPLACE - 1) {
        const product = random.below(MODELS);
        replacing = replacing.then(async () => {
          const version = 1 - versions[product]!;
          await write(product, version);
          versions[product] = version;
          replaced[product]!++;
        });
        await replacing;
      }
      // A power of a uniform number: the first models are asked for more.
      const product = Math.floor(random.float64() ** 4 * MODELS);
      const image = random.below(images.length);
      const before = [replaced[product]!, versions[product]!];
      const start = performance.now();
      const { status, score } = await ask(url, product, image);
      times.push(performance.now() - start);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 200) {
        const { scores } = products[product]!;
        const isSame = replaced[product] === before[0];
        // A replacement under way may be seen a moment before it is counted.
        const possible = isSame && number % REPLACE < REPLACE - clients
          ? [scores[before[1]!]![image]]
          : scores.map((own) => own[image]);
        if (!possible.includes(score)) wrong++;
      } else await new Promise((next) => setTimeout(next, 250));
      if (number % 50 === 0) {
        memory.push(await gauge(url, "process_resident_memory_bytes"));
        most = Math.max(most, await gauge(url, "patchcore_models_loaded"));
        bytes = Math.max(bytes, await gauge(url, "patchcore_models_gpu_bytes"));
      }
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): string =>
    `${times[Math.floor((times.length - 1) * share)]!.toFixed(0)} ms`;
  const half = memory.slice(memory.length >> 1);
  const growth = half.at(-1)! / half[0]! - 1;
  const text = await (await fetch(`${url}/metrics`)).text();
  const count = (change: string): string =>
    new RegExp(`changes_total\\{change="${change}"\\} (\\d+)`).exec(text)
      ?.[1] ??
      "?";
  console.log(
    `${(total / seconds).toFixed(1)} requests/s, p50 ${at(0.5)}, p99 ${
      at(0.99)
    }, longest ${at(1)}`,
  );
  console.log(
    `answers ${
      [...statuses].map(([status, n]) => `${status}: ${n}`).join(", ")
    }; ${wrong} with another score than the model alone`,
  );
  console.log(
    `models loaded ${count("loaded")}, evicted ${
      count("evicted")
    }, at most ${most} at a time and ${(bytes / 1e6).toFixed(2)} of ${
      (allowed / 1e6).toFixed(2)
    } MB; memory ${half.map((b) => (b / 1e6).toFixed(0)).join(" ")} MB, ${
      (growth * 100).toFixed(1)
    } % in the second half`,
  );
  const known = [...statuses.keys()].every((status) =>
    status === 200 || status === 429
  );
  return known && wrong === 0 && most <= HELD && bytes <= allowed &&
    growth < FLAT;
}
