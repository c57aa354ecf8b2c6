import { assert, assertEquals } from "@std/assert";
import { Network, type NetworkOptions, toNhwc } from "../../src/nn/mod.ts";
import { gpuTest, relativeError } from "../testing.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { graph, model, node } from "./model_builder.ts";
import { constant, modelCase } from "./model_case.ts";
import { readActivations, readModelFile, readNpy } from "./model_files.ts";

const FILES = [
  ["resnet_basic", "folded"],
  ["resnet_basic", "batchnorm"],
  ["wide_resnet", "folded"],
  ["wide_resnet", "batchnorm"],
  ["wide_resnet", "external"],
  ["resnext", "folded"],
  ["resnext", "batchnorm"],
  ["densenet", "folded"],
  ["densenet", "batchnorm"],
] as const;

const TILES: readonly NonNullable<NetworkOptions["tile"]>[] = [
  "direct",
  "shared",
  "subgroup8",
];

for (const [network, variant] of FILES) {
  gpuTest(
    `Network computes every stage of ${network}.${variant} as PyTorch does`,
    async (gpu, t, shared) => {
      const folder = shared("golden", "backbones");
      const graph = await readModelFile(`${folder}/${network}.${variant}.onnx`);
      const { tensors, metadata } = await readActivations(
        `${folder}/${network}.activations.safetensors`,
      );
      const stages = metadata["stages"]!.split(",");
      const image = tensors.get("input")!;
      for (const tile of TILES) {
        const ignore = tile === "subgroup8" && gpu.subgroupSize !== 8;
        for (const taps of [stages, undefined]) {
          const name = `${tile} ${taps ?? "logits"}`;
          await t.step({
            name,
            ignore,
            fn: async () => {
              using net = new Network(gpu, graph, {
                tile,
                ...(taps && { taps }),
              });
              using session = await net.session(image.shape);
              gpu.write(session.input, toNhwc(image.data, image.shape));
              session.program.run();
              for (const [i, stage] of (taps ?? ["logits"]).entries()) {
                const expected = tensors.get(stage)!;
                const name = net.outputs[i]!;
                assertEquals(session.shape(name), expected.shape);
                const actual = await session.read(name);
                const error = relativeError(actual, expected.data);
                assert(error < 1e-4, `${stage}: relative error ${error}`);
              }
            },
          });
        }
      }
    },
    { shared: true },
  );
}

gpuTest(
  "Network computes squeezenet1.1 as its test vectors say",
  async (gpu, _t, shared) => {
    const folder = shared("data", "models");
    const graph = await readModelFile(`${folder}/squeezenet1.1.onnx`);
    using net = new Network(gpu, graph);
    using session = await net.session([1, 3, 224, 224]);
    for (const set of ["0", "1", "2"]) {
      const vectors = `${folder}/squeezenet1.1_vectors/${set}`;
      const image = await readNpy(`${vectors}/input_0.npy`);
      const expected = await readNpy(`${vectors}/output_0.npy`);
      gpu.write(session.input, toNhwc(image, [1, 3, 224, 224]));
      session.program.run();
      const actual = await session.read(net.outputs[0]!);
      const error = relativeError(actual, expected);
      assert(error < 1e-3, `set ${set}: relative error ${error}`);
    }
  },
  { shared: true },
);

gpuTest(
  "Network with float16 weights stays within 3e-3 of PyTorch at every stage",
  async (gpu, t, shared) => {
    const folder = shared("golden", "backbones");
    for (const network of ["resnet_basic", "wide_resnet", "densenet"]) {
      await t.step(network, async () => {
        const graph = await readModelFile(`${folder}/${network}.folded.onnx`);
        const { tensors, metadata } = await readActivations(
          `${folder}/${network}.activations.safetensors`,
        );
        const taps = metadata["stages"]!.split(",");
        const image = tensors.get("input")!;
        using net = new Network(gpu, graph, { taps, precision: "f16" });
        using session = await net.session(image.shape);
        gpu.write(session.input, toNhwc(image.data, image.shape));
        session.program.run();
        for (const [i, stage] of taps.entries()) {
          const actual = await session.read(net.outputs[i]!);
          const error = relativeError(actual, tensors.get(stage)!.data);
          assert(error < 3e-3, `${stage}: relative error ${error}`);
          assert(error > 1e-5, `${stage}: ${error} is too good for float16`);
        }
      });
    }
  },
  { shared: true },
);

gpuTest("Network.plan() binds no more than every device can", async (gpu) => {
  for (const [channels, size] of [[1024, 7], [32, 1024]] as const) {
    const shape = [1, channels, size, size];
    const { bytes } = modelCase("Conv", shape, [
      node("Conv", ["x", "w"], ["y"], { pads: [1, 1, 1, 1] }),
    ], [constant("w", [channels, channels, 3, 3])]);
    using network = new Network(gpu, await readOnnx(bytes));
    const { memory, constants } = network.plan(shape);
    const sizes = [
      ...memory.buffers,
      ...[...constants.values()].map(({ pack }) => pack().byteLength),
    ];
    assert(Math.max(...sizes) <= 2 ** 27, `${Math.max(...sizes)} bytes`);
  }
});

gpuTest(
  "plans for different sizes pack a layer's weights under different keys",
  async (gpu) => {
    const pads = { pads: [1, 1, 1, 1] };
    const nodes = [
      node("Conv", ["x", "v"], ["stem"], pads),
      node("Conv", ["stem", "w"], ["y"], pads),
    ];
    const weights = [
      constant("v", [16, 3, 3, 3]),
      constant("w", [16, 16, 3, 3]),
    ];
    using network = new Network(
      gpu,
      await readOnnx(model(graph(nodes, weights))),
      { tile: "direct" },
    );
    const small = network.plan([1, 3, 8, 8]).constants;
    const large = network.plan([1, 3, 984, 984]).constants;
    for (const [key, { elements, pack }] of small) {
      assertEquals(pack().length, elements, key);
      assertEquals(large.get(key)?.elements ?? elements, elements, key);
    }
    const weightsOfY = 'weights of "y"';
    assert(large.has(weightsOfY) && !small.has(weightsOfY));
  },
);
