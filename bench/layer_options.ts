import { parseArgs } from "@std/cli/parse-args";
import { MODELS } from "./shapes.ts";

/** Which layers a bench measures. */
export interface LayerOptions {
  /** Networks. */
  readonly models: readonly string[];
  /** Height and width of the images. */
  readonly size: number;
  /** Images at once. */
  readonly batch: number;
  /** Rounds, where a script measures itself. */
  readonly rounds: number;
  /** Whether to print JSON. */
  readonly json: boolean;
}

/**
 * Reads `--model`, `--size`, `--batch`, `--rounds` and `--json`.
 *
 * @throws {RangeError} If a value is no number, or an option is unknown.
 */
export function layerOptions(args: readonly string[]): LayerOptions {
  const unknown: string[] = [];
  const { model, size, batch, rounds, json } = parseArgs([...args], {
    string: ["model", "size", "batch", "rounds"],
    boolean: ["json"],
    default: { size: "224", batch: "1", rounds: "5" },
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  for (const [name, text] of Object.entries({ size, batch, rounds })) {
    if (/^[1-9]\d*$/.test(text)) continue;
    throw new RangeError(
      `Cannot measure: --${name} is "${text}", expected a whole number from 1 up`,
    );
  }
  if (unknown.length > 0) {
    throw new RangeError(
      `Cannot measure: "${
        unknown[0]
      }" is unknown; options are --model, --size, --batch, --rounds and --json`,
    );
  }
  return {
    models: model === undefined ? MODELS : [model],
    size: Number(size),
    batch: Number(batch),
    rounds: Number(rounds),
    json: json === true,
  };
}
