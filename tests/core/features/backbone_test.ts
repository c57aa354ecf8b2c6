import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Backbone } from "../../../src/core/features/backbone.ts";
import { resolveSettings } from "../../../src/core/settings/resolve_settings.ts";
import { OnnxError } from "../../../src/nn/onnx/errors.ts";
import type { NodeMessage, TensorMessage } from "../../../src/nn/onnx/proto.ts";
import { floats, graph, model, node, value } from "../../nn/model_builder.ts";
import { constant } from "../../nn/model_case.ts";
import { type Middle, trunkNodes, trunkWeights } from "../../nn/small_trunk.ts";
import { gpuTest } from "../../testing.ts";

type Dims = readonly (number | string)[];

function file(
  nodes: readonly NodeMessage[],
  weights: readonly TensorMessage[],
  dims: Dims = [1, 3, 64, 64],
) {
  const bytes = model(graph(nodes, weights, {
    inputs: [value("x", [...dims])],
    outputs: [value("logits", undefined)],
  }));
  return { name: "small", bytes };
}

const options = { layers: ["layer2"], allowRandom: true };
const positions: Middle = {
  nodes: [node("Add", ["level1", "table"], ["mid"])],
  constants: [constant("table", [1, 8, 16, 16])],
  output: "mid",
};

gpuTest(
  "Backbone.load() refuses a network that no colour image fits",
  async (gpu) => {
    const gray = [constant("w0", [8, 1, 3, 3]), ...trunkWeights().slice(1)];
    await assertRejects(
      () =>
        Backbone.load(
          gpu,
          file(trunkNodes(), gray, ["n", 1, "h", "w"]),
          options,
        ),
      OnnxError,
      "images have 3 channels, the model expects 1",
    );
    await assertRejects(
      () =>
        Backbone.load(
          gpu,
          file(trunkNodes(), gray, ["n", "c", "h", "w"]),
          options,
        ),
      OnnxError,
      'Cannot run Conv "stem": input has 3 channels, weights expect 1',
    );
  },
);

gpuTest("Backbone.load() refuses an operator that cannot run", async (gpu) => {
  const middle: Middle = {
    nodes: [node("Softmax", ["level1"], ["mid"], { axis: 3 })],
    output: "mid",
  };
  await assertRejects(
    () =>
      Backbone.load(
        gpu,
        file(trunkNodes("x", middle), trunkWeights(middle)),
        options,
      ),
    OnnxError,
    'Cannot run Softmax "mid"',
  );
});

gpuTest(
  "Backbone.resolved() refuses the only size that settings give",
  async (gpu) => {
    const fixed = file(trunkNodes("x", positions), trunkWeights(positions));
    using backbone = await Backbone.load(gpu, fixed, options);
    const check = (settings: Parameters<typeof resolveSettings>[0]) =>
      backbone.resolved(resolveSettings(settings));
    const says = "cannot combine shapes [1,8,56,56] and [1,8,16,16]";
    assertThrows(() => check({}), OnnxError, says);
    assertThrows(
      () => check({ resize: 224, square: true, crop: null }),
      OnnxError,
      says,
    );
    check({ crop: 64 });
    check({ crop: null });
  },
);

gpuTest(
  "Backbone.normalisation() is the setting's, else what the network wants",
  async (gpu) => {
    const normalising = (factor: number) =>
      file(
        [node("Mul", ["x", "k"], ["scaled"]), ...trunkNodes("scaled")],
        [...trunkWeights(), floats("k", [], [factor])],
      );
    using bytes = await Backbone.load(gpu, normalising(1 / 255), options);
    assertEquals(bytes.normalisation().std[0], 1 / 255);
    assertEquals(bytes.normalisation("unit").std, [1, 1, 1]);
    assertEquals(bytes.normalisation("imagenet").mean, [0.485, 0.456, 0.406]);
    const own = { mean: [1, 2, 3], std: [4, 5, 6] } as const;
    assertEquals(bytes.normalisation(own), own);
    using unclear = await Backbone.load(gpu, normalising(3.5), options);
    assertThrows(() => unclear.normalisation(), OnnxError, "--normalise");
    assertThrows(
      () => unclear.resolved(resolveSettings({ crop: 64 })),
      OnnxError,
      "--normalise",
    );
    unclear.resolved(resolveSettings({ crop: 64, normalise: "unit" }));
  },
);
