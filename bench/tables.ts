/**
 * Measures the kernels that the pages of `docs/kernels` are about, and writes
 * the figures into them, between `<!-- bench: NAME … -->` and `<!-- end -->`:
 *
 *     deno task bench:docs [PAGE…]
 */

const PAGES = new URL("../docs/kernels/", import.meta.url);
const MARKS = /(<!-- bench: ([\w ]+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** One row of a table: what was run over what, and the shortest time it took. */
export interface Figure {
  /** Name of the kernel or of the way it is run. */
  readonly name: string;
  /** The shape it is run over. */
  readonly group: string;
  /** Shortest time, in milliseconds. */
  readonly ms: number;
}

/** Names of the bench files that a page asks for. */
export function benchesOf(page: string): string[] {
  return page.matchAll(MARKS).flatMap(([, , names = ""]) => names.split(" "))
    .toArray();
}

/** The page with its tables made anew. */
export function withTables(
  page: string,
  figures: (benches: readonly string[]) => readonly Figure[],
  device: string,
): string {
  return page.replaceAll(MARKS, (_, start: string, names: string, end) => {
    const rows = figures(names.split(" ")).map(({ group, name, ms }) =>
      `| ${group} | \`${name}\` | ${Number(ms.toPrecision(3))} |`
    );
    return `${start}
| over | kernel | ms |
| ---- | ------ | -: |
${rows.join("\n")}

${device}

${end}`;
  });
}

async function measure(bench: string): Promise<Figure[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bench", "-A", "--no-check", "--json", `bench/${bench}_bench.ts`],
    cwd: new URL("../", import.meta.url),
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${bench}: ${text.decode(stderr)}`);
  const { benches } = JSON.parse(text.decode(stdout)) as {
    benches: {
      name: string;
      group?: string | null;
      results: { ok?: { min: number } }[];
    }[];
  };
  return benches.flatMap(({ name, group, results: [result] }) =>
    result?.ok ? [{ name, group: group ?? "", ms: result.ok.min / 1e6 }] : []
  );
}

if (import.meta.main) {
  const { Gpu } = await import("../src/gpu/mod.ts");
  const adapter = (await Gpu.create()).adapterName;
  const names = Deno.args.length > 0
    ? Deno.args.map((name) => `${name}.md`)
    : (await Array.fromAsync(Deno.readDir(PAGES))).map(({ name }) => name);
  const day = new Date().toISOString().slice(0, 10);
  const device =
    `Shortest run, submit to first result, on ${adapter}, ${navigator.hardwareConcurrency} processors, Deno ${Deno.version.deno}, ${day}.`;
  for (const name of names.sort()) {
    const url = new URL(name, PAGES);
    const page = await Deno.readTextFile(url);
    const figures = new Map<string, Figure[]>();
    for (const bench of benchesOf(page)) {
      console.error(`${name}: ${bench}`);
      figures.set(bench, await measure(bench));
    }
    const tables = withTables(
      page,
      (benches) => benches.flatMap((bench) => figures.get(bench) ?? []),
      device,
    );
    await Deno.writeTextFile(url, tables);
  }
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "docs/kernels"],
    cwd: new URL("../", import.meta.url),
  }).output();
  Deno.exit();
}
