/**
 * Geometry of sliding windows: convolution and pooling.
 *
 * @module
 */
import {
  numberAttribute,
  numbersAttribute,
  stringAttribute,
} from "./attributes.ts";
import type { GraphNode } from "./graph.ts";
import { nodeError } from "./onnx/errors.ts";

/** How a window slides over an image, rows first: `[vertical, horizontal]`. */
export interface Window {
  /** Extent of the window. */
  readonly kernel: readonly [number, number];
  /** Step between windows. */
  readonly strides: readonly [number, number];
  /** Distance between the window's elements. */
  readonly dilations: readonly [number, number];
  /** Padding above and on the left. */
  readonly padsBegin: readonly [number, number];
  /** Padding below and on the right, as given; windows of `ceil_mode` may reach further. */
  readonly padsEnd: readonly [number, number];
  /** Number of windows. */
  readonly output: readonly [number, number];
}

/**
 * Resolves kernel_shape, strides, dilations, pads, auto_pad and ceil_mode of a
 * Conv, MaxPool or AveragePool.
 *
 * With `ceil_mode` a last window that would start in the padding after the
 * image is dropped, as PyTorch does.
 *
 * @param input Height and width of the input.
 * @param kernel Height and width of the weights; pooling takes them from its attribute.
 * @throws {OnnxError} `invalid_node` or `shape`.
 */
export function resolveWindow(
  node: GraphNode,
  input: readonly [number, number],
  kernel?: readonly [number, number],
): Window {
  const shape = pair(node, "kernel_shape", kernel, 1);
  if (kernel && (shape[0] !== kernel[0] || shape[1] !== kernel[1])) {
    throw nodeError(
      node,
      `kernel_shape is [${shape}], its weights are [${kernel}]`,
    );
  }
  const strides = pair(node, "strides", [1, 1], 1);
  const dilations = pair(node, "dilations", [1, 1], 1);
  const reach = [0, 1].map((i) => (shape[i]! - 1) * dilations[i]! + 1);
  const pads = resolvePads(node, input, strides, reach);
  const ceil = numberAttribute(node, "ceil_mode", 0) !== 0;
  const auto = stringAttribute(node, "auto_pad", "NOTSET");
  const output = [0, 1].map((i) => {
    if (auto.startsWith("SAME")) return Math.ceil(input[i]! / strides[i]!);
    const begin = pads[i]!;
    const room = input[i]! + begin + pads[i + 2]! - reach[i]!;
    if (room < 0) {
      throw nodeError(
        node,
        `its window spans ${reach[i]} pixels, the padded input has ${
          room + reach[i]!
        }`,
        "shape",
        "give larger images or tap an earlier layer",
      );
    }
    const steps = room / strides[i]!;
    if (!ceil) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    return (count - 1) * strides[i]! >= input[i]! + begin ? count - 1 : count;
  });
  return {
    kernel: shape,
    strides,
    dilations,
    padsBegin: [pads[0]!, pads[1]!],
    padsEnd: [pads[2]!, pads[3]!],
    output: [output[0]!, output[1]!],
  };
}

function resolvePads(
  node: GraphNode,
  input: readonly [number, number],
  strides: readonly [number, number],
  reach: readonly number[],
): readonly number[] {
  const auto = stringAttribute(node, "auto_pad", "NOTSET");
  if (auto === "NOTSET" || auto === "") {
    const pads = numbersAttribute(node, "pads") ?? [0, 0, 0, 0];
    if (pads.length !== 4 || pads.some((pad) => pad < 0)) {
      throw nodeError(node, `pads are [${pads}], expected four from 0 up`);
    }
    return pads;
  }
  if (auto === "VALID") return [0, 0, 0, 0];
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") {
    throw nodeError(node, `auto_pad "${auto}" is unknown`);
  }
  const totals = [0, 1].map((i) => {
    const output = Math.ceil(input[i]! / strides[i]!);
    return Math.max((output - 1) * strides[i]! + reach[i]! - input[i]!, 0);
  });
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total) => Math.ceil(total / 2));
  return auto === "SAME_UPPER" ? [...small, ...large] : [...large, ...small];
}

function pair(
  node: GraphNode,
  name: string,
  fallback: readonly [number, number] | undefined,
  minimum: number,
): readonly [number, number] {
  const given = numbersAttribute(node, name) ?? fallback;
  const [rows, columns] = given ?? [];
  if (
    given?.length !== 2 || rows === undefined || columns === undefined ||
    rows < minimum || columns < minimum
  ) {
    throw nodeError(
      node,
      `${name} is [${given ?? ""}], expected two numbers from ${minimum} up`,
      "invalid_node",
      "only two-dimensional images are supported",
    );
  }
  return [rows, columns];
}
