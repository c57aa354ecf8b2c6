import { assert, assertEquals } from "@std/assert";
import { buildGraph } from "../../src/nn/architectures/architecture.ts";
import { architecture } from "../../src/nn/architectures/catalogue.ts";
import { randomWeights } from "../../src/nn/architectures/random_weights.ts";
import { cutGraph } from "../../src/nn/cut.ts";
import { optimizeGraph } from "../../src/nn/fusion.ts";
import type { Graph, HostTensor } from "../../src/nn/graph.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { looksUntrained } from "../../src/nn/untrained.ts";
import { randomFloats, sharedTest } from "../testing.ts";
import { readModelFile } from "./model_files.ts";

const network = architecture("resnet18");
const { weights, metadata } = randomWeights(network, 1);

function trunk(
  change: (name: string, tensor: HostTensor, i: number) => HostTensor = (
    _name,
    tensor,
  ) => tensor,
): Graph {
  const changed = [...weights].map(([name, tensor], i) =>
    [name, change(name, tensor, i)] as const
  );
  return cutGraph(buildGraph(network, new Map(changed)), ["layer2"]);
}

/** Normalisation as training leaves it. */
function statistics(name: string, tensor: HostTensor, i: number): HostTensor {
  if (tensor.shape.length > 1) return tensor;
  const noise = randomFloats(i, tensor.data.length);
  const positive = /weight|var/.test(name);
  return floatTensor(tensor.shape, noise.map((v) => positive ? 1.5 + v : v));
}

/** Kernels as training leaves them: smooth. */
function smooth(_name: string, tensor: HostTensor): HostTensor {
  const data = Float32Array.from(tensor.data as Float32Array);
  const width = tensor.shape[3] ?? 1;
  for (let i = 1; i < data.length; i++) {
    if (i % width !== 0) data[i] = 0.7 * data[i - 1]! + 0.7 * data[i]!;
  }
  return floatTensor(tensor.shape, data);
}

function expectUntrained(graph: Graph, because: string): void {
  for (const version of [graph, optimizeGraph(graph)]) {
    const { untrained, reason } = looksUntrained(version);
    assert(untrained, reason);
    assert(reason.includes(because), reason);
  }
}

Deno.test("looksUntrained() believes the metadata of random networks", () => {
  expectUntrained({ ...trunk(smooth), metadata }, "seed 1");
});

Deno.test("looksUntrained() knows a fresh network by its statistics", () => {
  const { untrained, reason } = looksUntrained(trunk());
  assert(untrained && reason.includes("mean 0 and variance 1"), reason);
});

Deno.test("looksUntrained() knows a fresh network by its zero biases", () => {
  const { untrained, reason } = looksUntrained(optimizeGraph(trunk(smooth)));
  assert(untrained && reason.includes("biases"), reason);
});

Deno.test("looksUntrained() knows random kernels behind real statistics", () => {
  expectUntrained(trunk(statistics), "as only random numbers do");
});

Deno.test("looksUntrained() knows uniform kernels", () => {
  const uniform = trunk((name, tensor, i) =>
    tensor.shape.length > 1
      ? floatTensor(
        tensor.shape,
        randomFloats(i, tensor.data.length).map((v) => v / 20),
      )
      : statistics(name, tensor, i)
  );
  expectUntrained(uniform, "as only random numbers do");
});

Deno.test("looksUntrained() accepts smooth kernels", () => {
  const graph = trunk((name, tensor, i) =>
    statistics(name, smooth(name, tensor), i)
  );
  for (const version of [graph, optimizeGraph(graph)]) {
    const { untrained, reason } = looksUntrained(version);
    assert(!untrained, reason);
  }
});

sharedTest(
  "looksUntrained() accepts networks trained on ImageNet",
  async (_t, shared) => {
    for (const name of ["resnet18", "squeezenet1.1"]) {
      const graph = await readModelFile(
        shared("data", "models", `${name}.onnx`),
      );
      for (const version of [graph, optimizeGraph(graph)]) {
        const { untrained, reason } = looksUntrained(version);
        assertEquals([name, untrained], [name, false], reason);
      }
    }
  },
);

sharedTest(
  "looksUntrained() knows the random networks among the goldens",
  async (_t, shared) => {
    for (const name of ["wide_resnet.folded", "densenet.batchnorm"]) {
      const graph = await readModelFile(
        shared("golden", "backbones", `${name}.onnx`),
      );
      expectUntrained(graph, "as only random numbers do");
    }
  },
);
