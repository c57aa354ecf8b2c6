import { assertEquals, assertThrows } from "@std/assert";
import { Network, OnnxError } from "../../src/nn/mod.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";
import { gpuTest } from "../testing.ts";
import { floats, graph, model, node } from "./model_builder.ts";

const flag = (name: string, on: boolean) => ({
  name,
  dims: [],
  dataType: 9,
  rawData: Uint8Array.of(on ? 1 : 0),
});

const CASES = [
  ["without a mode", ["x", "half"], true],
  ["that is told not to train", ["x", "half", "no"], true],
  ["that trains and drops nothing", ["x", "none", "yes"], true],
  ["that trains", ["x", "half", "yes"], false],
  ["that trains with its usual ratio", ["x", "", "yes"], false],
  ["whose mode a constant node gives", ["x", "half", "given"], false],
] as const;

for (const [what, inputs, runs] of CASES) {
  gpuTest(
    `Network ${runs ? "runs" : "refuses"} a Dropout ${what}`,
    async (gpu) => {
      const network = await readOnnx(model(graph(
        [
          node("Constant", [], ["given"], {
            value: { tensor: flag("", true) },
          }),
          node("Dropout", inputs, ["dropped", "mask"]),
          node("Relu", ["dropped"], ["y"]),
        ],
        [
          floats("half", [], [0.5]),
          floats("none", [], [0]),
          flag("yes", true),
          flag("no", false),
        ],
      )));
      const plan = () => {
        using loaded = new Network(gpu, network);
        return loaded.plan([1, 3, 4, 4]).steps.length;
      };
      if (runs) assertEquals(plan(), 1);
      else {
        assertThrows(
          plan,
          OnnxError,
          'Cannot run Dropout "dropped": it is in training mode',
        );
      }
    },
  );
}
