/**
 * How long a first image takes, on a machine that has never run the program (no
 * shader cache, nothing tuned) and on one that has: seconds from the start of
 * the process to the end of `predict` with one image, and to the moment that
 * `serve` is ready. Several checkouts are measured in turns.
 *
 *     deno run -A bench/startup.ts --model M.safetensors --image IMAGE [--backbone FILE.onnx] [--rounds 3] [CHECKOUT …]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

const ROOT = new URL("../", import.meta.url).pathname;

const { _: folders, model, image, backbone, rounds } = parseArgs(Deno.args, {
  string: ["_", "model", "image", "backbone", "rounds"],
  default: { rounds: "3" },
});
if (model === undefined || image === undefined) {
  throw new Error("Say --model M.safetensors and --image IMAGE");
}
const checkouts = folders.length > 0 ? folders.map(String) : [ROOT];
const network = backbone === undefined ? [] : ["--backbone", backbone];
const denoDir = JSON.parse(
  new TextDecoder().decode(
    (await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] })
      .output()).stdout,
  ),
).denoDir;

/** Seconds until one image is scored. */
async function predict(program: string, cache: string): Promise<number> {
  const start = performance.now();
  const { success, stderr } = await command(
    program,
    cache,
    ["predict", image!, "--model", model!, ...network, "--quiet"],
  ).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return (performance.now() - start) / 1000;
}

/** Seconds until the service has loaded its model, and until an answer after. */
async function serve(
  program: string,
  cache: string,
): Promise<[number, number]> {
  const start = performance.now();
  await using child = command(
    program,
    cache,
    ["serve", "--port", "0", "--model", model!, ...network, "--json"],
  ).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const ready = (performance.now() - start) / 1000;
  const { url } = JSON.parse(value.split("\n")[0]!);
  const asked = performance.now();
  const response = await fetch(`${url}/predict`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: await Deno.readFile(image!),
  });
  if (!response.ok) throw new Error(await response.text());
  await response.bytes();
  const answer = (performance.now() - asked) / 1000;
  child.kill("SIGKILL");
  await reader.cancel();
  return [ready, answer];
}

function command(
  program: string,
  cache: string,
  args: readonly string[],
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${program}/mod.ts`, ...args],
    env: { XDG_CACHE_HOME: cache, DENO_DIR: denoDir },
    stdout: "piped",
    stderr: "piped",
  });
}

const columns = ["predict", "serve ready", "first answer"] as const;
const seen = new Map<string, number[][]>();
for (let round = 0; round < Number(rounds); round++) {
  for (const checkout of checkouts) {
    const cache = await Deno.makeTempDir();
    for (const state of ["first", "warm"]) {
      // A first start of each has an empty cache.
      const other = state === "first" ? await Deno.makeTempDir() : cache;
      const row = [
        await predict(checkout, cache),
        ...await serve(checkout, other),
      ];
      if (other !== cache) await Deno.remove(other, { recursive: true });
      const key = `${checkout} ${state}`;
      seen.set(key, [...seen.get(key) ?? [], row]);
      console.error(key, row.map((s) => s.toFixed(2)).join(" "));
    }
    await Deno.remove(cache, { recursive: true });
  }
}
console.log(`| start | ${columns.join(", s | ")}, s |`);
console.log(`| --- | ${columns.map(() => "---:").join(" | ")} |`);
for (const [key, rows] of seen) {
  const medians = columns.map((_, i) =>
    rows.map((row) => row[i]!).sort((a, b) => a - b)[rows.length >> 1]!
  );
  console.log(`| ${key} | ${medians.map((s) => s.toFixed(2)).join(" | ")} |`);
}
