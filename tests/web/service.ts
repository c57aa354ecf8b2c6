/** A running `serve`. */
export interface RunningService extends AsyncDisposable {
  /** Where it listens, without a final slash. */
  readonly url: string;
}

/** Starts `serve` with a model and waits until it listens. */
export async function serveModel(path: string): Promise<RunningService> {
  const mod = new URL("../../mod.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", mod.href, "serve", "--json", "--quiet"],
      ...["--model", path, "--port", "0"],
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The service ended before it listened: ${text}`);
    text += value;
  }
  const { url } = JSON.parse(text) as { url: string };
  return {
    url,
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
    },
  };
}
