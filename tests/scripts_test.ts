import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** A `deno` for scripts/test.sh: says what the test wants it to say. */
const FAKE_DENO = `#!/bin/sh
[ "$1" = task ] || exit 0
if [ "$3" = test ]; then
  printf '%s\\n' "$FAKE_OUTPUT"
  exit "$FAKE_STATUS"
fi
[ "$3" != "$FAKE_BROKEN" ]
`;

interface Fake {
  output: string;
  status: number;
  broken?: string;
}

async function runTestScript(
  fake: Fake,
): Promise<{ code: number; out: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/deno`, FAKE_DENO, { mode: 0o755 });
    const command = new Deno.Command("sh", {
      args: [`${ROOT}scripts/test.sh`],
      cwd: "/",
      env: {
        PATH: `${folder}:${Deno.env.get("PATH")}`,
        FAKE_OUTPUT: fake.output,
        FAKE_STATUS: String(fake.status),
        FAKE_BROKEN: fake.broken ?? "",
      },
    });
    const { code, stdout } = await command.output();
    return { code, out: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)!;
}

Deno.test.each<[Fake, string, number]>([
  [
    { output: "ok | 12 passed | 0 failed (37ms)", status: 0 },
    "12 passed, 0 failed",
    0,
  ],
  [
    {
      output: "ok | 5 passed (2 steps) | 0 failed | 3 ignored (37ms)",
      status: 0,
    },
    "5 passed, 0 failed, 3 skipped",
    0,
  ],
  [
    { output: "FAILED | 4 passed | 2 failed (1 step) (1m3s)", status: 1 },
    "4 passed, 2 failed",
    1,
  ],
  [
    { output: "ok | 4 passed | 0 failed (1s)", status: 0, broken: "lint" },
    "4 passed, 1 failed",
    1,
  ],
  [{ output: "error: Module not found", status: 1 }, "0 passed, 1 failed", 1],
  [
    { output: "ok | 4 passed | 0 failed (1s)", status: 1 },
    "4 passed, 1 failed",
    1,
  ],
])("scripts/test.sh sums up %j", async (fake, summary, code) => {
  const result = await runTestScript(fake);
  assertEquals(lastLine(result.out), summary);
  assertEquals(result.code, code);
  if (fake.broken) assertStringIncludes(result.out, '"deno task lint" failed');
});

Deno.test("workflows use the Deno of scripts/setup.sh and tasks that there are", async () => {
  const setup = await Deno.readTextFile(`${ROOT}scripts/setup.sh`);
  const version = /^DENO_VERSION=(.*)$/m.exec(setup)![1]!;
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const folder = `${ROOT}.github/workflows`;
  const texts: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    texts.push(await Deno.readTextFile(`${folder}/${name}`));
  }
  const text = texts.join("\n");
  const versions = text.matchAll(/deno-version: (.*)/g).map(([, v]) => v);
  assertEquals([...new Set(versions)], [version]);
  const runs = text.matchAll(/run: (deno task|sh|deno run -A) (\S+)/g)
    .toArray();
  assert(runs.length > 5, `${runs}`);
  for (const [, how, what] of runs) {
    if (how === "deno task") assert(what! in tasks, `There is no task ${what}`);
    else await Deno.stat(`${ROOT}${what}`);
  }
});
