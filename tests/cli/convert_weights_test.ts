import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { architecture } from "../../src/core/weights.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { writeSafetensors } from "../../src/nn/safetensors.ts";
import type { StoredTensor } from "../../src/nn/stored_tensor.ts";
import {
  archive,
  global,
  pickle,
  text,
  tuple,
} from "../nn/checkpoint/pickle_bytes.ts";
import { randomFloats } from "../testing.ts";
import { inWeightsFolder, runWeights } from "./run_weights.ts";

const PARAMETERS = architecture("resnet18").parameters;

/** A checkpoint of ResNet-18's stem and first level, changed by `edit`. */
function checkpoint(
  edit: (tensors: Map<string, StoredTensor>) => void = () => {},
): Uint8Array {
  const tensors = new Map<string, StoredTensor>();
  PARAMETERS.filter(({ name }) => /^(conv1|bn1|layer1)\b/.test(name))
    .forEach(({ name, shape }, i) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const { data } = floatTensor(shape, randomFloats(i, size));
      tensors.set(name, { dtype: "F32", shape, data });
    });
  edit(tensors);
  return writeSafetensors([...tensors]);
}

const arch = ["--arch", "resnet18", "--until", "layer1"];

Deno.test("weights convert writes float16 at half the size", async () => {
  await inWeightsFolder([], async (root) => {
    const file = `${root}/r.safetensors`;
    await Deno.writeFile(file, checkpoint());
    const sizes: number[] = [];
    for (const precision of ["f32", "f16"]) {
      const out = `${root}/${precision}.onnx`;
      const { code, stderr } = await runWeights(
        ...["convert", file, ...arch, "--precision", precision, "--out", out],
      );
      assertEquals(code, 0, stderr);
      const graph = await readOnnx(await Deno.readFile(out));
      assertEquals(graph.outputs, ["layer1"]);
      sizes.push((await Deno.stat(out)).size);
    }
    assert(sizes[1]! < 0.55 * sizes[0]!, `${sizes}`);
  });
});

for (
  const [what, file, bytes, options, sentence] of [
    [
      "a pickle that calls os.system",
      "evil.pth",
      archive(pickle(global("os", "system"), tuple(text("touch PWNED")), "R")),
      arch,
      'Refused "os.system"',
    ],
    [
      "a whole module",
      "module.pt",
      Deno.readFileSync(
        new URL(
          "../golden/checkpoint/whole_module.legacy.pth",
          import.meta.url,
        ),
      ),
      arch,
      'Refused "',
    ],
    [
      "a truncated file",
      "cut.safetensors",
      checkpoint().subarray(0, 5000),
      arch,
      "Cannot read",
    ],
    [
      "a truncated archive",
      "cut.pth",
      Deno.readFileSync(
        new URL("../golden/checkpoint/densenet.zip.pth", import.meta.url),
      ).subarray(0, 20_000),
      arch,
      "Cannot read",
    ],
    [
      "another architecture",
      "r.safetensors",
      checkpoint(),
      ["--arch", "resnet50", "--until", "layer1"],
      'Cannot convert the weights to "resnet50": tensor "layer1.0.conv1.weight" has shape [64,64,3,3], expected [64,64,1,1]',
    ],
    [
      "a missing tensor",
      "r.safetensors",
      checkpoint((tensors) => tensors.delete("layer1.1.bn2.bias")),
      arch,
      'tensor "layer1.1.bn2.bias" is missing',
    ],
    [
      "a wrong shape",
      "r.safetensors",
      checkpoint((tensors) => {
        const data = new Float32Array(63);
        tensors.set("bn1.weight", { dtype: "F32", shape: [63], data });
      }),
      arch,
      'tensor "bn1.weight" has shape [63], expected [64]',
    ],
    [
      "a NaN",
      "r.safetensors",
      checkpoint((tensors) => {
        const data = new Float32Array(64).fill(NaN);
        tensors.set("bn1.weight", { dtype: "F32", shape: [64], data });
      }),
      arch,
      'tensor "bn1.weight" holds NaN',
    ],
  ] as const
) {
  Deno.test(`weights convert refuses ${what} and writes nothing`, async () => {
    await inWeightsFolder([], async (root) => {
      await Deno.writeFile(`${root}/${file}`, bytes);
      const { code, stdout, stderr } = await runWeights(
        "convert",
        `${root}/${file}`,
        ...options,
      );
      assertEquals({ code, stdout }, { code: 1, stdout: "" });
      assertStringIncludes(stderr, sentence);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
      const left = await Array.fromAsync(Deno.readDir(root));
      assertEquals(left.map(({ name }) => name), [file]);
    });
  });
}
