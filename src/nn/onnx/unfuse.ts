/**
 * Takes fused nodes apart again, for files that any ONNX program can read.
 *
 * @module
 */
import type { FreeNames } from "../free_names.ts";
import type { Activation, GraphNode, HostTensor } from "../graph.ts";
import { floatTensor } from "../host_tensor.ts";

/** First operator set whose Clip takes its bounds as inputs. */
const CLIP_INPUTS_OPSET = 11;
/** First operator set with HardSwish. */
const HARD_SWISH_OPSET = 14;

/** A node without what makes it part of a chain. */
type Step = Pick<GraphNode, "op" | "inputs" | "attributes">;

/**
 * The standard operators of an operator set that a node stands for; the last
 * one has its result.
 *
 * @param constants Gets the constants that the new operators need.
 * @param names Names what is new.
 */
export function unfuse(
  node: GraphNode,
  constants: Map<string, HostTensor>,
  names: FreeNames,
  opset: number,
): GraphNode[] {
  const { activation, residual, ...rest } = node;
  const hardSwish = node.op === "HardSwish" && opset < HARD_SWISH_OPSET;
  const chain = new Chain(node, hardSwish ? undefined : rest, names);
  if (node.op === "BatchNormalization" && node.inputs.length === 3) {
    chain.replaceLast(restoreStatistics(rest, constants, names));
  }
  if (hardSwish) appendHardSwish(chain, node.inputs[0] ?? "");
  if (residual !== undefined) {
    const inputs = [chain.result("add"), residual];
    chain.append("add", { op: "Add", inputs, attributes: {} });
  }
  if (activation?.kind === "hard_swish" && opset < HARD_SWISH_OPSET) {
    appendHardSwish(chain, chain.result("hard_swish"));
  } else if (activation && isGated(activation)) {
    const input = chain.result(activation.kind);
    const constant = (name: string, value: number): string => {
      const free = names.take(`${node.name}.${name}`);
      constants.set(free, floatTensor([], [value]));
      return free;
    };
    appendGated(chain, activation.kind, input, constant);
  } else if (activation) {
    const input = chain.result(activation.kind);
    const step = activationStep(
      activation,
      input,
      node,
      constants,
      names,
      opset,
    );
    chain.append(activation.kind, step);
  }
  return chain.nodes();
}

/** Operators that replace one node, one after the other. */
class Chain {
  readonly #node: GraphNode;
  readonly #nodes: GraphNode[] = [];
  readonly #names: FreeNames;

  constructor(
    node: GraphNode,
    first: GraphNode | undefined,
    names: FreeNames,
  ) {
    this.#node = node;
    this.#names = names;
    if (first) this.#nodes.push(first);
  }

  replaceLast(node: GraphNode): void {
    this.#nodes[this.#nodes.length - 1] = node;
  }

  /** Name of the result so far, which the step of the given name goes on from. */
  result(step: string): string {
    const last = this.#nodes.pop()!;
    const name = this.side(`before_${step}`);
    this.#nodes.push({ ...last, outputs: [name] });
    return name;
  }

  /** Adds a step; until another follows, its result is the whole node's. */
  append(name: string, step: Step, outputs = this.#node.outputs): void {
    this.#nodes.push({ ...step, name: this.side(name), outputs });
  }

  nodes(): GraphNode[] {
    return this.#nodes;
  }

  /** A free name for an extra tensor or operator. */
  side(name: string): string {
    return this.#names.take(`${this.#node.name}.${name}`);
  }
}

/** x · HardSigmoid(x) with slope 1/6 and offset 1/2. */
function appendHardSwish(chain: Chain, input: string): void {
  const gate = chain.side("gate_out");
  const attributes = { alpha: 1 / 6, beta: 0.5 };
  chain.append("gate", { op: "HardSigmoid", inputs: [input], attributes }, [
    gate,
  ]);
  chain.append("mul", { op: "Mul", inputs: [input, gate], attributes: {} });
}

/** Functions of x that are x times something. */
type Gated = Activation & {
  readonly kind: "gelu" | "quick_gelu" | "silu";
};

function isGated(activation: Activation): activation is Gated {
  return ["gelu", "quick_gelu", "silu"].includes(activation.kind);
}

/** x · σ(x), x · σ(1.702 x) or x / 2 · (1 + erf(x / √2)). */
function appendGated(
  chain: Chain,
  kind: Gated["kind"],
  input: string,
  constant: (name: string, value: number) => string,
): void {
  const step = (
    name: string,
    op: string,
    inputs: readonly string[],
  ): string => {
    const output = chain.side(`${name}_out`);
    chain.append(name, { op, inputs, attributes: {} }, [output]);
    return output;
  };
  let gate = input;
  if (kind === "quick_gelu") {
    gate = step("scale", "Mul", [gate, constant("factor", 1.702)]);
  }
  if (kind === "gelu") {
    const half = step("half", "Mul", [input, constant("half", 0.5)]);
    gate = step("scale", "Mul", [gate, constant("factor", Math.SQRT1_2)]);
    gate = step("erf", "Erf", [gate]);
    gate = step("add", "Add", [gate, constant("one", 1)]);
    input = half;
  } else gate = step("gate", "Sigmoid", [gate]);
  chain.append("mul", { op: "Mul", inputs: [input, gate], attributes: {} });
}

/** A BatchNormalization of precomputed scale and shift as one with mean 0 and variance 1. */
function restoreStatistics(
  node: GraphNode,
  constants: Map<string, HostTensor>,
  names: FreeNames,
): GraphNode {
  const [, scale = ""] = node.inputs;
  const channels = constants.get(scale)?.shape[0] ?? 0;
  const mean = names.take(`${node.name}.mean`);
  const variance = names.take(`${node.name}.variance`);
  const zeros = new Float32Array(channels);
  constants.set(mean, floatTensor([channels], zeros));
  constants.set(variance, floatTensor([channels], zeros.map(() => 1)));
  return {
    ...node,
    inputs: [...node.inputs, mean, variance],
    attributes: { epsilon: 0 },
  };
}

function activationStep(
  activation: Exclude<Activation, Gated>,
  input: string,
  { name }: GraphNode,
  constants: Map<string, HostTensor>,
  free: FreeNames,
  opset: number,
): Step {
  switch (activation.kind) {
    case "relu":
      return { op: "Relu", inputs: [input], attributes: {} };
    case "clip": {
      const bounds = Object.entries({
        min: activation.min,
        max: activation.max,
      });
      if (opset < CLIP_INPUTS_OPSET) {
        const finite = bounds.filter(([, bound]) => Number.isFinite(bound));
        const attributes = Object.fromEntries(finite);
        return { op: "Clip", inputs: [input], attributes };
      }
      const names = bounds.map(([side, bound]) => {
        if (!Number.isFinite(bound)) return "";
        const constant = free.take(`${name}.${side}`);
        constants.set(constant, floatTensor([], [bound]));
        return constant;
      });
      return { op: "Clip", inputs: [input, ...names], attributes: {} };
    }
    case "leaky_relu": {
      const { alpha } = activation;
      return { op: "LeakyRelu", inputs: [input], attributes: { alpha } };
    }
    case "sigmoid":
      return { op: "Sigmoid", inputs: [input], attributes: {} };
    case "hard_swish":
      return { op: "HardSwish", inputs: [input], attributes: {} };
    case "hard_sigmoid": {
      const { alpha, beta } = activation;
      const attributes = { alpha, beta };
      return { op: "HardSigmoid", inputs: [input], attributes };
    }
  }
}
