import { optimizeGraph } from "../../src/nn/fusion.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { interpret } from "../reference/interpreter.ts";
import { assertAllClose, randomFloats } from "../testing.ts";
import { graph, model, value } from "./model_builder.ts";

/**
 * Optimises a model of `x` `[N, 3, H, W]`, checks that it computes the same of
 * a random image, and lists its operators.
 */
export async function optimizedOperators(
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[],
  outputs: readonly string[] = ["y"],
  opset = 13,
): Promise<string[]> {
  const plain = await readOnnx(model(
    graph(nodes, constants, {
      inputs: [value("x", [2, 3, 6, 5])],
      outputs: outputs.map((name) => value(name, undefined)),
    }),
    { opset },
  ));
  const optimized = optimizeGraph(plain);
  const image = floatTensor([2, 3, 6, 5], randomFloats(5, 180));
  const expected = interpret(plain, image);
  const actual = interpret(optimized, image);
  for (const name of outputs) {
    assertAllClose(
      actual.get(name)!.data as Float32Array,
      expected.get(name)!.data as Float32Array,
    );
  }
  return optimized.nodes.map((node) =>
    [node.op, node.residual && "add", node.activation?.kind]
      .filter(Boolean).join("+")
  );
}
