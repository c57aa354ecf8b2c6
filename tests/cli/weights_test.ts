import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runProgram } from "../../src/cli/main.ts";
import { weights } from "../../src/cli/weights.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { withFiles } from "./with_files.ts";

const GOLDEN = new URL("../golden/checkpoint/", import.meta.url).pathname;

async function run(
  ...argv: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const fake = new FakeTerminal();
  const code = await runProgram(["weights", ...argv], {
    terminal: fake.terminal,
    signal: new AbortController().signal,
    commands: [weights],
    debug: false,
  });
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}

/** Runs `fn` in a folder that is also where backbones are kept. */
async function inFolder(
  files: readonly string[],
  fn: (root: string) => Promise<void>,
): Promise<void> {
  const before = Deno.env.get("PATCHCORE_WEIGHTS");
  await withFiles(files, async (root) => {
    Deno.env.set("PATCHCORE_WEIGHTS", root);
    try {
      await fn(root);
    } finally {
      if (before === undefined) Deno.env.delete("PATCHCORE_WEIGHTS");
      else Deno.env.set("PATCHCORE_WEIGHTS", before);
    }
  });
}

Deno.test("weights list prints what can be pulled and what is here", async () => {
  await inFolder(["resnet18.onnx"], async (root) => {
    const { code, stdout, stderr } = await run("list");
    assertEquals(code, 0);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines.length, 11);
    assertEquals(
      lines[1]!.split(/ {2,}/).map((cell) => cell.trim()),
      ["resnet18", "11.7 M", "0.0 MB", "resnet18-f37072fd.pth"],
    );
    assertStringIncludes(lines[5]!, "no");
    assertStringIncludes(stderr, `Backbones are kept in "${root}"`);
    const json = (await run("list", "--json")).stdout.trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(json[0], {
      name: "resnet18",
      file: "resnet18-f37072fd.pth",
      url: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
      path: `${root}/resnet18.onnx`,
    });
    assertEquals(json[1].path, null);
  });
});

Deno.test("weights pull finds what is here without a network", async () => {
  await inFolder(["resnet18.onnx"], async (root) => {
    const { code, stdout, stderr } = await run(
      "pull",
      "resnet18",
      "--mirror",
      "http://127.0.0.1:9",
    );
    assertEquals(code, 0);
    assertEquals(stdout, `${root}/resnet18.onnx\n`);
    assertStringIncludes(stderr, '"resnet18" is here already');
  });
});

Deno.test("weights convert --random writes a network that says so", async () => {
  await inFolder([], async (root) => {
    const out = `${root}/r.onnx`;
    const argv = ["convert", "--random", "7", "--arch", "resnet18"];
    const { code, stdout } = await run(
      ...argv,
      "--out",
      out,
      "--until",
      "layer1",
      "--json",
    );
    assertEquals(code, 0);
    const record = JSON.parse(stdout);
    assertEquals(record.architecture, "resnet18");
    assertEquals(record.parameters, 158_144);
    const graph = await readOnnx(await Deno.readFile(out));
    assertEquals(graph.metadata.get("random"), "7");
    assertEquals(graph.outputs, ["layer1"]);

    const again = await run(...argv, "--out", out);
    assertEquals(again.code, 1);
    assertStringIncludes(again.stderr, `Refused to replace "${out}"`);
  });
});

Deno.test("weights convert says when it cannot tell the network", async () => {
  await inFolder([], async (root) => {
    const { code, stderr } = await run(
      "convert",
      `${GOLDEN}module.zip.pth`,
      "--out",
      `${root}/m.onnx`,
    );
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "Cannot tell the network of the weights (0.weight, 0.bias, 1.weight, …)",
    );
    assertEquals(await Array.fromAsync(Deno.readDir(root)), []);
  });
});

Deno.test("weights convert refuses a file whose name gives another SHA-256", async () => {
  await inFolder(["resnet18-f37072fd.pth"], async (root) => {
    const { code, stderr } = await run(
      "convert",
      `${root}/resnet18-f37072fd.pth`,
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "its name says f37072fd…");
  });
});

Deno.test("weights inspect prints the tensors of a checkpoint", async () => {
  const file = `${GOLDEN}module.legacy.pth`;
  const { code, stdout } = await run("inspect", file);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "PyTorch before 1.6, 9 tensors");
  assertStringIncludes(stdout, "network: none that is known");
  assert(/0\.weight +F32 +\[4, 3, 3, 3\]/.test(stdout), stdout);
  const [summary, ...tensors] = (await run("inspect", file, "--json")).stdout
    .trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(summary.tensors, 9);
  assertEquals(tensors.length, 9);
  assertEquals(tensors[0], {
    name: "0.weight",
    dtype: "F32",
    shape: [4, 3, 3, 3],
  });
});

Deno.test("weights inspect refuses to unpickle a program", async () => {
  const { code, stderr } = await run(
    "inspect",
    `${GOLDEN}whole_module.zip.pth`,
  );
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    'Refused "torch.nn.modules.container.Sequential"',
  );
});

for (
  const [argv, sentence] of [
    [["fetch"], 'Unknown action "fetch"'],
    [["pul"], 'did you mean "pull"?'],
    [["pull"], "weights pull needs a name"],
    [["pull", "resnet17"], 'Unknown network "resnet17"'],
    [["list", "all"], 'weights list takes no "all"'],
    [["convert"], "weights convert needs one FILE"],
    [["convert", "a.pth", "--arch", "vgg16"], 'Unknown network "vgg16"'],
    [["convert", "--random", "1"], "--random needs --out"],
    [["convert", "--random", "1", "--out", "x"], "--random needs --arch"],
    [["convert", "a.pth", "--random", "1"], "--random takes no FILE"],
    [["inspect"], "weights inspect needs one FILE"],
    [["inspect", "a.onnx"], 'use "info a.onnx"'],
  ] as const
) {
  Deno.test(`weights ${argv.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await run(...argv);
    assertEquals({ code, stdout }, { code: 2, stdout: "" });
    assertStringIncludes(stderr, sentence);
  });
}
