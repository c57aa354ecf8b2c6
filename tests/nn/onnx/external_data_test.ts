import { assertEquals, assertRejects } from "@std/assert";
import { OnnxError } from "../../../src/nn/onnx/errors.ts";
import type { TensorMessage } from "../../../src/nn/onnx/proto.ts";
import { readOnnx, type ReadOnnxOptions } from "../../../src/nn/onnx/read.ts";
import type { Graph } from "../../../src/nn/graph.ts";
import { graph, model, node } from "../model_builder.ts";

type Entries = Readonly<Record<string, string>>;

/** A network that adds float vectors of four elements that lie elsewhere. */
function outside(...weights: readonly Entries[]): Uint8Array {
  const tensors = weights.map((entries, i): TensorMessage => ({
    name: `w${i}`,
    dims: [2, 2],
    dataType: 1,
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) => ({
      key,
      value,
    })),
  }));
  const nodes = weights.map((_, i) =>
    node("Add", [i === 0 ? "x" : `y${i - 1}`, `w${i}`], [
      i === weights.length - 1 ? "y" : `y${i}`,
    ])
  );
  return model(graph(nodes, tensors));
}

/** Files by name, and what was asked of them. */
function folder(files: Readonly<Record<string, Uint8Array>>): {
  asked: unknown[];
  options: ReadOnnxOptions;
} {
  const asked: unknown[] = [];
  return {
    asked,
    options: {
      readExternal: (location, offset, length) => {
        asked.push([location, offset, length]);
        return files[location]!.subarray(
          offset,
          length === undefined ? undefined : offset + length,
        );
      },
    },
  };
}

const numbers = Float32Array.from({ length: 1000 }, (_, i) => i);
const bytes = new Uint8Array(numbers.buffer);

function values(network: Graph, name: string): unknown {
  return network.constants.get(name)?.data;
}

Deno.test("readOnnx() reads every data file once, and only the part it needs", async () => {
  const { asked, options } = folder({ "a/w.data": bytes, "v.data": bytes });
  const network = await readOnnx(
    outside(
      { location: "a/w.data", offset: "400", length: "16" },
      { location: "v.data" },
      { location: "a/w.data", offset: "80", length: "16" },
      { location: "a/w.data", offset: "88" },
    ),
    options,
  );
  assertEquals(asked, [["a/w.data", 0, 416], ["v.data", 0, 23]]);
  assertEquals(values(network, "w0"), Float32Array.of(100, 101, 102, 103));
  assertEquals(values(network, "w1"), Float32Array.of(0, 1, 2, 3));
  assertEquals(values(network, "w2"), Float32Array.of(20, 21, 22, 23));
  assertEquals(values(network, "w3"), Float32Array.of(22, 23, 24, 25));
});

Deno.test("readOnnx() leaves out what lies far between two external tensors", async () => {
  const large = new Uint8Array(2 ** 23);
  const { asked, options } = folder({ "w.data": large });
  await readOnnx(
    outside({ location: "w.data" }, {
      location: "w.data",
      offset: `${2 ** 22}`,
    }),
    options,
  );
  assertEquals(asked, [["w.data", 0, 23], ["w.data", 2 ** 22, 23]]);
});

Deno.test("readOnnx() takes external bytes at offsets no float is aligned to", async () => {
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  const { options } = folder({ w: shifted });
  const network = await readOnnx(
    outside({ location: "w", offset: "11" }),
    options,
  );
  assertEquals(values(network, "w0"), Float32Array.of(2, 3, 4, 5));
});

const POINTER = new TextEncoder().encode(
  "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4000\n",
);

for (
  const [what, file, offset, kind, says] of [
    ["a Git LFS pointer", POINTER, 0, "git_lfs_pointer", 'file "w.bin" is a'],
    [
      "a Git LFS pointer behind its end",
      POINTER,
      2000,
      "git_lfs_pointer",
      "git lfs pull",
    ],
    [
      "a web page",
      new TextEncoder().encode("\n<!DOCTYPE html><html></html>"),
      0,
      "web_page",
      'file "w.bin" is a web page',
    ],
    [
      "a file that ends too early",
      bytes.subarray(0, 20),
      8,
      "tensor_size",
      'file "w.bin" has 12 of its bytes, it should reach to byte 24',
    ],
  ] as const
) {
  Deno.test(`readOnnx() refuses external data that are ${what}`, async () => {
    const { options } = folder({ "w.bin": file });
    const error = await assertRejects(
      () =>
        readOnnx(
          outside({ location: "w.bin", offset: `${offset}` }),
          options,
        ),
      OnnxError,
      says,
    );
    assertEquals(error.kind, kind);
  });
}
