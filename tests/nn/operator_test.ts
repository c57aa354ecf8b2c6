import { assert, assertEquals } from "@std/assert";
import { evaluate } from "../../src/nn/evaluate.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import {
  inferShapes,
  SUPPORTED_OPERATORS,
} from "../../src/nn/shape_inference.ts";
import { TOKEN_OPERATORS } from "../../src/nn/transformer/token_operators.ts";
import { interpret } from "../reference/interpreter.ts";
import { assertAllClose, pathOf } from "../testing.ts";
import { readActivations } from "./model_files.ts";
import { OPERATOR_CASES } from "./operator_cases.ts";

const golden = await readActivations(
  pathOf(new URL("../golden/operators.safetensors", import.meta.url)),
);

for (const { name, bytes, shape, x } of OPERATOR_CASES) {
  Deno.test(`${name.trim()}: reference, shapes and folding agree with onnxruntime`, async () => {
    const expected = golden.tensors.get(name)!;
    const graph = await readOnnx(bytes);
    const image = floatTensor(shape, x);
    const y = interpret(graph, image).get("y")!;
    assertEquals(y.shape, expected.shape);
    assertAllClose(y.data as Float32Array, expected.data, {
      rtol: 1e-5,
      atol: 2e-6,
    });
    assertEquals(inferShapes(graph, shape).shapes.get("y"), expected.shape);

    const constants = new Map([...graph.constants, ["x", image]]);
    const folded = evaluate(graph.nodes[0]!, constants);
    if (!folded) return;
    assertEquals(folded.shape, expected.shape);
    assertAllClose(folded.data as Float32Array, expected.data);
  });
}

Deno.test("OPERATOR_CASES cover every operator on images", () => {
  const covered = new Set(OPERATOR_CASES.map(({ name }) => name.split(" ")[0]));
  const elsewhere = [
    "Ceil",
    "Constant",
    "ConstantOfShape",
    "Floor",
    "Gemm",
    "Neg",
    "Shape",
    "Sqrt",
    ...Object.values(TOKEN_OPERATORS),
  ];
  for (const op of SUPPORTED_OPERATORS) {
    assert(covered.has(op) || elsewhere.includes(op), `${op} is untested`);
  }
});
