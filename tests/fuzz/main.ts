/**
 * Feeds every reader damaged inputs for so long, `deno task fuzz [SECONDS]`,
 * five minutes by default; `--seed=N` for others, `--only=READER --from=N --to=N`
 * to repeat. It ends with 1 at the first input that is answered wrongly, that
 * hangs for ten seconds, or that brings the process to a gigabyte.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { HANG, type Outcome } from "./fuzz.ts";
import type { FuzzMessage, FuzzOrder } from "./worker.ts";

const MOST_BYTES = 1e9;

if (import.meta.main) {
  const { _: [seconds = 300], seed, only, from, to } = parseArgs(Deno.args, {
    string: ["seed", "only", "from", "to"],
  });
  const order: FuzzOrder = {
    seconds: Number(seconds),
    seed: Number(seed ?? 1),
    ...only !== undefined && { only },
    ...from !== undefined && { from: Number(from) },
    ...to !== undefined && { to: Number(to) },
    counter: new SharedArrayBuffer(8),
  };
  Deno.exit(await run(order));
}

/** Has the work done in a thread of its own, which may hang. */
async function run(order: FuzzOrder): Promise<number> {
  const counter = new Int32Array(order.counter);
  const worker = new Worker(import.meta.resolve("./worker.ts"), {
    type: "module",
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  const names: string[] = [];
  worker.onmessage = ({ data }: MessageEvent<FuzzMessage>) => {
    if ("names" in data) names.push(...data.names);
    else if ("failure" in data) {
      console.error(data.failure);
      resolve(1);
    } else {
      print(data.outcomes);
      resolve(0);
    }
  };
  worker.onerror = (event) => {
    event.preventDefault();
    console.error(`error: ${event.message}`);
    resolve(1);
  };
  worker.postMessage(order);
  let [last, since, peak] = [-1, performance.now(), 0];
  const watch = setInterval(() => {
    const now = Atomics.load(counter, 0);
    const { rss } = Deno.memoryUsage();
    peak = Math.max(peak, rss);
    const place = `input ${now} of "${
      names[Atomics.load(counter, 1)]
    }" with seed ${order.seed}`;
    if (now !== last) [last, since] = [now, performance.now()];
    else if (names.length > 0 && performance.now() - since > HANG) {
      console.error(`error: ${place} hangs`);
      resolve(1);
    }
    if (rss > MOST_BYTES) {
      console.error(`error: ${rss} bytes of memory at ${place}`);
      resolve(1);
    }
  }, 100);
  const code = await promise;
  clearInterval(watch);
  worker.terminate();
  console.log(`${(peak / 1e6).toFixed()} MB at most`);
  return code;
}

function print(outcomes: readonly Outcome[]): void {
  console.log("| reader | inputs | understood | slowest, ms |");
  console.log("| --- | ---: | ---: | ---: |");
  let total = 0;
  for (const { name, inputs, understood, slowest } of outcomes) {
    total += inputs;
    console.log(
      `| ${name} | ${inputs} | ${understood} | ${slowest.toFixed()} |`,
    );
  }
  console.log(`${total} inputs, each read or refused in a sentence`);
}
