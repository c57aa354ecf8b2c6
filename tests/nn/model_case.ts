/** Models from `x` to `y` as cases of a test. */
import type { NodeMessage, TensorMessage } from "../../src/nn/onnx/proto.ts";
import { size } from "../reference/operands.ts";
import { randomFloats } from "../testing.ts";
import {
  type Attribute,
  floats,
  graph,
  model,
  value,
} from "./model_builder.ts";

/** A model from `x` to `y` and the shape of `x`. */
export interface ModelCase {
  /** What is special about the case. */
  readonly name: string;
  /** The model. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Shape of `x`. */
  readonly shape: readonly number[];
}

/** Attributes of a node. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** A model of several nodes. */
export function modelCase(
  name: string,
  shape: readonly number[],
  nodes: readonly NodeMessage[],
  constants: readonly TensorMessage[] = [],
  opset = 13,
): ModelCase {
  const inputs = { inputs: [value("x", shape)] };
  const bytes = model(graph(nodes, constants, inputs), { opset });
  return { name: `${name} of [${shape}]`, shape, bytes };
}

/** A constant of random numbers in [−1, 1), or from `low` to `low` + 2. */
export function constant(
  name: string,
  shape: readonly number[],
  low = -1,
): TensorMessage {
  const seed = [...name, ...shape].join();
  const start = [...seed].reduce((sum, c) => sum * 31 + c.charCodeAt(0) | 0, 7);
  const values = randomFloats(start, size(shape)).map((v) => v + 1 + low);
  return floats(name, shape, values);
}
