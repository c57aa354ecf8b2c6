/** Models that must be refused, and what the refusal must say. */
import type { OnnxErrorKind } from "../../src/nn/onnx/errors.ts";
import type { TensorMessage } from "../../src/nn/onnx/proto.ts";
import { floats, graph, model, node, value } from "./model_builder.ts";

const relu = node("Relu", ["x"], ["y"]);
const sound = model(graph([relu]));

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function weighted(tensor: TensorMessage): Uint8Array {
  return model(graph([node("Add", ["x", "w"], ["y"])], [tensor]));
}

/** A model whose weights lie in another file. */
export function external(
  entries: Readonly<Record<string, string>>,
): Uint8Array {
  return weighted({
    name: "w",
    dims: [2],
    dataType: 1,
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) => ({
      key,
      value,
    })),
  });
}

/** What the bytes are, the bytes, the error's kind and a part of its message. */
export const HOSTILE_CASES: readonly (readonly [
  what: string,
  bytes: Uint8Array,
  kind: OnnxErrorKind,
  says: string,
])[] = [
  ["an empty file", new Uint8Array(), "empty", "the file is empty"],
  ["zeros", new Uint8Array(512), "no_graph", "no operators"],
  [
    "a truncated model",
    sound.subarray(0, sound.length - 7),
    "truncated",
    "incomplete",
  ],
  [
    "random bytes",
    Uint8Array.from({ length: 300 }, (_, i) => (i * 197 + 127) % 251),
    "not_protobuf",
    "not valid protobuf",
  ],
  [
    "a Git LFS pointer",
    text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
    "git_lfs_pointer",
    "git lfs pull",
  ],
  ["a web page", text("<!DOCTYPE html><html>"), "web_page", "web page"],
  ["an indented page", text("\n\n  <html><body>"), "web_page", "web page"],
  [
    "a checkpoint",
    text("PK\x03\x04archive/data.pkl"),
    "wrong_format",
    "convert",
  ],
  [
    "safetensors",
    text('\x40\0\0\0\0\0\0\0{"w":{"dtype":"F32"}}'),
    "wrong_format",
    "safetensors",
  ],
  ["a model without nodes", model(graph([])), "no_graph", "no operators"],
  [
    "a model without opset",
    model(graph([relu]), { opsetImport: [] }),
    "opset",
    "does not say",
  ],
  [
    "a foreign opset only",
    model(graph([relu]), {
      opsetImport: [{ domain: "com.microsoft", version: 1 }],
    }),
    "opset",
    "does not say",
  ],
  ["an old opset", model(graph([relu]), { opset: 6 }), "opset", "7 to 23"],
  ["a new opset", model(graph([relu]), { opset: 24 }), "opset", "7 to 23"],
  [
    "an endless opset",
    model(graph([relu]), { opset: Number.MAX_SAFE_INTEGER }),
    "opset",
    "7 to 23",
  ],
  [
    "two initializers of one name",
    model(graph([relu], [floats("w", [1], [1]), floats("w", [1], [2])])),
    "duplicate_name",
    '"w"',
  ],
  [
    "two results of one name",
    model(graph([relu, node("Sigmoid", ["x"], ["y"])])),
    "duplicate_name",
    '"y"',
  ],
  [
    "a result named like the input",
    model(graph([relu, node("Sigmoid", ["y"], ["x"])])),
    "duplicate_name",
    '"x"',
  ],
  [
    "a missing input",
    model(graph([node("Add", ["x", "ghost"], ["y"])])),
    "missing_input",
    'Add "y": its input "ghost"',
  ],
  [
    "a missing output",
    model(graph([relu], [], { outputs: [value("z", undefined)] })),
    "missing_input",
    '"z"',
  ],
  [
    "no output",
    model(graph([relu], [], { outputs: [] })),
    "missing_input",
    "no outputs",
  ],
  [
    "a cycle",
    model(graph([
      node("Add", ["x", "b"], ["a"]),
      node("Relu", ["a"], ["b"]),
      node("Relu", ["b"], ["y"]),
    ])),
    "cycle",
    "needs its own result",
  ],
  [
    "a node that feeds itself",
    model(graph([node("Add", ["x", "y"], ["y"])])),
    "cycle",
    'Add "y"',
  ],
  [
    "too few bytes",
    weighted({ ...floats("w", [4], [1, 2, 3]) }),
    "tensor_size",
    "12 bytes, float32 of shape [4] takes 16",
  ],
  [
    "too many values",
    weighted({ name: "w", dims: [2], dataType: 1, floatData: [1, 2, 3] }),
    "tensor_size",
    "3 values",
  ],
  [
    "a negative shape",
    weighted({ ...floats("w", [], [1]), dims: [-1, -1] }),
    "tensor_size",
    "negative",
  ],
  [
    "a huge shape",
    weighted({ ...floats("w", [], [1]), dims: [2 ** 20, 2 ** 20] }),
    "too_large",
    "2^31",
  ],
  [
    "a shape beyond 2^53",
    weighted({ ...floats("w", [], [1]), dims: [2 ** 53, 2 ** 53, 2 ** 53] }),
    "too_large",
    "2^31",
  ],
  [
    "a huge empty shape",
    weighted({ ...floats("w", [], []), dims: [2 ** 40, 0] }),
    "too_large",
    "2^31",
  ],
  [
    "an external file outside",
    external({ location: "../secret" }),
    "external_data",
    '"../secret" is not a path inside',
  ],
  [
    "an external file deep outside",
    external({ location: "a/../../secret" }),
    "external_data",
    "not a path inside",
  ],
  [
    "an absolute external file",
    external({ location: "/etc/passwd" }),
    "external_data",
    "not a path inside",
  ],
  [
    "a drive",
    external({ location: "C:secret" }),
    "external_data",
    "not a path inside",
  ],
  [
    "backslashes",
    external({ location: "..\\secret" }),
    "external_data",
    "not a path inside",
  ],
  ["no location", external({}), "external_data", "not a path inside"],
  [
    "a negative offset",
    external({ location: "w", offset: "-8" }),
    "external_data",
    "not a number of bytes",
  ],
  [
    "a lying length",
    external({ location: "w", length: "4096" }),
    "tensor_size",
    "4096 bytes",
  ],
  [
    "an external file nobody reads",
    external({ location: "w.bin" }),
    "external_data",
    '"w.bin"',
  ],
  [
    "two images",
    model(graph([node("Add", ["x", "z"], ["y"])], [], {
      inputs: [value("x", [1, 3, 8, 8]), value("z", [1, 3, 8, 8])],
    })),
    "image_input",
    '"x" float32 [1, 3, 8, 8], "z"',
  ],
  [
    "no image",
    model(graph([node("Relu", ["w"], ["y"])], [floats("w", [1], [1])], {
      inputs: [],
    })),
    "image_input",
    "found none",
  ],
  [
    "channels last",
    model(graph([relu], [], { inputs: [value("x", ["n", 224, 224, 3])] })),
    "image_input",
    "channels first",
  ],
  [
    "bytes as input",
    model(graph([relu], [], { inputs: [value("x", [1, 3, 8, 8], 2)] })),
    "image_input",
    "uint8",
  ],
  [
    "strings as input",
    model(graph([relu], [], { inputs: [value("x", [1], 8)] })),
    "image_input",
    "element type 8",
  ],
  [
    "an attribute without its tensor",
    model(graph([{
      ...node("Constant", [], ["c"]),
      attribute: [{ name: "value", type: 4 }],
    }, node("Add", ["x", "c"], ["y"])])),
    "invalid_node",
    'attribute "value" has no tensor',
  ],
  [
    "an external attribute",
    model(graph([
      node("Constant", [], ["c"], {
        value: {
          tensor: {
            name: "t",
            dims: [1],
            dataType: 1,
            dataLocation: 1,
            externalData: [{ key: "location", value: "w" }],
          },
        },
      }),
      node("Add", ["x", "c"], ["y"]),
    ])),
    "external_data",
    "attributes must not be external",
  ],
];
