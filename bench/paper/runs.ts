/**
 * The paper's experiments: what their scripts share. A run is one command line
 * of `evaluate`. Its results are kept in a file, categories that are finished
 * in another one beside it, so that a script that was stopped goes on where it
 * was, and scripts with runs in common share them; delete both to start afresh.
 *
 * - `PATCHCORE_DATA`: folder with the data sets `mvtec`, `mstc`, `mtd` and
 *   `transistor_256`, by default `data` of the test material.
 * - `PATCHCORE_WEIGHTS`: folder with backbones `NAME.onnx`, by default `weights`
 *   and the test material's models.
 * - `PATCHCORE_RESULTS`: where results are kept, `out/paper.jsonl` by default.
 * - `PATCHCORE_FINISHED=1`: print what is finished, run nothing.
 *
 * Arguments of a script go to every `evaluate`: `--category bottle` makes a
 * table of one class.
 *
 * @module
 */
import type { EvaluationRecord, Rate } from "../../src/core/evaluation/mod.ts";
import { table } from "../../src/cli/table.ts";
import { sharedPath } from "../../tests/testing.ts";
import type { Triple } from "./published.ts";
import type { Numbers } from "./published_classes.ts";

/** What one run found: categories, then their means. */
export type Records = readonly EvaluationRecord[];

/** One run of a table. */
export interface Run {
  /** What the table calls it. */
  readonly name: string;
  /** Its options of `evaluate`, separated by spaces. */
  readonly args: string;
  /** Its backbones, `wide_resnet50_2` by default. */
  readonly backbones?: readonly string[];
}

/** The network of all tables that do not say otherwise. */
const BACKBONE = "wide_resnet50_2";

const ROOT = new URL("../..", import.meta.url).pathname;
const RESULTS = Deno.env.get("PATCHCORE_RESULTS") ?? "out/paper.jsonl";

/**
 * Runs `evaluate`, unless the same command line was run before.
 *
 * @param data The data set's folder.
 * @param run Options and backbones.
 * @returns Nothing where a backbone is missing, which is said.
 * @throws {Error} If the program fails.
 */
export async function evaluate(
  data: string,
  { name, args: options, backbones = [BACKBONE] }: Run,
): Promise<Records | undefined> {
  const files = backbones.map(findBackbone);
  for (const { path, found } of files) {
    if (found) continue;
    console.log(`Skipped "${name}": looked for "${path}", found nothing`);
    return undefined;
  }
  const args = [
    data,
    ...files.flatMap(({ path }) => ["--backbone", path]),
    ...options.split(" ").filter((word) => word !== ""),
    ...Deno.args,
  ];
  const known = await finishedRun(args);
  if (known !== undefined) return known;
  if (Deno.env.get("PATCHCORE_FINISHED") === "1") {
    console.log(`Not run yet: "${name}"`);
    return undefined;
  }
  console.error(`evaluate ${args.join(" ")}`);
  await Deno.mkdir(RESULTS.replace(/[^/\\]*$/, "") || ".", { recursive: true });
  const journal = ["--resume", `${RESULTS}.journal`];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `${ROOT}/mod.ts`, "evaluate"]
      .concat(args, journal, "--json"),
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot evaluate ${args.join(" ")}`);
  const records = jsonLines<EvaluationRecord>(new TextDecoder().decode(stdout));
  const line = `${JSON.stringify({ args, records })}\n`;
  await Deno.writeTextFile(RESULTS, line, { append: true });
  return records;
}

async function finishedRun(
  args: readonly string[],
): Promise<Records | undefined> {
  if (!exists(RESULTS)) return undefined;
  const key = JSON.stringify(args);
  return jsonLines<{ args: readonly string[]; records: Records }>(
    await Deno.readTextFile(RESULTS),
  ).findLast((entry) => JSON.stringify(entry.args) === key)?.records;
}

function jsonLines<T>(text: string): T[] {
  return text.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Path of a data set; where it is absent the script says so and ends. */
export function dataset(name: string): string {
  return findDataset(name) ?? Deno.exit(0);
}

/** Path of a data set; where it is absent, that is said. */
export function findDataset(name: string): string | undefined {
  const data = Deno.env.get("PATCHCORE_DATA") ?? sharedPath("data") ?? "data";
  const path = `${data}/${name}`;
  if (exists(path)) return path;
  console.log(`Skipped: looked for the data set "${path}", found nothing`);
  return undefined;
}

/** Where a backbone is, or would be. */
export function findBackbone(name: string): { path: string; found: boolean } {
  const given = Deno.env.get("PATCHCORE_WEIGHTS");
  const folders = given !== undefined
    ? [given]
    : [sharedPath("data", "models"), `${ROOT}weights`];
  const paths = folders.flatMap((folder) =>
    folder === undefined ? [] : [`${folder}/${name}.onnx`]
  );
  const path = paths.find(exists);
  return { path: path ?? paths.at(-1)!, found: path !== undefined };
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

/** What the paper has, in percent already. */
export function published(value: number | null | undefined): string {
  return typeof value === "number" ? value.toFixed(1) : "–";
}

/** A rate with its deviation where it was averaged over seeds. */
export function rateOf(
  record: EvaluationRecord,
  rate: Rate,
  digits = 1,
): string {
  const deviation = record.std?.[rate];
  return percent(record[rate], digits) +
    (typeof deviation === "number" ? ` ± ${percent(deviation, digits)}` : "");
}

/** Prints a heading and a table. */
export function printTable(
  title: string,
  rows: readonly (readonly string[])[],
): void {
  console.log(`${title}\n\n${table(rows)}\n`);
}

/** The three rates that the paper's tables have. */
export const TRIPLE = [
  ["image AUROC", "image_auroc"],
  ["pixel AUROC", "pixel_auroc"],
  ["PRO", "pro_per_image"],
] as const satisfies readonly (readonly [string, Rate])[];

/** Head of a table that has the paper's number beside ours. */
export function besideHead(titles: readonly string[]): string[] {
  return titles.flatMap((title) => [`${title}: paper`, "ours"]);
}

/** The paper's three rates beside ours. */
export function besideTriple(
  paper: Triple | undefined,
  ours: EvaluationRecord | undefined,
): string[] {
  return TRIPLE.flatMap(([, rate], i) => [
    published(paper?.[i]),
    ours === undefined ? "–" : rateOf(ours, rate),
  ]);
}

/** The mean over categories, for one number of shots where there are several. */
export function meanOf(
  records: Records | undefined,
  shots?: number,
): EvaluationRecord | undefined {
  return records?.find((record) =>
    record.category === "mean" && record.shots === shots
  );
}

/**
 * Prints means over MVTec AD beside the paper's.
 *
 * @param title Heading.
 * @param runs The runs and what the paper reports of each.
 */
export async function compareMeans(
  title: string,
  runs: readonly (Run & { readonly paper?: Triple })[],
): Promise<void> {
  const data = dataset("mvtec");
  const rows = [["", ...besideHead(TRIPLE.map(([title]) => title))]];
  for (const run of runs) {
    const mean = meanOf(await evaluate(data, run));
    rows.push([run.name, ...besideTriple(run.paper, mean)]);
  }
  printTable(title, rows);
}

/**
 * Prints one rate of every class of MVTec AD beside the paper's.
 *
 * @param title Heading.
 * @param rate Which rate.
 * @param runs The runs, a column each.
 * @param paper What the paper reports of each class, a number a run.
 */
export async function compareClasses(
  title: string,
  rate: Rate,
  runs: readonly Run[],
  paper: Readonly<Record<string, Numbers>>,
): Promise<void> {
  const data = dataset("mvtec");
  const found: (Records | undefined)[] = [];
  for (const run of runs) found.push(await evaluate(data, run));
  const names = found.find((records) => records !== undefined)
    ?.map(({ category }) => category) ?? [];
  const rows = names.map((name) => [
    name,
    ...found.flatMap((records, i) => [
      published(paper[name]?.[i]),
      percent(records?.find(({ category }) => category === name)?.[rate]),
    ]),
  ]);
  const head = besideHead(runs.map(({ name }) => name));
  printTable(title, [["", ...head], ...rows]);
}

/** PatchCore with banks of three sizes, as most tables have it. */
export const THREE_BANKS: readonly Run[] = [0.25, 0.1, 0.01].map((share) => ({
  name: `PatchCore-${100 * share}%`,
  args: `--coreset ${share}`,
}));

/**
 * Prints one of Tables 1 to 3: one rate of SPADE, PaDiM and PatchCore.
 *
 * @param title Heading.
 * @param column Which of the three rates.
 * @param paper What the paper reports of each method.
 * @param misclassified Images that the paper reports as misclassified.
 */
export async function compareMethods(
  title: string,
  column: 0 | 1 | 2,
  paper: Readonly<Record<string, Triple>>,
  misclassified?: Readonly<Record<string, number>>,
): Promise<void> {
  const data = dataset("mvtec");
  const counts = besideHead(misclassified ? ["misclassified"] : []);
  const rows = [["", "paper", "ours", ...counts]];
  for (const run of [...BASELINES, ...THREE_BANKS]) {
    const mean = meanOf(await evaluate(data, run));
    const wrong = mean &&
      (mean.false_positives ?? 0) + (mean.false_negatives ?? 0);
    rows.push([
      run.name,
      published(paper[run.name]?.[column]),
      percent(mean?.[TRIPLE[column][1]]),
      ...(misclassified
        ? [`${misclassified[run.name] ?? "–"}`, `${wrong ?? "–"}`]
        : []),
    ]);
  }
  printTable(title, rows);
}

/** The paper's other systems. */
export const BASELINES: readonly Run[] = [
  { name: "SPADE", args: "--method spade" },
  { name: "PaDiM", args: "--method padim" },
];
