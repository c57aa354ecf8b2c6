import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { architecture } from "../../src/core/weights.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { writeSafetensors } from "../../src/nn/safetensors.ts";
import { inWeightsFolder, runWeights } from "./run_weights.ts";

const ONE_BLOCK = ["--arch", "deit_tiny", "--until", "blocks.0"];

Deno.test("weights convert --random writes a transformer up to a block", async () => {
  await inWeightsFolder([], async (root) => {
    const out = `${root}/deit.onnx`;
    const { code, stderr } = await runWeights(
      ...["convert", "--random", "3", ...ONE_BLOCK, "--out", out],
    );
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "weights of deit_tiny up to blocks.0");
    const graph = await readOnnx(await Deno.readFile(out));
    assertEquals(graph.outputs, ["tokens"]);
    assertEquals(graph.metadata.get("random"), "3");
    assertEquals(graph.metadata.get("positions"), "hub");
    assert(!graph.constants.has("blocks.1.norm1.weight"));
    assertEquals(graph.inputs[0]!.shape.slice(1), [3, 224, 224]);
  });
});

for (
  const [what, options, sentence] of [
    [
      "a level of a transformer",
      ["--arch", "deit_tiny", "--until", "layer3"],
      'Cannot use --until layer3 of "deit_tiny": it is a transformer, expected blocks.0 to blocks.11',
    ],
    [
      "a block that is not there",
      ["--arch", "deit_tiny", "--until", "blocks.12"],
      'Cannot use --until blocks.12 of "deit_tiny"',
    ],
    [
      "a block of a convolutional network",
      ["--arch", "resnet18", "--until", "blocks.1"],
      'Cannot use --until blocks.1 of "resnet18": expected one of layer1, layer2, layer3, layer4',
    ],
  ] as const
) {
  Deno.test(`weights convert refuses ${what}`, async () => {
    await inWeightsFolder([], async (root) => {
      const { code, stderr } = await runWeights(
        ...["convert", "--random", "1", ...options, "--out", `${root}/a.onnx`],
      );
      assertEquals(code, 2);
      assertStringIncludes(stderr, sentence);
    });
  });
}

/** The tensors that tell DINOv3's smallest network, most of them without use. */
function checkpoint(): Uint8Array<ArrayBuffer> {
  const { parameters } = architecture("dinov3_vits16");
  return writeSafetensors(parameters.map(({ name, shape }) => [
    name,
    {
      dtype: "F32",
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.01),
    },
  ]));
}

Deno.test("weights convert asks for the licence of DINOv3 and keeps its text", async () => {
  await inWeightsFolder([], async (root) => {
    const file = `${root}/v3.safetensors`;
    await Deno.writeFile(file, checkpoint());
    const argv = ["convert", file, "--until", "blocks.0"];
    const asked = await runWeights(...argv);
    assertEquals(asked.code, 2);
    assertStringIncludes(asked.stderr, "DINOv3 License");
    assertStringIncludes(asked.stderr, "--accept-licence");
    await Deno.writeTextFile(`${root}/LICENSE.md`, "The text\n");
    const { code, stderr } = await runWeights(
      ...[...argv, "--accept-licence", "--licence", `${root}/LICENSE.md`],
    );
    assertEquals(code, 0, stderr);
    const graph = await readOnnx(await Deno.readFile(`${root}/v3.onnx`));
    assertEquals(graph.metadata.get("licence"), "DINOv3 License");
    assertEquals(graph.metadata.get("licence_text"), "The text");
  });
});

Deno.test("weights pull of a gated network says how to get it", async () => {
  await inWeightsFolder([], async () => {
    const asked = await runWeights("pull", "dinov3_vits16");
    assertEquals(asked.code, 2);
    assertStringIncludes(asked.stderr, "Commercial use is permitted");
    const { code, stderr } = await runWeights(
      ...["pull", "dinov3_vits16", "--accept-licence"],
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "it has no public address");
    assertStringIncludes(
      stderr,
      'as "dinov3_vits16_pretrain_lvd1689m-08c60483.pth"',
    );
    assertStringIncludes(stderr, "weights pull dinov3_vits16 --timm");
  });
});

Deno.test("weights list names licences", async () => {
  await inWeightsFolder([], async () => {
    const { code, stdout } = await runWeights("list");
    assertEquals(code, 0);
    assertStringIncludes(stdout, "DINOv3 License");
    assertStringIncludes(stdout, "dinov2_vitb14_reg4_pretrain.pth");
  });
});
