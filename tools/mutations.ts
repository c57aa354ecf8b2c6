/**
 * Puts deliberate faults into a copy of the tree, one at a time, and sees that
 * a test fails of each: `deno task mutations`, or `deno task mutations WORD …`
 * for those whose file has one of the words.
 *
 * A find that is not in its file exactly once is an error: the fault then has to
 * be written anew.
 *
 * @module
 */
import { type Mutation, MUTATIONS } from "./mutation_list.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** What tests need of the tree. */
const PARTS = [
  ...["src", "tests", "tools", "weights", "examples", "mod.ts", "deno.json"],
  "deno.lock",
];

/** Seconds after which a test that does not end counts as failed. */
const LONGEST = 300;

/** What became of a fault. */
interface Verdict {
  /** The test file that failed; undefined where all passed. */
  readonly caught: string | undefined;
}

if (import.meta.main) {
  const chosen = MUTATIONS.filter(({ file }) =>
    Deno.args.length === 0 || Deno.args.some((word) => file.includes(word))
  );
  const tree = await copyTree();
  let caught = 0;
  try {
    await checkSound(tree, chosen);
    for (const mutation of chosen) {
      const verdict = await attempt(tree, mutation);
      if (verdict.caught !== undefined) caught++;
      console.log(
        `${
          verdict.caught === undefined ? "NOT CAUGHT" : "caught"
        }  ${mutation.file}: ${mutation.what}${
          verdict.caught === undefined ? "" : ` (${verdict.caught})`
        }`,
      );
    }
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
  console.log(`${caught} of ${chosen.length} caught`);
  Deno.exit(caught === chosen.length ? 0 : 1);
}

async function copyTree(): Promise<string> {
  const tree = await Deno.makeTempDir();
  const { success } = await new Deno.Command("cp", {
    args: ["-r", ...PARTS, `${tree}/`],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`Cannot copy the tree to "${tree}"`);
  return tree;
}

/** Without a fault every test must pass, else a failure would say nothing. */
async function checkSound(
  tree: string,
  mutations: readonly Mutation[],
): Promise<void> {
  const tests = [...new Set(mutations.flatMap(({ tests }) => tests))];
  const failed = await firstFailure(tree, tests);
  if (failed === undefined) return;
  throw new Error(`"${failed}" fails without any fault`);
}

async function attempt(
  tree: string,
  mutation: Mutation,
): Promise<Verdict> {
  const path = `${tree}/${mutation.file}`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, mutate(text, mutation));
  try {
    return { caught: await firstFailure(tree, mutation.tests) };
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

/**
 * A file with its fault.
 *
 * @throws {Error} If it is not clear where the fault belongs.
 */
export function mutate(
  text: string,
  { file, find, replace }: Pick<Mutation, "file" | "find" | "replace">,
): string {
  const times = text.split(find).length - 1;
  if (times !== 1) {
    throw new Error(
      `Cannot put a fault into "${file}": "${find}" is there ${times} times, expected once`,
    );
  }
  return text.replace(find, () => replace);
}

/** The first test file that fails or does not end. */
async function firstFailure(
  tree: string,
  tests: readonly string[],
): Promise<string | undefined> {
  for (const test of tests) {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--quiet", "--fail-fast", test],
      cwd: tree,
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(LONGEST * 1000),
    });
    const { success } = await command.output().catch(() => ({
      success: false,
    }));
    if (!success) return test;
  }
  return undefined;
}
