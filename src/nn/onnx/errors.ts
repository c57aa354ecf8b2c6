/**
 * The one error class of the ONNX front end.
 *
 * @module
 */

/** What is wrong with a model. */
export type OnnxErrorKind =
  | "empty"
  | "truncated"
  | "not_protobuf"
  | "git_lfs_pointer"
  | "web_page"
  | "wrong_format"
  | "no_graph"
  | "opset"
  | "duplicate_name"
  | "missing_input"
  | "cycle"
  | "tensor_size"
  | "tensor_type"
  | "too_large"
  | "external_data"
  | "image_input"
  | "unsupported_operator"
  | "invalid_node"
  | "shape"
  | "unknown_tap";

/** Where an {@linkcode OnnxError} was met and what helps. */
export interface OnnxErrorDetails {
  /** Name of the node at fault. */
  readonly node?: string;
  /** ONNX operator of the node at fault. */
  readonly op?: string;
  /** What the user can do about it. */
  readonly hint?: string;
}

/**
 * A model that cannot be read, understood or run; the message says what to do.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { OnnxError, readOnnx } from "@patchcore/webgpu/nn";
 *
 * try {
 *   await readOnnx(new Uint8Array());
 * } catch (error) {
 *   if (!(error instanceof OnnxError)) throw error;
 *   assertEquals(error.kind, "empty");
 * }
 * ```
 */
export class OnnxError extends Error {
  /** Class name, for logs. */
  override readonly name = "OnnxError";
  /** What is wrong, for programs. */
  readonly kind: OnnxErrorKind;
  /** Name of the node at fault, if one is. */
  readonly node: string | undefined;
  /** ONNX operator of the node at fault, if one is. */
  readonly op: string | undefined;
  /** What the user can do about it; also part of the message. */
  readonly hint: string | undefined;

  /** Makes an error whose message is `message`, then the hint. */
  constructor(
    kind: OnnxErrorKind,
    message: string,
    details: OnnxErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(shortened(message, details.hint), options);
    this.kind = kind;
    this.node = details.node;
    this.op = details.op;
    this.hint = details.hint;
  }
}

/** Characters of a message. */
const MAX_MESSAGE = 2000;

/**
 * A message of one line and bounded length. Names in a file may be of any
 * length, any number and any characters: the beginning of each is told, then
 * that of the whole.
 */
function shortened(message: string, hint: string | undefined): string {
  const problem = message.replace(/\p{Cc}/gu, "�").replace(
    /"([^"]{200})[^"]+"|(\S{200})\S+/g,
    (_, quoted?: string, bare?: string) =>
      quoted === undefined ? `${bare}…` : `"${quoted}…"`,
  );
  const whole = hint ? `${problem}; ${hint}` : problem;
  return whole.length > MAX_MESSAGE
    ? `${whole.slice(0, MAX_MESSAGE - 1)}…`
    : whole;
}

/**
 * The error `Cannot run Conv "layer1.0.conv1": problem` about one node.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { nodeError } from "@patchcore/webgpu/nn";
 *
 * const node = { name: "layer1.conv", op: "Conv" };
 * const error = nodeError(node, "it has no weights");
 * assertEquals(error.message, 'Cannot run Conv "layer1.conv": it has no weights');
 * ```
 */
export function nodeError(
  node: { readonly name: string; readonly op: string },
  problem: string,
  kind: OnnxErrorKind = "invalid_node",
  hint?: string,
): OnnxError {
  const op = /^[\w.-]*$/.test(node.op) ? node.op : `"${node.op}"`;
  return new OnnxError(
    kind,
    `Cannot run ${op} "${node.name}": ${problem}`,
    { node: node.name, op: node.op, ...(hint === undefined ? {} : { hint }) },
  );
}
