import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Architecture } from "../../../src/nn/architectures/architecture.ts";
import { architecture } from "../../../src/nn/architectures/catalogue.ts";
import { densenet } from "../../../src/nn/architectures/densenet.ts";
import { resnet } from "../../../src/nn/architectures/resnet.ts";
import { CheckpointError } from "../../../src/nn/checkpoint/checkpoint_error.ts";
import {
  convertWeights,
  LEVELS,
  recogniseArchitecture,
} from "../../../src/nn/checkpoint/convert.ts";
import {
  readStateDict,
  type StateDict,
} from "../../../src/nn/checkpoint/state_dict.ts";
import { floatTensor } from "../../../src/nn/host_tensor.ts";
import { decodeModel } from "../../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../../src/nn/onnx/read.ts";
import type { StoredTensor } from "../../../src/nn/stored_tensor.ts";
import { interpret } from "../../reference/interpreter.ts";
import { pathOf, relativeError, sharedTest } from "../../testing.ts";
import { readActivations, readModelFile } from "../model_files.ts";

const GOLDEN = new URL("../../golden/checkpoint/", import.meta.url);
const SMALL = densenet({
  name: "small",
  blocks: [1, 2, 1, 1],
  growth: 4,
  stem: 8,
  bottleneck: 2,
  classes: 3,
});

function weightsOf(file: string): StateDict {
  return readStateDict(Deno.readFileSync(new URL(file, GOLDEN)));
}

/** Runs a converted file and compares its levels with recorded ones. */
async function checkLevels(
  bytes: Uint8Array,
  activations: string,
  stages: readonly string[],
  tolerance: number,
): Promise<void> {
  const graph = await readOnnx(bytes);
  assertEquals(graph.outputs.length, stages.length);
  const { tensors } = await readActivations(activations);
  const results = interpret(graph, tensors.get("input")!);
  for (const [i, stage] of stages.entries()) {
    const actual = results.get(graph.outputs[i]!)!;
    const expected = tensors.get(stage)!;
    assertEquals(actual.shape, expected.shape);
    const error = relativeError(actual.data as Float32Array, expected.data);
    assert(error < tolerance, `${stage}: relative error ${error}`);
  }
}

for (const file of ["densenet.zip.pth", "densenet.legacy.pth"]) {
  Deno.test(`convertWeights() makes the same bytes of ${file} and of safetensors`, () => {
    const expected = convertWeights(weightsOf("densenet.safetensors"), SMALL);
    const actual = convertWeights(weightsOf(file), SMALL);
    assertEquals(actual, expected);
  });
}

for (const [precision, tolerance] of [["f32", 1e-6], ["f16", 1e-3]] as const) {
  Deno.test(`convertWeights() in ${precision} computes what torchvision does`, async () => {
    const { bytes } = convertWeights(weightsOf("densenet.legacy.pth"), SMALL, {
      until: "layer4",
      precision,
    });
    const activations = new URL("densenet.activations.safetensors", GOLDEN);
    await checkLevels(bytes, pathOf(activations), LEVELS, tolerance);
  });
}

for (const [i, until] of LEVELS.entries()) {
  Deno.test(`convertWeights() ends with ${until} when told so`, async () => {
    const weights = weightsOf("densenet.zip.pth");
    const { bytes, parameters } = convertWeights(weights, SMALL, { until });
    const graph = await readOnnx(bytes);
    assertEquals(
      graph.outputs,
      LEVELS.slice(0, i + 1).map((_, j) => `features.denseblock${j + 1}`),
    );
    let count = 0;
    for (const { data } of graph.constants.values()) count += data.length;
    assertEquals(parameters, count);
    assertEquals(graph.metadata.get("architecture"), "small");
    assert(!graph.metadata.has("random"));
    // ONNX programs want to know how many dimensions an output has.
    for (const { type } of decodeModel(bytes).graph?.output ?? []) {
      assertEquals(type?.tensorType?.shape?.dim?.length, 4);
    }
  });
}

Deno.test("convertWeights() ends with layer3 unless told otherwise", () => {
  const weights = weightsOf("densenet.zip.pth");
  assertEquals(
    convertWeights(weights, SMALL),
    convertWeights(weights, SMALL, { until: "layer3", precision: "f32" }),
  );
});

for (
  const [network, built, stages] of [
    [
      "resnet_basic",
      resnet({
        name: "resnet_basic",
        block: "basic",
        blocks: [2, 2, 2, 2],
        planes: [16, 16, 24, 32, 40],
        classes: 10,
      }),
      "layer",
    ],
    [
      "wide_resnet",
      resnet({
        name: "wide_resnet",
        block: "bottleneck",
        blocks: [2, 3, 3, 2],
        planes: [16, 8, 12, 16, 20],
        widthPerGroup: 128,
        classes: 10,
      }),
      "layer",
    ],
    [
      "resnext",
      resnet({
        name: "resnext",
        block: "bottleneck",
        blocks: [2, 2, 2, 2],
        planes: [12, 16, 16, 32, 32],
        groups: 4,
        widthPerGroup: 16,
        classes: 10,
      }),
      "layer",
    ],
    [
      "densenet",
      densenet({
        name: "densenet",
        blocks: [2, 3, 3, 2],
        growth: 8,
        stem: 20,
        bottleneck: 2,
        classes: 10,
      }),
      "features.denseblock",
    ],
  ] as [string, Architecture, string][]
) {
  sharedTest(
    `convertWeights() of ${network} computes what torchvision does`,
    async (_t, shared) => {
      const path = shared("golden", "backbones", network);
      const { constants } = await readModelFile(`${path}.batchnorm.onnx`);
      const weights = new Map<string, StoredTensor>();
      for (const [name, { dtype, shape, data }] of constants) {
        if (dtype !== "float32" || !/\.(weight|bias|running_.*)$/.test(name)) {
          continue;
        }
        weights.set(name, { dtype: "F32", shape, data });
      }
      const { bytes } = convertWeights(weights, built, { until: "layer4" });
      await checkLevels(
        bytes,
        `${path}.activations.safetensors`,
        [1, 2, 3, 4].map((level) => stages + level),
        1e-5,
      );
    },
  );
}

const NAME = "features.denseblock1.denselayer1.conv1.weight";
const vector = (dtype: "F32" | "I64", size: number): StoredTensor =>
  dtype === "F32"
    ? { dtype, shape: [size], data: new Float32Array(size) }
    : { dtype, shape: [size], data: new BigInt64Array(size) };

for (
  const [what, change, sentence] of [
    [
      "a missing tensor",
      (weights) => weights.delete(NAME),
      `Cannot convert the weights to "small": tensor "${NAME}" is missing`,
    ],
    [
      "a tensor of another shape",
      (weights) => weights.set(NAME, vector("F32", 64)),
      `tensor "${NAME}" has shape [64], expected [8,8,1,1]`,
    ],
    [
      "an unexpected tensor",
      (weights) => weights.set("head.weight", vector("F32", 1)),
      `tensor "head.weight" does not belong to it`,
    ],
    [
      "whole numbers",
      (weights) => weights.set("features.norm0.bias", vector("I64", 8)),
      `tensor "features.norm0.bias" is I64, expected F16, BF16, F32 or F64`,
    ],
    [
      "NaN",
      (weights) =>
        weights.set("features.norm0.bias", {
          ...vector("F32", 8),
          data: new Float32Array(8).fill(NaN, 5),
        }),
      `tensor "features.norm0.bias" holds NaN`,
    ],
    [
      "a number beyond float32",
      (weights) =>
        weights.set("features.norm0.bias", {
          dtype: "F64",
          shape: [8],
          data: new Float64Array(8).fill(1e300),
        }),
      `tensor "features.norm0.bias" holds Infinity`,
    ],
  ] as [string, (weights: Map<string, StoredTensor>) => void, string][]
) {
  Deno.test(`convertWeights() throws on ${what}`, () => {
    const weights = new Map(weightsOf("densenet.zip.pth"));
    change(weights);
    assertThrows(
      () => convertWeights(weights, SMALL),
      CheckpointError,
      sentence,
    );
  });
}

Deno.test("convertWeights() needs nothing past the last level", () => {
  const weights = new Map(weightsOf("densenet.zip.pth"));
  const expected = convertWeights(weights, SMALL, { until: "layer2" });
  weights.set("classifier.weight", vector("F32", 5));
  weights.delete("classifier.bias");
  weights.delete("features.denseblock3.denselayer1.conv1.weight");
  assertEquals(convertWeights(weights, SMALL, { until: "layer2" }), expected);
});

/** Weights of the right names and shapes, without their elements. */
function hollow({ parameters }: Architecture): Map<string, StoredTensor> {
  return new Map(parameters.map(({ name, shape }) => [
    name,
    { dtype: "F32", shape, data: floatTensor(shape, []).data },
  ]));
}

for (
  const name of [
    "resnet18",
    "resnet50",
    "wide_resnet50_2",
    "resnext50_32x4d",
    "densenet121",
  ]
) {
  Deno.test(`recogniseArchitecture() recognises ${name}`, () => {
    const weights = hollow(architecture(name));
    assertEquals(recogniseArchitecture(weights).name, name);
    for (const part of ["fc", "classifier"]) {
      weights.delete(`${part}.weight`);
      weights.delete(`${part}.bias`);
    }
    weights.set("bn1.num_batches_tracked", vector("I64", 1));
    assertEquals(recogniseArchitecture(weights).name, name);
  });
}

Deno.test("recogniseArchitecture() throws on a network it does not know", () => {
  assertThrows(
    () => recogniseArchitecture(new Map([["blocks.0.norm", vector("F32", 1)]])),
    CheckpointError,
    "Cannot tell the network of the weights (blocks.0.norm, …): known are resnet18",
  );
});

Deno.test("convertWeights() names the architecture that the weights are of", () => {
  assertThrows(
    () =>
      convertWeights(
        hollow(architecture("resnet50")),
        architecture("wide_resnet50_2"),
      ),
    CheckpointError,
    'Cannot convert the weights to "wide_resnet50_2": they are those of "resnet50"',
  );
});
