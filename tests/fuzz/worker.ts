/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { fuzz, type Outcome } from "./fuzz.ts";
import { readersIn } from "./readers.ts";

/** What is to be done. */
export interface FuzzOrder {
  /** For how long. */
  readonly seconds: number;
  /** Decides the inputs. */
  readonly seed: number;
  /** One reader alone. */
  readonly only?: string;
  /** First input, 0 by default. */
  readonly from?: number;
  /** The input to end before; none by default. */
  readonly to?: number;
  /** Two 32-bit words: the input, and the reader it is for. */
  readonly counter: SharedArrayBuffer;
}

/** What has become of it. */
export type FuzzMessage =
  | { readonly names: readonly string[] }
  | { readonly outcomes: readonly Outcome[] }
  | { readonly failure: string };

/** Milliseconds that a reader has its turn. */
const TURN = 500;

self.onmessage = async ({ data }: MessageEvent<FuzzOrder>) => {
  const folder = await Deno.makeTempDir();
  try {
    self.postMessage(await work(data, folder));
  } catch (error) {
    self.postMessage({
      failure: error instanceof Error ? error.message : String(error),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

async function work(
  { seconds, seed, only, from = 0, to = Infinity, counter }: FuzzOrder,
  folder: string,
): Promise<FuzzMessage> {
  const words = new Int32Array(counter);
  const readers = readersIn(folder)
    .filter(({ name }) => only === undefined || name === only);
  if (readers.length === 0) throw new Error(`There is no reader "${only}"`);
  self.postMessage({ names: readers.map(({ name }) => name) });
  const outcomes = readers.map(({ name }): Outcome => ({
    name,
    inputs: 0,
    understood: 0,
    slowest: 0,
  }));
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    let isDone = true;
    for (const [i, reader] of readers.entries()) {
      const outcome = outcomes[i]!;
      const turn = Math.min(end, performance.now() + TURN);
      Atomics.store(words, 1, i);
      while (performance.now() < turn) {
        const next = from + outcome.inputs;
        if (next >= to) break;
        const done = await fuzz(reader, {
          seed,
          from: next,
          to: Math.min(to, next + 8),
          onInput: (number) => void Atomics.store(words, 0, number),
        });
        outcome.inputs += done.inputs;
        outcome.understood += done.understood;
        outcome.slowest = Math.max(outcome.slowest, done.slowest);
      }
      isDone &&= from + outcome.inputs >= to;
    }
    if (isDone) break;
  }
  return { outcomes };
}
