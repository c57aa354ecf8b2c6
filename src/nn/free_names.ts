import type { Graph } from "./graph.ts";

/** Gives out names that no tensor and no operator of a graph has. */
export class FreeNames {
  readonly #taken: Set<string>;

  /** Takes every name of the graph. */
  constructor(graph: Graph) {
    this.#taken = new Set([
      ...graph.constants.keys(),
      ...graph.unreadable?.keys() ?? [],
      ...graph.inputs.map(({ name }) => name),
    ]);
    for (const { name, outputs } of graph.nodes) {
      this.#taken.add(name);
      for (const output of outputs) this.#taken.add(output);
    }
  }

  /** The name itself, with a number behind it where it is taken; taken from now on. */
  take(name: string): string {
    let free = name;
    for (let i = 2; this.#taken.has(free); i++) free = `${name}_${i}`;
    this.#taken.add(free);
    return free;
  }
}
