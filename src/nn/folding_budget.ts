/**
 * How much may be computed before a network runs.
 *
 * @module
 */
import type { GraphNode, HostTensor } from "./graph.ts";
import { nodeError } from "./onnx/errors.ts";

/** Elements that may be computed whatever a network's size. */
const BASE = 2 ** 22;
/** And for each element that the network stores, as long as these are not many. */
const PER_STORED = 8;
const MANY = 2 ** 27;
/** At least as often as this, every stored element may be computed anew. */
const AT_LEAST = 2;

/** Counts the elements of constants that are computed ahead. */
export class FoldingBudget {
  readonly #limit: number;
  #left: number;

  /** A budget in proportion to the constants that a network stores. */
  constructor(constants: ReadonlyMap<string, HostTensor>) {
    let stored = 0;
    for (const { data } of constants.values()) stored += data.length;
    const ample = Math.min(PER_STORED * stored, MANY);
    this.#limit = BASE + Math.max(ample, AT_LEAST * stored);
    this.#left = this.#limit;
  }

  /**
   * Takes the elements of a node's result before they are allocated.
   *
   * @throws {OnnxError} `too_large` when no more are left.
   */
  take(node: GraphNode, elements: number): void {
    this.#left -= elements;
    if (this.#left >= 0) return;
    throw nodeError(
      node,
      `with its result of ${elements} elements, the constants computed ahead would have more than ${this.#limit}`,
      "too_large",
      "export the network with its constants folded",
    );
  }
}
