import { assert, assertEquals, assertRejects } from "@std/assert";
import { OnnxError } from "../../../src/nn/onnx/errors.ts";
import { readOnnx } from "../../../src/nn/onnx/read.ts";
import { external, HOSTILE_CASES } from "../hostile_cases.ts";
import { floats, graph, integers, model, node } from "../model_builder.ts";

for (const [what, bytes, kind, says] of HOSTILE_CASES) {
  Deno.test(`readOnnx() refuses ${what}`, async () => {
    const error = await assertRejects(() => readOnnx(bytes), OnnxError);
    assertEquals(error.kind, kind, error.message);
    assert(error.message.includes(says), error.message);
    assert(!error.message.endsWith("."), error.message);
  });
}

Deno.test("readOnnx() refuses an external file that is too short", async () => {
  const error = await assertRejects(
    () =>
      readOnnx(external({ location: "w.bin" }), {
        readExternal: () => new Uint8Array(4),
      }),
    OnnxError,
  );
  assertEquals(error.kind, "tensor_size");
});

Deno.test("readOnnx() refuses nesting without end", async () => {
  let bytes: Uint8Array = new Uint8Array();
  const wrap = (inner: Uint8Array, ...fields: number[]): Uint8Array => {
    let content = inner;
    for (const field of fields) {
      const head = [field << 3 | 2];
      let length = content.length;
      do head.push(length & 127 | (length > 127 ? 128 : 0)); while (
        (length >>>= 7) > 0
      );
      const outer = new Uint8Array(head.length + content.length);
      outer.set(head);
      outer.set(content, head.length);
      content = outer;
    }
    return content;
  };
  // graph.node.attribute.g.node.attribute.g …
  for (let i = 0; i < 4000; i++) bytes = wrap(bytes, 6, 5, 1);
  const error = await assertRejects(() => readOnnx(wrap(bytes, 7)), OnnxError);
  assert(["not_protobuf", "opset"].includes(error.kind), error.kind);
});

Deno.test("readOnnx() answers any damage with an OnnxError or a graph", async () => {
  const bytes = model(
    graph([
      node("Conv", ["x", "w"], ["a"], { pads: [1, 1, 1, 1] }),
      node("Reshape", ["a", "s"], ["y"]),
    ], [
      floats("w", [2, 3, 3, 3], new Float32Array(54)),
      integers("s", [0, -1]),
    ]),
  );
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 8, 128]) {
      const damaged = bytes.slice();
      damaged[at]! ^= bit;
      try {
        await readOnnx(damaged);
      } catch (error) {
        assert(error instanceof OnnxError, `byte ${at}: ${error}`);
        refused++;
      }
    }
  }
  assert(refused > 100, `${refused} refused`);
});
