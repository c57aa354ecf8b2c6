/**
 * Records what onnxruntime answers to the one-node models of
 * tests/nn/operator_cases.ts, in tests/golden/operators.safetensors:
 *
 *     deno run -A --no-lock tests/oracles/operators.ts npm:onnxruntime-web@1.22.0
 */
import type { StoredTensor } from "../../src/nn/stored_tensor.ts";
import { writeSafetensors } from "../../src/nn/safetensors.ts";
import { OPERATOR_CASES } from "../nn/operator_cases.ts";

interface Runtime {
  readonly env: { readonly wasm: { numThreads: number } };
  readonly Tensor: new (
    type: "float32",
    data: Float32Array,
    shape: readonly number[],
  ) => RuntimeTensor;
  readonly InferenceSession: {
    create(bytes: Uint8Array): Promise<{
      run(feeds: { x: RuntimeTensor }): Promise<{ y: RuntimeTensor }>;
    }>;
  };
}

interface RuntimeTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

const [specifier = ""] = Deno.args;
const { default: runtime } = await import(specifier) as { default: Runtime };
runtime.env.wasm.numThreads = 1;
const results: [string, StoredTensor][] = [];
for (const { name, bytes, x, shape } of OPERATOR_CASES) {
  const session = await runtime.InferenceSession.create(bytes);
  const { y } = await session.run({
    x: new runtime.Tensor("float32", x, shape),
  });
  results.push([name, { dtype: "F32", shape: y.dims, data: y.data }]);
}
await Deno.writeFile(
  new URL("../golden/operators.safetensors", import.meta.url),
  writeSafetensors(results, [["source", specifier]]),
);
