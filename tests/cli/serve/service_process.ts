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

/** Starts `serve` on a free port and waits until it listens. */
export async function startService(
  ...args: readonly string[]
): Promise<ServiceProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MOD, "serve", "--port", "0"]
      .concat("--json", args),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) {
      throw new AssertionError(`The service did not start: ${await stderr}`);
    }
    line += value;
  }
  const { url } = JSON.parse(line);
  return {
    url,
    pid: child.pid,
    async stop(signal): Promise<{ code: number; stderr: string }> {
      child.kill(signal);
      const { code } = await child.status;
      await reader.cancel();
      return { code, stderr: await stderr };
    },
  };
}
