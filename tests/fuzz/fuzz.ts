/**
 * Feeds damaged inputs to whatever reads what others have made, and sees that
 * it either understands them or says in one sentence why not.
 *
 * @module
 */
import { AssertionError } from "@std/assert";
import { Chance } from "./damage.ts";

/** Something that reads what others have made. */
export interface Reader {
  /** What it is called on the command line. */
  readonly name: string;
  /** Makes an input of choices. */
  readonly input: (chance: Chance) => unknown;
  /** Reads it; checks what it may about the result. */
  readonly read: (input: unknown) => unknown;
  /** Own error classes; of others the message has to begin as ours do. */
  readonly errors?: readonly (new (...args: never[]) => Error)[];
}

/** What came of the inputs of a reader. */
export interface Outcome {
  /** The reader. */
  readonly name: string;
  /** Inputs it got. */
  inputs: number;
  /** Of these it understood. */
  understood: number;
  /** Milliseconds of the slowest. */
  slowest: number;
}

/** Milliseconds after which an input counts as one that hangs. */
export const HANG = 10_000;

/** Messages of the engine and of libraries: nobody wrote them for users. */
const RAW = new RegExp(
  [
    "is not (a function|iterable|defined|a constructor|extensible)",
    "Cannot (read|set) propert",
    "Cannot (access|convert|destructure|mix|assign|redefine|add|create) ",
    "Invalid (array|typed array|string|DataView|time|count|offset|code point)",
    "Array buffer allocation",
    "Maximum call stack",
    "out of (bounds|memory)",
    "Start offset|offset is out|byte length of",
    "\\[object |(of|is|or) undefined\\b|undefined \\(|unreachable executed|memory access",
  ].join("|"),
);
const OURS = /^(Cannot|Refused|Unknown|Expected|There is|Setting|No |[A-Z])/;

/**
 * Why an error is none that was written for users; undefined when it is.
 *
 * @param errors Own classes it may have.
 */
export function rawness(
  error: unknown,
  errors?: Reader["errors"],
): string | undefined {
  if (!(error instanceof Error)) return "it is no Error";
  const { message } = error;
  if (errors !== undefined && !errors.some((type) => error instanceof type)) {
    return `it is a ${error.name}`;
  }
  if (message.length > 2000) return `it has ${message.length} characters`;
  if (!OURS.test(message)) return "it does not begin as a sentence";
  if (/\.$/.test(message)) return "it ends with a period";
  // What is quoted is the input's.
  const own = message.replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
  return RAW.test(own) ? "it is the engine's" : undefined;
}

/**
 * Feeds a reader the inputs `from` to `to`.
 *
 * @param seed Decides the inputs, with the reader's name and their number.
 * @param onInput Told of each input before it is read.
 * @throws {AssertionError} If one is answered wrongly, saying how to repeat it.
 */
export async function fuzz(
  reader: Reader,
  { seed, from = 0, to, onInput = () => {} }: {
    readonly seed: number;
    readonly from?: number;
    readonly to: number;
    readonly onInput?: (number: number) => void;
  },
): Promise<Outcome> {
  const { name } = reader;
  const outcome = { name, inputs: 0, understood: 0, slowest: 0 };
  for (let number = from; number < to; number++) {
    onInput(number);
    const input = reader.input(chanceOf(name, seed, number));
    const start = performance.now();
    let why: string | undefined;
    let thrown: unknown;
    try {
      await reader.read(input);
      outcome.understood++;
    } catch (error) {
      thrown = error;
      why = rawness(error, reader.errors);
    }
    const ms = performance.now() - start;
    outcome.inputs++;
    outcome.slowest = Math.max(outcome.slowest, ms);
    if (ms > HANG) why = `it took ${(ms / 1000).toFixed(1)} s`;
    if (why === undefined) continue;
    throw new AssertionError(
      `Input ${number} of "${name}" with seed ${seed}: ${why}; repeat it with: deno task fuzz --only=${name} --seed=${seed} --from=${number} --to=${
        number + 1
      }\n${thrown instanceof Error ? thrown.stack : thrown}`,
      { cause: thrown },
    );
  }
  return outcome;
}

function chanceOf(name: string, seed: number, number: number): Chance {
  let hash = Math.imul(seed, 0x01000193) ^ number;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return new Chance(hash ^ Math.imul(number, 0x9e3779b1));
}
