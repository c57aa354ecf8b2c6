/**
 * Two services behind haproxy as a plain TCP balancer, one of which is killed in
 * the middle of the load: no request may fail but those that were under way.
 *
 *     deno run -A bench/serve_replicas.ts [--requests 400] [--clients 8]
 *
 * @module
 */
import { encodePng } from "../src/core/images/png.ts";
import type { Pixels } from "../src/core/images/pixels.ts";
import { startService } from "../tests/cli/serve/service_process.ts";
import { tinyDetector, tinyImages } from "../tests/tiny_model.ts";

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

const total = option("requests", 400);
const clients = option("clients", 8);
const port = option("port", 18_475);

const folder = await Deno.makeTempDir();
let holds = false;
try {
  const model = `${folder}/tiny.safetensors`;
  {
    using detector = await tinyDetector();
    await Deno.writeFile(model, detector.save({ bundle: true }));
  }
  const image = await encodePng(tinyImages(1).test[0]!.content as Pixels);
  const options = ["--model", model, "--no-autotune", "--quiet"];
  const services = [
    await startService(...options),
    await startService(...options),
  ];
  const config = `${folder}/haproxy.cfg`;
  await Deno.writeTextFile(config, configOf(services.map(({ url }) => url)));
  const balancer = new Deno.Command("haproxy", {
    args: ["-db", "-f", config],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    holds = await measure(image, services[0]!);
  } finally {
    balancer.kill("SIGTERM");
    await balancer.status;
    await services[1]!.stop("SIGTERM");
    await services[0]!.stop("SIGKILL").catch(() => {});
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(holds ? "Holds" : "Does not hold");
Deno.exit(holds ? 0 : 1);

function configOf(urls: readonly string[]): string {
  const servers = urls.map((url, i) =>
    `  server replica${i} ${new URL(url).host} check inter 200ms fall 1 rise 2`
  );
  return `
defaults
  mode tcp
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  retries 3
  option redispatch 1
listen patchcore
  bind 127.0.0.1:${port}
  balance leastconn
${servers.join("\n")}
`;
}

/** Sends requests and kills one service in the middle. */
async function measure(
  image: Uint8Array<ArrayBuffer>,
  { pid, url: victim }: { readonly pid: number; readonly url: string },
): Promise<boolean> {
  // A connection a request, as of many clients: none is kept to who is killed.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const url = `http://127.0.0.1:${port}/predict`;
  for (let i = 0; i < 100; i++) {
    const health = await fetch(`http://127.0.0.1:${port}/health`, { client })
      .catch(() => undefined);
    await health?.body?.cancel();
    if (health?.ok) break;
    await new Promise((next) => setTimeout(next, 50));
  }
  const times: number[] = [];
  const statuses = new Map<number, number>();
  /** When it was gone; what began before was under way. */
  let killed = Infinity;
  let [sent, underWay, later] = [0, 0, 0];
  const send = async (): Promise<void> => {
    while (sent < total) {
      if (sent++ === total >> 1) {
        Deno.kill(pid, "SIGKILL");
        void closed(victim).then((at) => killed = at);
      }
      const start = performance.now();
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "image/png", connection: "close" },
          body: image,
          client,
        });
        await response.json();
        times.push(performance.now() - start);
        const { status } = response;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      } catch {
        if (start <= killed) underWay++;
        else later++;
      }
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, send));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): string =>
    times[Math.floor((times.length - 1) * share)]!.toFixed(0);
  console.log(
    `${total} requests of ${clients} clients, one of two replicas killed after ${
      total >> 1
    }: ${
      [...statuses].map(([s, n]) => `${s}: ${n}`).join(", ")
    }; failed ${underWay} that were under way, ${later} others; ${
      (times.length / seconds).toFixed(1)
    } requests/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  const known = [...statuses.keys()].every((status) =>
    status === 200 || status === 429
  );
  return known && later === 0 && underWay <= clients;
}

/** When a service's port is closed: until then it may take connections. */
async function closed(url: string): Promise<number> {
  const { hostname, port } = new URL(url);
  for (;;) {
    try {
      (await Deno.connect({ hostname, port: Number(port) })).close();
    } catch {
      return performance.now();
    }
  }
}
