import { assertEquals, assertStringIncludes } from "@std/assert";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import {
  inWeightsFolder as inFolder,
  runWeights as run,
} from "./run_weights.ts";

const GOLDEN = new URL("../golden/checkpoint/", import.meta.url).pathname;

Deno.test("weights list prints what can be pulled and what is here", async () => {
  await inFolder(["resnet18.onnx"], async (root) => {
    const { code, stdout, stderr } = await run("list");
    assertEquals(code, 0);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines.length, 35);
    assertEquals(
      lines[1]!.split(/ {2,}/).map((cell) => cell.trim()),
      ["resnet18", "11.7 M", "0.0 MB", "BSD-3-Clause", "resnet18-f37072fd.pth"],
    );
    assertStringIncludes(lines[5]!, "no");
    assertStringIncludes(stderr, `Backbones are kept in "${root}"`);
    const json = (await run("list", "--json")).stdout.trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(json[0], {
      name: "resnet18",
      licence: "BSD-3-Clause",
      licence_url: "https://github.com/pytorch/vision/blob/main/LICENSE",
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

Deno.test("weights pull refuses and removes what has another SHA-256", async () => {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      asked.push(new URL(request.url).pathname);
      return new Response(new Uint8Array(3_000_000));
    },
  );
  const mirror = `http://127.0.0.1:${server.addr.port}/m`;
  try {
    await inFolder([], async (root) => {
      const { code, stdout, stderr } = await run(
        ...["pull", "resnet34", "--mirror", mirror],
      );
      assertEquals({ code, stdout }, { code: 1, stdout: "" });
      assertStringIncludes(stderr, "Downloading resnet34: 100 % (3/3 MB");
      assertStringIncludes(stderr, "expected b627a593…; the 3000000 bytes");
      assertStringIncludes(stderr, "Other ways to get the weights");
      assertEquals(await Array.fromAsync(Deno.readDir(root)), []);
      assertEquals(asked, ["/m/resnet34-b627a593.pth"]);
    });
  } finally {
    await server.shutdown();
  }
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

for (
  const [argv, sentence] of [
    [["fetch"], 'Unknown action "fetch"'],
    [["pul"], 'did you mean "pull"?'],
    [["pull"], "weights pull needs a name"],
    [["pull", "resnet17"], 'Unknown network "resnet17"'],
    [
      ["pull", "resnet18", "--timm", "--mirror", "http://h"],
      "Cannot use --mirror with --timm",
    ],
    [["list", "all"], 'weights list takes no "all"'],
    [["convert"], "weights convert needs one FILE"],
    [["convert", "a.pth", "--arch", "vgg16"], 'Unknown network "vgg16"'],
    [["convert", "--random", "1"], "--random needs --out"],
    [["convert", "--random", "1", "--out", "x"], "--random needs --arch"],
    [["convert", "a.pth", "--random", "1"], "--random takes no FILE"],
    [["inspect"], "weights inspect needs one FILE"],
    [["inspect", "a", "b"], "weights inspect needs one FILE"],
    [["inspect", "a", "--sise", "64"], 'did you mean "--size"?'],
  ] as const
) {
  Deno.test(`weights ${argv.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await run(...argv);
    assertEquals({ code, stdout }, { code: 2, stdout: "" });
    assertStringIncludes(stderr, sentence);
  });
}
