/**
 * The protobuf layer: bytes to and from ONNX messages. The only file that
 * imports onnx-proto.
 *
 * @module
 */
import proto from "npm:onnx-proto@8.0.1";
import type { onnx } from "npm:onnx-proto@8.0.1";
import { OnnxError } from "./errors.ts";

/** A whole model file as protobuf fields. */
export type ModelMessage = onnx.IModelProto;
/** The graph of a model as protobuf fields. */
export type GraphMessage = onnx.IGraphProto;
/** A node as protobuf fields. */
export type NodeMessage = onnx.INodeProto;
/** A node attribute as protobuf fields. */
export type AttributeMessage = onnx.IAttributeProto;
/** A tensor as protobuf fields. */
export type TensorMessage = onnx.ITensorProto;
/** Name and type of a graph input or output as protobuf fields. */
export type ValueInfoMessage = onnx.IValueInfoProto;
/** A 64-bit integer as protobufjs gives it: a number, or an object that prints as one. */
export type LongLike = number | {
  /** Decimal digits. */
  toString(): string;
};

const FORMATS: readonly {
  readonly starts: string;
  readonly what: string;
  readonly kind: "git_lfs_pointer" | "web_page" | "wrong_format";
  readonly hint: string;
}[] = [
  {
    starts: "version https://git-lfs",
    what: "the file is a Git LFS pointer, not the model it points to",
    kind: "git_lfs_pointer",
    hint: 'fetch the model with "git lfs pull"',
  },
  {
    starts: "<",
    what: "the file is a web page",
    kind: "web_page",
    hint: "download the file itself, not the page that shows it",
  },
  {
    starts: "PK\x03\x04",
    what: "the file is a PyTorch checkpoint or another ZIP archive",
    kind: "wrong_format",
    hint: 'turn a checkpoint into ONNX with "weights convert"',
  },
  {
    starts: "\x80\x02",
    what: "the file is a Python pickle, such as an old PyTorch checkpoint",
    kind: "wrong_format",
    hint: 'turn a checkpoint into ONNX with "weights convert"',
  },
  {
    starts: "\x89PNG",
    what: "the file is a PNG image",
    kind: "wrong_format",
    hint: "give the ONNX file as the backbone and images as images",
  },
  {
    starts: "\xff\xd8\xff",
    what: "the file is a JPEG image",
    kind: "wrong_format",
    hint: "give the ONNX file as the backbone and images as images",
  },
  {
    starts: "\x89HDF",
    what: "the file is HDF5, such as a Keras model",
    kind: "wrong_format",
    hint: "export the network to ONNX first",
  },
];

/**
 * Decodes the protobuf of a model. Tensor bytes are views on `bytes`.
 *
 * @throws {OnnxError} `empty`, `git_lfs_pointer`, `web_page`, `wrong_format`, `truncated`, `not_protobuf`.
 */
export function decodeModel(bytes: Uint8Array): ModelMessage {
  if (bytes.length === 0) {
    throw new OnnxError("empty", "Cannot read ONNX model: the file is empty", {
      hint: "download or export it again",
    });
  }
  refuseOtherFormats(bytes);
  try {
    return proto.onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw decodingError(cause, bytes.length);
  }
}

/** Encodes a model as protobuf. */
export function encodeModel(model: ModelMessage): Uint8Array<ArrayBuffer> {
  const bytes = proto.onnx.ModelProto.encode(model).finish();
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function refuseOtherFormats(bytes: Uint8Array): void {
  const head = String.fromCharCode(...bytes.subarray(0, 64));
  const start = head.replace(/^(\xef\xbb\xbf)?[ \t\r\n]+/, "");
  const format = FORMATS.find(({ starts }) =>
    head.startsWith(starts) || starts === "<" && start.startsWith("<")
  );
  if (format) {
    throw new OnnxError(
      format.kind,
      `Cannot read ONNX model: ${format.what}`,
      { hint: format.hint },
    );
  }
  if (/^[\s\S]{8}\{"/.test(head)) {
    throw new OnnxError(
      "wrong_format",
      "Cannot read ONNX model: the file is safetensors",
      { hint: 'turn weights into ONNX with "weights convert"' },
    );
  }
}

function decodingError(cause: unknown, length: number): OnnxError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (message.startsWith("index out of range")) {
    return new OnnxError(
      "truncated",
      `Cannot read ONNX model: it ends in the middle of a field after ${length} bytes`,
      { hint: "the download is incomplete or the file is no ONNX model" },
      { cause },
    );
  }
  return new OnnxError(
    "not_protobuf",
    "Cannot read ONNX model: the bytes are not valid protobuf",
    { hint: "give a .onnx file as an exporter wrote it" },
    { cause },
  );
}
