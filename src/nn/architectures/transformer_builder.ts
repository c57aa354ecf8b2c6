import type { HostTensor } from "../graph.ts";
import { floatTensor, integerTensor, makeTensor } from "../host_tensor.ts";
import { ArchitectureBuilder } from "./architecture.ts";

/** Collects the operators and constants of a transformer. */
export class TransformerBuilder extends ArchitectureBuilder {
  /** A constant of the graph that no checkpoint has. */
  constant(name: string, value: HostTensor): string {
    return this.node("Constant", name, [], { value });
  }

  /** Whole numbers, such as a shape. */
  integers(name: string, values: readonly number[]): string {
    return this.constant(name, integerTensor(values));
  }

  /** One float. */
  float(name: string, value: number): string {
    return this.constant(name, floatTensor([], [value]));
  }

  /** One whole number, without a dimension. */
  integer(name: string, value: number): string {
    return this.constant(name, makeTensor("int64", [], [value]));
  }

  /** Images of the batch `[1]`, as a shape has it. */
  batch(): string {
    return this.#sizeOf("/batch", 0);
  }

  /** Rows and columns of patches, `[1]` each. */
  grid(patch: number): readonly [string, string] {
    return [
      this.#patches("/rows", 2, patch),
      this.#patches("/columns", 3, patch),
    ];
  }

  #patches(name: string, axis: number, patch: number): string {
    const size = this.#sizeOf(`${name}/size`, axis);
    return this.node("Div", name, [
      size,
      this.integers(`${name}/patch`, [patch]),
    ]);
  }

  #sizeOf(name: string, axis: number): string {
    const shape = this.node("Shape", `${name}/Shape`, ["input"]);
    const index = this.integers(`${name}/axis`, [axis]);
    return this.node("Gather", `${name}/Gather`, [shape, index], { axis: 0 });
  }

  /** `x · weightᵀ + bias` of a layer, as PyTorch's exporter writes it. */
  linear(
    name: string,
    input: string,
    inputs: number,
    outputs: number,
  ): string {
    const weight = this.parameter(
      `${name}.weight`,
      [outputs, inputs],
      "linear_weight",
      inputs,
      true,
    );
    const bias = this.parameter(
      `${name}.bias`,
      [outputs],
      "linear_bias",
      inputs,
    );
    const product = this.node("MatMul", `/${name}/MatMul`, [input, weight]);
    return this.node("Add", `/${name}/Add`, [bias, product]);
  }

  /** The places 0, 1, … of an axis `[n]` as floats, and their number `[1]`. */
  places(
    name: string,
    count: string,
  ): { readonly places: string; readonly total: string } {
    const axes = this.integers(`${name}/axes_0`, [0]);
    const scalar = this.node("Squeeze", `${name}/count`, [count, axes]);
    const range = this.node("Range", `${name}/Range`, [
      this.integer(`${name}/start`, 0),
      scalar,
      this.integer(`${name}/step`, 1),
    ]);
    return {
      places: this.node("Cast", `${name}/Cast`, [range], { to: 1 }),
      total: this.node("Cast", `${name}/total`, [count], { to: 1 }),
    };
  }
}
