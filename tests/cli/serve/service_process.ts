import { AssertionError } from "@std/assert";

const MOD = new URL("../../../mod.ts", import.meta.url).pathname;

/** `serve` as a program. */
export interface ServiceProcess {
  /** Where it listens. */
  readonly url: string;
  /** Its process. */
  readonly pid: number;
  /** Sends a signal, then waits for the end. */
  stop(signal: Deno.Signal): Promise<{ code: number; stderr: string }>;
}

/** Starts `serve` on a free port and waits until it has loaded its models. */
export async function startService(
  ...args: readonly string[]
): Promise<ServiceProcess> {
  const service = spawnService(...args);
  const url = await service.ready;
  return { ...service, url };
}

/** `serve` as a program that may still load its models. */
export interface SpawnedService extends Omit<ServiceProcess, "url"> {
  /** What it writes to stderr, as it comes. */
  readonly messages: ReadableStream<string>;
  /** Where it listens, once its models are loaded. */
  readonly ready: Promise<string>;
}

/** Starts `serve` on a free port. */
export function spawnService(...args: readonly string[]): SpawnedService {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MOD, "serve", "--port", "0"]
      .concat("--json", args),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [whole, piecewise] = child.stderr.tee();
  const stderr = new Response(whole).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const ready = (async (): Promise<string> => {
    let line = "";
    while (!line.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) {
        throw new AssertionError(`The service did not start: ${await stderr}`);
      }
      line += value;
    }
    return JSON.parse(line).url;
  })();
  return {
    messages: piecewise.pipeThrough(new TextDecoderStream()),
    ready,
    pid: child.pid,
    async stop(signal): Promise<{ code: number; stderr: string }> {
      child.kill(signal);
      const { code } = await child.status;
      await reader.cancel();
      return { code, stderr: await stderr };
    },
  };
}
