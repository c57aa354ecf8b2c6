/**
 * The paper's experiments: what their scripts share. A run is one command line
 * of `evaluate`; its results are kept in a file, so that a script that was
 * stopped goes on where it was, and scripts with runs in common share them.
 */
import type { EvaluationRecord } from "../../src/core/evaluation/mod.ts";
import { table } from "../../src/cli/table.ts";
import { sharedPath } from "../../tests/testing.ts";

/** What one run found: categories, then their means. */
export type Records = readonly EvaluationRecord[];

/** A finished run in the file of results. */
interface Entry {
  readonly args: readonly string[];
  readonly records: Records;
}

const PROGRAM = new URL("../../mod.ts", import.meta.url).pathname;

/** Where results are kept: `PATCHCORE_RESULTS`, or a file in `out/`. */
const RESULTS = Deno.env.get("PATCHCORE_RESULTS") ?? "out/paper.jsonl";

/**
 * Runs `evaluate`, unless the same command line was run before.
 *
 * @param args What follows `evaluate` on the command line, without `--json`.
 * @throws {Error} If the program fails.
 */
export async function evaluate(args: readonly string[]): Promise<Records> {
  const key = JSON.stringify(args);
  const found = (await finishedRuns()).findLast((entry) =>
    JSON.stringify(entry.args) === key
  );
  if (found !== undefined) return found.records;
  console.error(`evaluate ${args.join(" ")}`);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", PROGRAM, "evaluate", ...args, "--json"],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot evaluate ${args.join(" ")}`);
  const records = jsonLines<EvaluationRecord>(new TextDecoder().decode(stdout));
  const folder = RESULTS.replace(/[^/\\]*$/, "");
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  const line = `${JSON.stringify({ args, records })}\n`;
  await Deno.writeTextFile(RESULTS, line, { append: true });
  return records;
}

async function finishedRuns(): Promise<Entry[]> {
  try {
    return jsonLines<Entry>(await Deno.readTextFile(RESULTS));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function jsonLines<T>(text: string): T[] {
  return text.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/**
 * Path of a data set: a folder in `PATCHCORE_DATA`, by default `data` of the
 * test material. Where it is absent the script says so and ends.
 */
export function dataset(name: string): string {
  const data = Deno.env.get("PATCHCORE_DATA") ?? sharedPath("data") ?? "data";
  return needed(`${data}/${name}`, "data set");
}

/**
 * Path of a backbone: `NAME.onnx` in `PATCHCORE_WEIGHTS`, by default the test
 * material's models, or in `weights/`. Where it is absent the script says so
 * and ends.
 */
export function backbone(name: string): string {
  const folder = Deno.env.get("PATCHCORE_WEIGHTS") ??
    sharedPath("data", "models");
  const kept = `${folder}/${name}.onnx`;
  if (folder !== undefined && exists(kept)) return kept;
  const weights = new URL("../../weights", import.meta.url).pathname;
  return needed(`${weights}/${name}.onnx`, `backbone "${name}"`);
}

function needed(path: string, what: string): string {
  if (exists(path)) return path;
  console.log(`Skipped: ${what} is missing, looked for "${path}"`);
  Deno.exit(0);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A rate in percent, with one digit as the paper prints it. */
export function percent(
  value: number | null | undefined,
  digits = 1,
): string {
  return typeof value === "number" ? (100 * value).toFixed(digits) : "–";
}

/** Prints a heading and a table. */
export function printTable(
  title: string,
  rows: readonly (readonly string[])[],
): void {
  console.log(`${title}\n\n${table(rows)}\n`);
}
