import { assert, assertEquals, assertThrows } from "@std/assert";
import type { GraphNode, HostTensor } from "../../src/nn/graph.ts";
import { floatTensor } from "../../src/nn/host_tensor.ts";
import { OnnxError } from "../../src/nn/onnx/errors.ts";
import { resized, resolveResize } from "../../src/nn/resize.ts";
import { sharedTest } from "../testing.ts";
import { readActivations } from "./model_files.ts";

function nodeOf(attributes: GraphNode["attributes"]): GraphNode {
  return {
    name: "resize",
    op: "Resize",
    inputs: ["x", "", "scales", "sizes"],
    outputs: ["y"],
    attributes,
  };
}

const CUBIC = { mode: "cubic", coordinate_transformation_mode: "half_pixel" };

/** How each program resizes a table of `side` × `side` positions. */
const CONVENTIONS: Readonly<
  Record<string, {
    readonly attributes: GraphNode["attributes"];
    readonly scale?: (extent: number, side: number) => number;
  }>
> = {
  meta: {
    attributes: { ...CUBIC, cubic_coeff_a: -0.75 },
    scale: (extent, side) => Math.fround((extent + 0.1) / side),
  },
  hf: { attributes: { ...CUBIC, cubic_coeff_a: -0.75 } },
  antialias: {
    attributes: {
      ...CUBIC,
      cubic_coeff_a: -0.5,
      antialias: 1,
      exclude_outside: 1,
    },
  },
};

sharedTest(
  "resized() makes the positions of every program, whatever the size",
  async (_t, shared) => {
    const { tensors } = await readActivations(
      shared("golden", "vit", "positions.safetensors"),
    );
    let compared = 0;
    for (const [name, expected] of tensors) {
      const [, table = "", rows, columns, program = ""] =
        /^(table\d+)\.(\d+)x(\d+)\.(\w+)$/.exec(name) ?? [];
      const convention = CONVENTIONS[program];
      if (!convention) continue;
      const raw = tensors.get(table)!;
      const x = floatTensor([1, ...raw.shape.slice(-3)], raw.data);
      const [, , side] = x.shape as [number, number, number];
      const size = [Number(rows), Number(columns)];
      const list = (values: readonly number[]): HostTensor =>
        floatTensor([values.length], values);
      const values = new Map<string, HostTensor>();
      if (convention.scale) {
        const scales = size.map((extent) => convention.scale!(extent, side));
        values.set("scales", list([1, 1, ...scales]));
      } else values.set("sizes", list([1, x.shape[1]!, ...size]));
      const node = nodeOf(convention.attributes);
      const inputs = node.inputs.map((name) => values.has(name) ? name : "");
      const given = { ...node, inputs };
      const plan = resolveResize(given, x.shape, values);
      assertEquals(plan.output.slice(2), size, name);
      const actual = resized(given, x, plan).data;
      const largest = expected.data.reduce((a, b) => Math.max(a, Math.abs(b)));
      assertEquals(actual.length, expected.data.length);
      const worst = actual.reduce(
        (worst, v, i) => Math.max(worst, Math.abs(v - expected.data[i]!)),
        0,
      );
      assert(worst <= 1e-5 * largest, `${name}: ${worst / largest}`);
      compared++;
    }
    assert(compared >= 8, `Compared ${compared} tables`);
  },
);

Deno.test("resized() is linear between pixels' centres", () => {
  const node = { ...nodeOf({ mode: "linear" }), inputs: ["x", "", "scales"] };
  const values = new Map([["scales", floatTensor([1], [2])]]);
  const x = floatTensor([3], [0, 4, 2]);
  const plan = resolveResize(node, x.shape, values);
  assertEquals([...resized(node, x, plan).data], [0, 1, 3, 3.5, 2.5, 2]);
});

Deno.test.each<[string, GraphNode["attributes"]]>([
  ['mode "nearest"', { mode: "nearest" }],
  [
    'coordinates "asymmetric"',
    { mode: "cubic", coordinate_transformation_mode: "asymmetric" },
  ],
])("resized() refuses %s", (message, attributes) => {
  const x = floatTensor([2], [0, 1]);
  const plan = { output: [4], scales: [2] };
  assertThrows(
    () => resized(nodeOf(attributes), x, plan),
    OnnxError,
    message,
  );
});

Deno.test("resolveResize() refuses numbers of other axes than the tensor has", () => {
  const node = { ...nodeOf({}), inputs: ["x", "", "scales"] };
  const values = new Map([["scales", floatTensor([2], [1, 2])]]);
  assertThrows(
    () => resolveResize(node, [1, 2, 3], values),
    OnnxError,
    "one number for each axis",
  );
});
