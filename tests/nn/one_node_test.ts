import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Gpu } from "../../src/gpu/mod.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import {
  extentOf,
  Network,
  type NetworkOptions,
  OnnxError,
  toNhwc,
} from "../../src/nn/mod.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { interpret } from "../reference/interpreter.ts";
import { floats as elements, size } from "../reference/operands.ts";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";
import { integers, node } from "./model_builder.ts";
import { BOUNDARY_CASES } from "./boundary_cases.ts";
import { constant, type ModelCase, modelCase } from "./model_case.ts";
import { MODEL_CASES } from "./one_node_cases.ts";
import { OPERATOR_CASES } from "./operator_cases.ts";

async function check(
  gpu: Gpu,
  { bytes, shape }: ModelCase,
  options: NetworkOptions = {},
  x: Float32Array<ArrayBuffer> = randomFloats(11, size(shape)),
): Promise<void> {
  const graph = await readOnnx(bytes);
  const expected = interpret(graph, floatTensor(shape, x)).get("y")!;
  using network = new Network(gpu, graph, options);
  using session = await network.session(shape);
  const { images, channels, pixels } = extentOf(shape);
  gpu.write(session.input, toNhwc(x, [images, channels, pixels, 1]));
  session.program.run();
  assertEquals(session.shape("y"), expected.shape);
  const error = relativeError(await session.read("y"), elements(expected));
  const limit = options.precision === "f16" ? 4e-3 : 1e-5;
  assert(error <= limit, `relative error ${error}`);
}

for (const tile of ["direct", "shared", "subgroup8"] as const) {
  gpuTest(
    `Network equals the reference over boundary shapes: tile ${tile}`,
    async (gpu, t) => {
      for (const testCase of MODEL_CASES) {
        await t.step({
          name: testCase.name,
          ignore: tile === "subgroup8" && gpu.subgroupSize !== 8,
          fn: () => check(gpu, testCase, { tile }),
        });
      }
    },
    { subgroupSize: tile === "subgroup8" ? 8 : undefined },
  );
}

gpuTest(
  "Network equals the reference for every window over every boundary shape",
  async (gpu, t) => {
    for (const testCase of BOUNDARY_CASES) {
      await t.step(testCase.name, () => check(gpu, testCase));
    }
  },
);

gpuTest(
  "Network stays near the reference with weights in float16",
  async (gpu, t) => {
    for (const testCase of MODEL_CASES) {
      await t.step(
        testCase.name,
        () => check(gpu, testCase, { precision: "f16" }),
      );
    }
  },
);

gpuTest("Network keeps every tap to the end of a run", async (gpu) => {
  const shape = [2, 45, 7, 7];
  const names = ["x", "a", "b", "c", "d", "y"];
  const nodes = names.slice(1).map((name, i) =>
    node("Conv", [names[i]!, `w${i}`], [name], { pads: [1, 1, 1, 1] })
  );
  const weights = nodes.map((_, i) => constant(`w${i}`, [45, 45, 3, 3]));
  const { bytes } = modelCase("chain", shape, nodes, weights);
  const graph = await readOnnx(bytes);
  const x = randomFloats(12, size(shape));
  const tensors = interpret(graph, floatTensor(shape, x));
  using network = new Network(gpu, graph, { taps: ["a", "c", "y"] });
  using session = await network.session(shape);
  gpu.write(session.input, toNhwc(x, shape));
  for (let run = 0; run < 2; run++) {
    session.program.run();
    for (const tap of ["a", "c", "y"]) {
      const actual = await session.read(tap);
      const error = relativeError(actual, elements(tensors.get(tap)!));
      assert(error <= 1e-5, `run ${run}, ${tap}: relative error ${error}`);
    }
  }
});

/** Cases that no kernel covers: a network with them is refused by name. */
const REFUSED = new Set([
  "Mul that grows",
  "ReduceMean over all",
  "Concat of channels",
  "Concat of columns",
  "Flatten at a negative axis",
  "Flatten at axis 0",
  "Reshape to five axes",
  "Unsqueeze as attribute",
  "Unsqueeze as input",
  "Transpose to channels last",
  "Transpose by default",
  "Gather of a scalar",
  "Gather of rows in any order",
  "ReduceMean that drops channels",
  "Max of a map",
  "MatMul of stacks",
  "MatMul of a vector",
  "Softmax along the last axis",
  "Softmax of old",
]);

gpuTest(
  "Network runs every form of an operator, or refuses it by name",
  async (gpu, t) => {
    for (const testCase of OPERATOR_CASES) {
      const name = testCase.name.trim();
      await t.step(name, async () => {
        if (!REFUSED.has(name)) {
          return await check(gpu, testCase, {}, testCase.x);
        }
        const graph = await readOnnx(testCase.bytes);
        using network = new Network(gpu, graph);
        const error = assertThrows(
          () => network.plan(testCase.shape),
          OnnxError,
        );
        assertEquals(error.kind, "unsupported_operator");
        assert(
          error.message.startsWith(`Cannot run ${graph.nodes[0]!.op} "y": `),
        );
      });
    }
  },
);

const REFUSALS: readonly ModelCase[] = [
  modelCase("MatMul of rank 4", [2, 5, 1, 1], [
    node("MatMul", ["x", "w"], ["y"]),
  ], [constant("w", [1, 5])]),
  modelCase("Gemm with C per row", [3, 5, 1, 1], [
    node("Flatten", ["x"], ["rows"]),
    node("Gemm", ["rows", "w", "c"], ["y"]),
  ], [constant("w", [5, 3]), constant("c", [3, 1])]),
  modelCase("Gemm of a transposed input", [3, 5, 1, 1], [
    node("Flatten", ["x"], ["rows"]),
    node("Gemm", ["rows", "w"], ["y"], { transA: 1 }),
  ], [constant("w", [3, 2])]),
  modelCase("Mul of rank 2 over height and width", [2, 4, 2, 4], [
    node("ReduceMean", ["x"], ["m"], { axes: [2, 3], keepdims: 0 }),
    node("Mul", ["x", "m"], ["y"]),
  ]),
  modelCase("Mul of a row and a column", [2, 4, 6, 5], [
    node("ReduceMean", ["x"], ["rows"], { axes: [2] }),
    node("ReduceMean", ["x"], ["columns"], { axes: [3] }),
    node("Mul", ["rows", "columns"], ["y"]),
  ]),
  modelCase("Clip with computed bounds", [1, 3, 2, 2], [
    node("ReduceMean", ["x"], ["m"], { keepdims: 0 }),
    node("Clip", ["x", "", "m"], ["y"]),
  ]),
  modelCase("Softmax along rows", [1, 3, 2, 2], [
    node("Softmax", ["x"], ["y"], { axis: 3 }),
  ]),
  modelCase("Slice of images", [3, 5, 2, 2], [
    node("Slice", ["x", "from", "to"], ["y"]),
  ], [integers("from", [1]), integers("to", [3])]),
  modelCase("Reshape that splits channels", [1, 4, 2, 2], [
    node("Flatten", ["x"], ["rows"]),
    node("Reshape", ["rows", "s"], ["y"]),
  ], [integers("s", [1, 2, 8])]),
];

gpuTest(
  "Network refuses what it would get wrong, naming the node",
  async (gpu, t) => {
    for (const { name, bytes, shape } of REFUSALS) {
      await t.step(name, async () => {
        const graph = await readOnnx(bytes);
        using network = new Network(gpu, graph);
        const error = assertThrows(() => network.plan(shape), OnnxError);
        assertEquals(error.kind, "unsupported_operator");
        assert(/^Cannot run \w+ "[\w ]+": /.test(error.message), error.message);
      });
    }
  },
);
