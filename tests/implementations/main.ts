/**
 * The tests of kernels and networks on several implementations of WebGPU, and
 * the demo's scores on each:
 *
 *     deno run -A tests/implementations/main.ts [naga] [dawn] [chromium] [--minutes N] [-- FILES]
 *
 * `naga` is Deno's own (wgpu), `dawn` is Dawn from npm loaded into Deno, and
 * `chromium` is a browser on its CPU adapter. Counts are printed and written to
 * `bench/results`; the exit code is 1 when a test failed or scores differ. After
 * so many minutes an implementation's other files count as skipped.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { CHROMIUM, openBrowser } from "../web/browser.ts";
import type { DemoScores } from "./demo_scores.ts";
import type { Outcome } from "./outcome.ts";
import { TestServer } from "./test_server.ts";

const ROOT = new URL("../../", import.meta.url);
const DAWN = "tests/implementations/dawn.ts";
const DEMO = "tests/implementations/demo_scores.ts";
/** Where Debian's Chromium has its Vulkan on the CPU. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";
/** Folders whose tests run everywhere. */
const SUITE = ["tests/wgsl", "tests/gpu", "tests/nn"];
/** How much scores may differ from those of the first implementation. */
const TOLERANCE = 1e-3;

/** What an implementation made of the suite. */
interface Result {
  readonly title: string;
  readonly outcomes: ReadonlyMap<string, readonly Outcome[]>;
  readonly demo: DemoScores;
}

/** Runs a file's tests. */
type RunFile = (file: string) => Promise<readonly Outcome[]>;

type Run = (files: readonly string[], minutes: number) => Promise<Result>;

const IMPLEMENTATIONS: Readonly<Record<string, Run>> = {
  naga: (files, minutes) =>
    inDeno("wgpu and naga in Deno", files, minutes, [], {}),
  dawn: (files, minutes) =>
    inDeno(
      "Dawn and Tint in Deno",
      files,
      minutes,
      ["--preload", DAWN],
      isFile(SWIFTSHADER) ? { VK_ICD_FILENAMES: SWIFTSHADER } : {},
    ),
  chromium: inChromium,
};

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Runs a command of Deno in the checkout; its exit code is not looked at. */
async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ out: string; errors: string }> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = new TextDecoder();
  return { out: text.decode(stdout), errors: text.decode(stderr) };
}

async function inDeno(
  title: string,
  files: readonly string[],
  minutes: number,
  options: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Result> {
  const common = ["-A", "--no-check", "--no-lock", "--quiet", ...options];
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const outcomes = await inTurn(files, minutes, async (file) => {
    await Deno.writeTextFile(report, "");
    const { errors } = await deno(
      ["test", ...common, `--junit-path=${report}`, file],
      env,
    );
    const found = outcomesOf(await Deno.readTextFile(report));
    return found.length > 0
      ? found
      : [{ name: "the file", kind: "failed", why: errors }];
  });
  await Deno.remove(report);
  const { out, errors } = await deno(["run", ...common, DEMO], env);
  try {
    return { title, outcomes, demo: JSON.parse(out) };
  } catch {
    throw new Error(`Cannot score the demo on ${title}: ${errors}`);
  }
}

/** Runs files one after the other, until time is over. */
async function inTurn(
  files: readonly string[],
  minutes: number,
  run: RunFile,
): Promise<Map<string, readonly Outcome[]>> {
  const end = performance.now() + minutes * 60_000;
  const outcomes = new Map<string, readonly Outcome[]>();
  for (const file of files) {
    const found: readonly Outcome[] = performance.now() < end
      ? await run(file)
      : [{ name: "the file (no time was left)", kind: "skipped" }];
    outcomes.set(file, found);
    const { passed, failed, skipped } = countsOf(found);
    console.error(
      `  ${file}: ${passed} passed, ${failed} failed, ${skipped} skipped`,
    );
    for (const { name, kind, why } of found) {
      if (kind === "failed") console.error(`    ${name}: ${why}`);
    }
  }
  return outcomes;
}

/** What a report in JUnit's format says. */
export function outcomesOf(xml: string): Outcome[] {
  const cases = xml.matchAll(
    /<testcase name="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g,
  );
  return Array.from(cases, ([, name, body]) => {
    const plain = unescaped(name!);
    if (body!.includes("<skipped")) return { name: plain, kind: "skipped" };
    const [, why] = /<failure[^>]*>([\s\S]*?)<\/failure>/.exec(body!) ?? [];
    return why === undefined
      ? { name: plain, kind: "passed" }
      : { name: plain, kind: "failed", why: unescaped(why) };
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function unescaped(text: string): string {
  return text.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
}

/** Runs files in a browser, on its CPU adapter. */
export async function inChromium(
  files: readonly string[],
  minutes: number,
): Promise<Result> {
  if (CHROMIUM === undefined) {
    throw new Error(
      "There is no Chromium: sh scripts/setup.sh browser gets it",
    );
  }
  await using server = new TestServer();
  const browser = await openBrowser();
  try {
    const evaluate = async <T>(expression: string): Promise<T> => {
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.waitForFunction("globalThis.runTests !== undefined");
      const result = await page.evaluate(expression);
      await page.close();
      return result as T;
    };
    const outcomes = await inTurn(
      files,
      minutes,
      (file) =>
        evaluate<Outcome[]>(`runTests("/${file}")`).catch((error) => [
          { name: "the file", kind: "failed" as const, why: String(error) },
        ]),
    );
    const demo = await evaluate<DemoScores>(`
      Promise.all([import("/${DEMO}"), Deno.readFile("/weights/demo.onnx")])
        .then(([{ demoScores }, bytes]) => demoScores(bytes))`);
    const title = `Dawn and Tint in Chromium ${browser.version()}`;
    return { title, outcomes, demo };
  } finally {
    await browser.close();
  }
}

function countsOf(
  outcomes: readonly Outcome[],
): Record<Outcome["kind"], number> {
  const count = (wanted: Outcome["kind"]): number =>
    outcomes.filter(({ kind }) => kind === wanted).length;
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
}

/** Test files of the suite, or of files and folders that were named. */
async function filesBelow(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (path.endsWith(".ts")) files.push(path);
    else {
      const entries = await Array.fromAsync(Deno.readDir(new URL(path, ROOT)));
      files.push(
        ...await filesBelow(
          entries.filter(({ name, isDirectory }) =>
            isDirectory || name.endsWith("_test.ts")
          ).map(({ name }) => `${path}/${name}`).sort(),
        ),
      );
    }
  }
  return files;
}

/** What is written to `bench/results` of an implementation. */
function pageOf({ title, outcomes, demo }: Result): string {
  const folders = Map.groupBy(
    outcomes,
    ([file]) => file.replace(/^tests\/([^/]+).*$/, "$1"),
  );
  const rows = [...folders].map(([folder, files]) => {
    const counts = countsOf(files.flatMap(([, all]) => all));
    const { passed, failed, skipped } = counts;
    return `| ${folder} | ${files.length} | ${passed} | ${failed} | ${skipped} |`;
  });
  const left = [...outcomes].flatMap(([file, all]) =>
    all.filter(({ kind }) => kind !== "passed")
      .map(({ name, kind }) => `- ${kind}: \`${file}\`, ${name}`)
  );
  const date = new Date().toISOString().slice(0, 10);
  return `# The suite on ${title}

${date}, adapter ${demo.adapter}. Made by
\`deno run -A tests/implementations/main.ts\`; steps count as tests.

| tests of | files | passed | failed | skipped |
| --- | ---: | ---: | ---: | ---: |
${rows.join("\n")}

Scores of a product of the demo: ${
    demo.scores.map((score) => score.toPrecision(7)).join(", ")
  }.

## Not passed

${left.length > 0 ? left.join("\n") : "Nothing."}
`;
}

/** The largest relative difference of a score. */
function differenceOf(one: DemoScores, other: DemoScores): number {
  if (one.scores.length !== other.scores.length) return Infinity;
  return Math.max(
    ...one.scores.map((score, i) =>
      Math.abs(score - other.scores[i]!) / other.scores[i]!
    ),
  );
}

if (import.meta.main) {
  const end = Deno.args.indexOf("--");
  const { _: names, minutes } = parseArgs(
    end < 0 ? Deno.args : Deno.args.slice(0, end),
    { string: ["_", "minutes"], default: { minutes: "240" } },
  );
  const paths = end < 0 ? SUITE : Deno.args.slice(end + 1);
  const files = await filesBelow(paths);
  const results: Result[] = [];
  for (
    const name of names.length > 0
      ? names.map(String)
      : Object.keys(IMPLEMENTATIONS)
  ) {
    const run = IMPLEMENTATIONS[name];
    if (run === undefined) throw new Error(`Unknown implementation "${name}"`);
    console.error(name);
    const result = await run(files, Number(minutes));
    results.push(result);
    const { passed, failed, skipped } = countsOf(
      [...result.outcomes.values()].flat(),
    );
    console.log(
      `${result.title} on ${result.demo.adapter}: ${passed} passed, ${failed} failed, ${skipped} skipped; scores of the demo differ by ${
        differenceOf(result.demo, results[0]!.demo).toExponential(1)
      }`,
    );
    if (paths !== SUITE) continue;
    const page = new URL(`bench/results/suite-${name}.md`, ROOT);
    await Deno.writeTextFile(page, pageOf(result));
  }
  const failed = results.some(({ outcomes, demo }) =>
    countsOf([...outcomes.values()].flat()).failed > 0 ||
    differenceOf(demo, results[0]!.demo) > TOLERANCE
  );
  Deno.exit(failed ? 1 : 0);
}
