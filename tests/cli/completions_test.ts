import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { completions } from "../../src/cli/completions.ts";
import { runCommand } from "./run_command.ts";

const command = completions(() => COMMANDS);

async function script(shell: string, ...options: string[]): Promise<string> {
  const { code, stdout } = await runCommand(command, shell, ...options);
  assertEquals(code, 0);
  return stdout;
}

async function isInstalled(shell: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `command -v ${shell}`],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** Runs a program of a shell that is installed; the test is skipped elsewhere. */
async function shellTest(
  shell: string,
  what: string,
  fn: (run: (program: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const installed = await isInstalled(shell);
  Deno.test({
    name: `completions ${shell} ${what}${
      installed ? "" : ` (skipped: no ${shell})`
    }`,
    ignore: !installed,
    fn: () =>
      fn(async (program) => {
        const { success, stdout, stderr } = await new Deno.Command(shell, {
          args: ["-c", program],
        }).output();
        const text = new TextDecoder();
        assert(success, text.decode(stderr));
        assertEquals(text.decode(stderr), "");
        return text.decode(stdout);
      }),
  });
}

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`completions ${shell} names every command and option`, async () => {
    const text = await script(shell);
    for (const { name, syntax } of COMMANDS) {
      assertStringIncludes(text, name);
      for (const key of Object.keys(syntax.options)) {
        const flag = key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
        assertStringIncludes(
          text,
          shell === "fish" ? `-l ${flag} ` : `--${flag}`,
        );
      }
    }
    const other = await script(shell, "--program", "pc2");
    assertStringIncludes(other, "pc2");
  });
}

const CASES: readonly (readonly [line: string, expected: string])[] = [
  ["pre", "predict"],
  ["weights ", "list pull convert inspect"],
  ["fit --prese", "--preset"],
  ["fit --preset ", "paper reference anomalib anomalydino dino"],
  ["fit --backbone wide_resnet101", "wide_resnet101_2"],
  ["completions z", "zsh"],
];

await shellTest("bash", "completes as bash does", async (run) => {
  const source = await script("bash");
  for (const [line, expected] of CASES) {
    const words = `patchcore ${line}`.split(" ").map((word) => `'${word}'`);
    const said = await run(`${source}
      COMP_WORDS=(${words.join(" ")})
      COMP_CWORD=${words.length - 1}
      _patchcore
      echo "\${COMPREPLY[*]}"`);
    assertEquals([line, said], [line, `${expected}\n`]);
  }
});

await shellTest("fish", "completes as fish does", async (run) => {
  const source = await script("fish");
  for (const [line, expected] of CASES) {
    const said = await run(`${source}\ncomplete -C 'patchcore ${line}'`);
    const words = said.trimEnd().split("\n").map((row) => row.split("\t")[0]!);
    assertEquals([line, words.sort()], [line, expected.split(" ").sort()]);
  }
});

await shellTest("zsh", "is understood by zsh", async (run) => {
  const source = await script("zsh");
  const said = await run(`
    compdef() { print -r -- "compdef $*" }
    _describe() { print -r -- "$1: $commands" }
    _arguments() { print -rl -- "$@" }
    ${source}
    words=(patchcore ''); CURRENT=2; _patchcore
    words=(patchcore fit ''); CURRENT=3; _patchcore`);
  assertStringIncludes(said, "compdef _patchcore patchcore\n");
  assertStringIncludes(said, "command: fit:Learn from images");
  assert(
    /^\*--preset\[.*\]:value:\(paper reference anomalib anomalydino dino\)$/m
      .test(said),
  );
});

for (
  const [argv, sentence] of [
    [["completions"], "SHELL missing"],
    [["completions", "csh"], 'Unknown shell "csh", expected one of bash'],
    [["completions", "bahs"], 'did you mean "bash"?'],
    [["completions", "bash", "--program", "a b"], "Cannot use --program"],
  ] as const
) {
  Deno.test(`${argv.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await runCommand(
      command,
      ...argv.slice(1),
    );
    assertEquals({ code, stdout }, { code: 2, stdout: "" });
    assertStringIncludes(stderr, sentence);
  });
}
