/**
 * Which input of a model is the image.
 *
 * @module
 */
import type { DataType, GraphInput, GraphNode, Unreadable } from "../graph.ts";
import { consumersOf } from "../topology.ts";
import { OnnxError } from "./errors.ts";
import type { ValueInfoMessage } from "./proto.ts";
import { toInteger, typeName } from "./tensor_data.ts";

const INPUT_TYPES: Readonly<Record<number, DataType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float32",
  11: "float32",
  16: "float32",
};

/** An input as the file declares it. */
export interface DeclaredInput {
  /** Name of the tensor. */
  readonly name: string;
  /** Element type; `undefined` for one that no tensor here can have. */
  readonly dtype: DataType | undefined;
  /** Number of the element type. */
  readonly type: number;
  /** As in {@linkcode GraphInput}. */
  readonly shape: GraphInput["shape"];
}

/** Reads the declaration of an input. */
export function readInput(value: ValueInfoMessage): DeclaredInput {
  const tensor = value.type?.tensorType;
  const type = tensor?.elemType ?? 0;
  const shape = (tensor?.shape?.dim ?? []).map((dim) => {
    if (dim.dimParam) return dim.dimParam;
    const extent = toInteger(dim.dimValue);
    return extent > 0 ? extent : null;
  });
  return { name: value.name ?? "", dtype: INPUT_TYPES[type], type, shape };
}

/** The image among a model's inputs, and the other ones. */
export interface ChosenInputs {
  /** The image. */
  readonly image: GraphInput;
  /** The others, by name; an operator that reads one cannot run. */
  readonly others: ReadonlyMap<string, Unreadable>;
}

/**
 * Chooses the input that is the image: the only one of floats in four
 * dimensions.
 *
 * @throws {OnnxError} `image_input` when none or several can be it, or it has
 * its channels last.
 */
export function chooseImage(
  inputs: readonly DeclaredInput[],
  nodes: readonly GraphNode[],
): ChosenInputs {
  const consumers = consumersOf(nodes);
  const candidates = inputs.filter(({ dtype, shape }) =>
    dtype === "float32" && (shape.length === 0 || shape.length === 4)
  );
  const [image] = prefer(
    candidates,
    ({ name }) => consumers.has(name),
    ({ shape }) => shape.length === 4,
    ({ shape }) => shape[1] === 3,
  );
  const last = candidates.find((input) => isChannelsLast(input, consumers));
  if (!image || last) throw notAnImage(inputs, last !== undefined);
  const others = new Map(
    inputs.filter((input) => input !== image).map(({ name }) => [
      name,
      {
        kind: "image_input",
        problem: "it is a second input of the network",
        hint: "tap a layer before it, or export the image trunk alone",
      } as const,
    ]),
  );
  const { name, shape } = image;
  return { image: { name, dtype: "float32", shape }, others };
}

/** The only one left; preferences are used up one by one while several are. */
function prefer<T>(
  items: readonly T[],
  ...preferences: readonly ((item: T) => boolean)[]
): readonly T[] {
  let left = items;
  for (const wanted of preferences) {
    if (left.length < 2) break;
    const fitting = left.filter(wanted);
    if (fitting.length > 0) left = fitting;
  }
  return left.length === 1 ? left : [];
}

/** Operators that keep the order of axes, before the one that would change it. */
const IN_PLACE: readonly string[] = [
  "Add",
  "Cast",
  "Clip",
  "Div",
  "Dropout",
  "Identity",
  "Max",
  "Min",
  "Mul",
  "Neg",
  "Pad",
  "Sub",
];

/** Whether an image has its channels last: by its shape, or because the network transposes it first. */
function isChannelsLast(
  { name, shape }: DeclaredInput,
  consumers: ReadonlyMap<string, readonly GraphNode[]>,
): boolean {
  const [, channels, , last] = shape;
  if (channels === 3) return false;
  if (last === 3) return true;
  let tensor = name;
  for (let i = 0; i < 16; i++) {
    const [node, ...more] = (consumers.get(tensor) ?? [])
      .filter(({ op }) => op !== "Shape");
    if (!node || more.length > 0) return false;
    if (node.op === "Transpose") {
      const order = node.attributes["perm"];
      return Array.isArray(order) && order.join() === "0,3,1,2";
    }
    if (!IN_PLACE.includes(node.op)) return false;
    tensor = node.outputs[0] ?? "";
  }
  return false;
}

/** Inputs that an error lists. */
const SHOWN = 6;

function notAnImage(
  inputs: readonly DeclaredInput[],
  channelsLast: boolean,
): OnnxError {
  const shown = inputs.slice(0, SHOWN).map(({ name, dtype, type, shape }) =>
    `"${name}" ${dtype ?? `element type ${typeName(type)}`} [${
      shape.map((extent) => extent ?? "?").join(", ")
    }]`
  );
  const more = inputs.length - shown.length;
  const list = [...shown, ...(more > 0 ? [`${more} more`] : [])].join(", ");
  const found = list === "" ? "none" : list;
  return new OnnxError(
    "image_input",
    `Cannot read ONNX model: expected one float input [N, 3, H, W], found ${
      channelsLast ? `${found} with its channels last` : found
    }`,
    {
      hint: channelsLast
        ? "export the network with channels first (NCHW)"
        : "export the image trunk alone",
    },
  );
}
