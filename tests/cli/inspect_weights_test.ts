import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  architecture,
  convertWeights,
  randomWeights,
  type StateDict,
} from "../../src/core/weights.ts";
import { writeSafetensors } from "../../src/nn/safetensors.ts";
import { sharedTest } from "../testing.ts";
import { floats, graph, model, node } from "../nn/model_builder.ts";
import { inWeightsFolder, runWeights } from "./run_weights.ts";

const CHECKPOINTS = new URL("../golden/checkpoint/", import.meta.url).pathname;

/** A small network with random weights, its checkpoint and its ONNX file. */
function resnet18(): { tensors: StateDict; onnx: Uint8Array } {
  const network = architecture("resnet18");
  const { weights } = randomWeights(network, 3);
  const tensors: StateDict = new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { dtype: "F32", shape, data },
    ]),
  );
  const metadata = new Map([["weights", "torchvision IMAGENET1K_V1 resnet18"]]);
  const { bytes } = convertWeights(tensors, network, { metadata });
  return { tensors, onnx: bytes };
}

Deno.test("weights inspect tells everything of a network", async () => {
  await inWeightsFolder([], async (root) => {
    const file = `${root}/r.onnx`;
    await Deno.writeFile(file, resnet18().onnx);
    const { code, stdout } = await runWeights(
      "inspect",
      file,
      "--size",
      "96",
      "--json",
    );
    assertEquals(code, 0);
    const { sha256, taps, ...facts } = JSON.parse(stdout);
    assert(/^[0-9a-f]{64}$/.test(sha256));
    assertEquals(facts, {
      file,
      format: "ONNX",
      architecture: "resnet18",
      producer: "@patchcore/webgpu",
      opset: 17,
      operators: {
        Add: 6,
        BatchNormalization: 15,
        Conv: 15,
        MaxPool: 1,
        Relu: 13,
      },
      parameters: 2_787_264,
      image: [1, 3, 96, 96],
      gmacs: 0.258,
      peak_activation_bytes: taps[2].peak_activation_bytes,
      cannot_run: null,
      expects: "levels normalised with ImageNet's mean and deviation",
      normalisation_inside: null,
      known_weights: "torchvision IMAGENET1K_V1 resnet18",
      random_weights: true,
      why: "its BatchNormalization statistics are all mean 0 and variance 1",
    });
    assertEquals(
      taps.map((tap: { shape: number[] }) => tap.shape),
      [[1, 64, 24, 24], [1, 128, 12, 12], [1, 256, 6, 6]],
    );
    // At least the image and two tensors of the stem at once.
    assert(taps[0].peak_activation_bytes > 4 * 96 * 96 * 4 + 4 * 64 * 48 * 48);
  });
});

Deno.test("weights inspect tells a checkpoint's network and tensors", async () => {
  await inWeightsFolder([], async (root) => {
    const file = `${root}/r.safetensors`;
    await Deno.writeFile(file, writeSafetensors([...resnet18().tensors]));
    const { stdout } = await runWeights("inspect", file, "--json");
    const [facts, ...tensors] = stdout.trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(facts.architecture, "resnet18");
    assertEquals(facts.format, "safetensors");
    assertEquals(facts.random_weights, true);
    assertEquals(facts.known_weights, null);
    assertEquals(facts.taps.length, 4);
    assertEquals(facts.tensors, tensors.length);
    assertEquals(tensors.find(({ name }) => name === "conv1.weight"), {
      name: "conv1.weight",
      dtype: "F32",
      shape: [64, 3, 7, 7],
    });
  });
});

Deno.test("weights inspect prints the tensors of a network nobody knows", async () => {
  const file = `${CHECKPOINTS}module.legacy.pth`;
  const { code, stdout } = await runWeights("inspect", file);
  assertEquals(code, 0);
  assert(/^format +PyTorch before 1\.6$/m.test(stdout), stdout);
  assert(/^architecture +null$/m.test(stdout), stdout);
  assert(/^parameters +139$/m.test(stdout), stdout);
  assert(/^0\.weight +F32 +\[4, 3, 3, 3\]$/m.test(stdout), stdout);
});

Deno.test("weights inspect says from where on a network cannot run", async () => {
  const w = floats("w", [4, 3, 4, 4], new Float32Array(192).fill(0.1));
  const v = floats("v", [4, 4, 2, 2], new Float32Array(64).fill(0.1));
  const four = { strides: [4, 4], kernel_shape: [4, 4] };
  const two = { strides: [2, 2], kernel_shape: [2, 2] };
  const bytes = model(graph([
    node("Conv", ["x", "w"], ["a"], four),
    node("GridSample", ["a"], ["b"]),
    node("Conv", ["b", "v"], ["y"], two),
  ], [w, v]));
  await inWeightsFolder([], async (root) => {
    const file = `${root}/odd.onnx`;
    await Deno.writeFile(file, bytes);
    const { code, stdout } = await runWeights("inspect", file, "--json");
    assertEquals(code, 0);
    const { operators, cannot_run } = JSON.parse(stdout);
    assertEquals(operators, { Conv: 2, GridSample: 1 });
    for (const part of ["layer", "GridSample", '"b"', "tap a layer before"]) {
      assertStringIncludes(cannot_run, part);
    }
  });
});

/** A safetensors header that claims 3 GB. */
const LIE = new Uint8Array(64);
new DataView(LIE.buffer).setBigUint64(0, 3_000_000_000n, true);
LIE[8] = 0x7b;
/** An ONNX file whose graph claims 3 GB. */
const ONNX_LIE = Uint8Array.from([
  ...[0x08, 0x08, 0x3a, 0x80, 0xbc, 0xc1, 0x96, 0x0b],
  ...new Uint8Array(64),
]);
const LFS =
  "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";

for (
  const [name, content, sentence] of [
    ["pointer.onnx", LFS, "git lfs pull"],
    ["pointer.pth", LFS, "git lfs pull"],
    ["page.onnx", "<!DOCTYPE html><html>", "web page"],
    ["page.pth", "<!DOCTYPE html><html>", "web page"],
    ["empty.onnx", "", "the file is empty"],
    ["empty.safetensors", "", "it is empty"],
    ["lie.safetensors", LIE, "3000000000"],
    ["lie.onnx", ONNX_LIE, "incomplete"],
    ["checkpoint.onnx", "PK\x03\x04archive/data.pkl", "convert"],
    ["junk", "junk", "Cannot read"],
  ] as const
) {
  Deno.test(`weights inspect refuses ${name} in one sentence`, async () => {
    await inWeightsFolder([], async (root) => {
      const file = `${root}/${name}`;
      await Deno.writeFile(
        file,
        typeof content === "string"
          ? new TextEncoder().encode(content)
          : content,
      );
      const { code, stdout, stderr } = await runWeights("inspect", file);
      assertEquals({ code, stdout }, { code: 1, stdout: "" });
      assertStringIncludes(stderr, sentence);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  });
}

Deno.test("weights inspect refuses to unpickle a program", async () => {
  const { code, stderr } = await runWeights(
    "inspect",
    `${CHECKPOINTS}whole_module.zip.pth`,
  );
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    'Refused "torch.nn.modules.container.Sequential"',
  );
});

sharedTest(
  "weights inspect shows a transformer's blocks, and the size that its file is fixed to",
  async (_t, shared) => {
    const inspect = async (file: string, size: number) => {
      const { code, stdout } = await runWeights(
        "inspect",
        shared("golden", "vit", file),
        ...["--size", `${size}`, "--json"],
      );
      assertEquals(code, 0);
      return JSON.parse(stdout);
    };
    const free = await inspect("dinov2_hf.op14.onnx", 112);
    assertEquals(free.patch, [14, 14]);
    assertEquals(free.tokens_before_patches, 1);
    assertEquals(free.cannot_run, null);
    const taps = free.taps as {
      name: string;
      stride: number;
      shape: number[];
    }[];
    assertEquals(
      taps.map(({ name, stride, shape }) => [name, stride, shape]),
      ["blocks.0", "blocks.1"].map((name) => [name, 14, [1, 32, 8, 8]]),
    );
    const fixed = await inspect("dinov2.op14.onnx", 112);
    assertStringIncludes(
      fixed.cannot_run,
      "its file holds the positions of 7 × 5 patches alone, of images of 98 × 70",
    );
    const quantised = await inspect("dinov2_hf.q8.onnx", 112);
    assertStringIncludes(quantised.cannot_run, "quantised to integers");
  },
);
