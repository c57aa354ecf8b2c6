/**
 * Runs tests and prints which share of the lines of `src` they run, folder by
 * folder, and the files with the lowest shares. Arguments are passed on to
 * `deno test`; the bound is asked of the whole suite only.
 *
 * What runs in worker threads, child processes and browsers is not counted as
 * run, so the figure is a lower bound.
 *
 * @module
 */
const LEAST = 0.9;
const LOWEST = 15;
const ROOT = new URL("..", import.meta.url);
const SOURCE = new URL("src/", ROOT);

interface Lines {
  readonly file: string;
  readonly found: number;
  readonly hit: number;
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir();
  try {
    const data = `${folder}/data`;
    const all = `${folder}/all_test.ts`;
    await Deno.writeTextFile(
      all,
      loadAll(await Array.fromAsync(below(SOURCE))),
    );
    const paths = Deno.args.length > 0 ? Deno.args : ["tests", "tools"];
    const tests = await deno(
      [
        "test",
        "-A",
        "--no-check",
        "--quiet",
        `--coverage=${data}`,
        "--coverage-raw-data-only",
      ],
      [...paths, all],
    );
    const lcov = await output(["coverage", "--lcov", "--quiet", data]);
    const share = print(linesOf(lcov));
    const isWhole = Deno.args.length === 0;
    if (isWhole && share < LEAST) {
      console.error(`error: below ${percent(LEAST)}`);
    }
    Deno.exitCode = tests !== 0 || isWhole && share < LEAST ? 1 : 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A test that loads every file, so that none is left out of the counts. */
function loadAll(files: readonly string[]): string {
  return `Deno.test({ name: "all of src", sanitizeOps: false, sanitizeResources: false }, async () => {
  for (const file of ${
    JSON.stringify(files)
  }) await import(file).catch(() => {});
});
`;
}

async function* below(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* below(new URL(`${name}/`, folder));
    // A program or a worker acts when it is loaded.
    else if (/(?<!worker)\.ts$/.test(name)) yield new URL(name, folder).href;
  }
}

async function deno(
  options: readonly string[],
  paths: readonly string[],
): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...options, ...paths],
    cwd: ROOT,
  });
  return (await command.spawn().status).code;
}

async function output(args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** The counts of an LCOV file, of the files of `src` alone. */
export function linesOf(lcov: string): Lines[] {
  const files: Lines[] = [];
  for (const record of lcov.split("end_of_record")) {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    const at = path?.indexOf("/src/") ?? -1;
    if (path === undefined || at < 0) continue;
    const counts = [...record.matchAll(/^DA:\d+,(\d+)/gm)]
      .map(([, times]) => Number(times));
    files.push({
      file: path.slice(at + 1),
      found: counts.length,
      hit: counts.filter((times) => times > 0).length,
    });
  }
  return files;
}

/** Prints the table; returns the share of all lines. */
function print(files: readonly Lines[]): number {
  const folders = Map.groupBy(files, ({ file }) => {
    const [src, top, inner, ...rest] = file.split("/");
    return rest.length > 0 ? `${src}/${top}/${inner}` : `${src}/${top}`;
  });
  console.log(
    "\n| folder | lines | run | share |\n| --- | ---: | ---: | ---: |",
  );
  for (const folder of [...folders.keys()].sort()) {
    console.log(row(folder, sum(folders.get(folder)!)));
  }
  const total = sum(files);
  console.log(row("all", total));
  console.log("\nlowest:");
  const byShare = files.filter(({ found }) => found > 0)
    .toSorted((a, b) => shareOf(a) - shareOf(b));
  for (const lines of byShare.slice(0, LOWEST)) {
    console.log(`  ${percent(shareOf(lines))} ${lines.file}`);
  }
  console.log(`\nline coverage of src: ${percent(shareOf(total))}`);
  return shareOf(total);
}

type Counts = Omit<Lines, "file">;

function sum(files: readonly Counts[]): Counts {
  return {
    found: files.reduce((total, { found }) => total + found, 0),
    hit: files.reduce((total, { hit }) => total + hit, 0),
  };
}

function row(name: string, counts: Counts): string {
  const { found, hit } = counts;
  return `| ${name} | ${found} | ${hit} | ${percent(shareOf(counts))} |`;
}

function shareOf({ found, hit }: Counts): number {
  return found === 0 ? 1 : hit / found;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
