import { assert, assertEquals } from "@std/assert";
import { cutGraph } from "../../src/nn/cut.ts";
import { parseNpy } from "../../src/core/images/npy.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import type { FloatTensor } from "../../src/nn/graph.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { inferShapes } from "../../src/nn/shape_inference.ts";
import { findTaps, resolveTaps } from "../../src/nn/taps.ts";
import { interpret } from "../reference/interpreter.ts";
import { relativeError, sharedTest } from "../testing.ts";
import { readActivations, readModelFile } from "./model_files.ts";

const TOLERANCE = 1e-5;

/** Operators left of each network, whether or not its file came with BatchNormalization folded. */
const OPTIMIZED_NODES: Readonly<Record<string, number>> = {
  resnet_basic: 24,
  wide_resnet: 39,
  resnext: 33,
  densenet: 55,
};

const FILES: readonly (readonly [network: string, variant: string])[] = [
  ["resnet_basic", "folded"],
  ["resnet_basic", "batchnorm"],
  ["wide_resnet", "folded"],
  ["wide_resnet", "batchnorm"],
  ["wide_resnet", "external"],
  ["resnext", "folded"],
  ["resnext", "batchnorm"],
  ["densenet", "folded"],
  ["densenet", "batchnorm"],
];

for (const [network, variant] of FILES) {
  sharedTest(
    `readOnnx() and optimizeGraph() keep every stage of ${network}.${variant}`,
    async (_t, shared) => {
      const folder = shared("golden", "backbones");
      const graph = await readModelFile(`${folder}/${network}.${variant}.onnx`);
      const { tensors, metadata } = await readActivations(
        `${folder}/${network}.activations.safetensors`,
      );
      const stages = metadata["stages"]!.split(",");
      const image = tensors.get("input")!;
      const taps = findTaps(graph);
      assertEquals(taps.map(({ name }) => name), [
        "layer1",
        "layer2",
        "layer3",
        "layer4",
      ]);
      const byModule = resolveTaps(graph, stages);
      assertEquals(
        byModule.map(({ tensor }) => tensor),
        taps.map(({ tensor }) => tensor),
      );

      const outputs = [...taps.map(({ tensor }) => tensor), ...graph.outputs];
      const cut = cutGraph(graph, outputs);
      const optimized = optimizeGraph(cut);
      const left = new Set(optimized.nodes.map(({ op }) => op));
      for (const op of ["Constant", "Identity", "Pad", "Relu"]) {
        assert(!left.has(op), `${op} remains`);
      }
      assertEquals(optimized.nodes.length, OPTIMIZED_NODES[network]);
      for (const version of [cut, optimized]) {
        const plan = inferShapes(version, image.shape);
        const results = interpret(version, image);
        for (const [i, stage] of [...stages, "logits"].entries()) {
          const actual = results.get(outputs[i]!)!;
          const expected = tensors.get(stage)!;
          assertEquals(actual.shape, expected.shape);
          assertEquals(plan.shapes.get(outputs[i]!), expected.shape);
          const error = relativeError(
            actual.data as Float32Array,
            expected.data,
          );
          assert(error < TOLERANCE, `${stage}: relative error ${error}`);
        }
        for (const [name, { shape }] of results) {
          if (plan.shapes.has(name)) assertEquals(plan.shapes.get(name), shape);
        }
      }
    },
  );
}

sharedTest(
  "optimizeGraph() keeps what squeezenet1.1 answers to an image",
  async (_t, shared) => {
    const models = shared("data", "models");
    const graph = await readModelFile(`${models}/squeezenet1.1.onnx`);
    const vectors = `${models}/squeezenet1.1_vectors/0`;
    const [x, y] = await Promise.all(
      ["input_0", "output_0"].map(async (name) => {
        const { shape, data } = parseNpy(
          await Deno.readFile(`${vectors}/${name}.npy`),
        );
        return floatTensor(shape, data as Float32Array);
      }),
    ) as [FloatTensor, FloatTensor];
    const optimized = optimizeGraph(cutGraph(graph, graph.outputs));
    const logits = interpret(optimized, x).get("logits")!;
    assertEquals(logits.shape, y.shape);
    const error = relativeError(logits.data as Float32Array, y.data);
    assert(error < TOLERANCE, `relative error ${error}`);
  },
);
