import type { ConvProblem, ConvTarget } from "./conv_choice.ts";
import { extentBytes } from "./extent.ts";
import type { Graph } from "./graph.ts";
import { type Lifetime, type MemoryPlan, planMemory } from "./memory_plan.ts";
import { named } from "./named_errors.ts";
import { nodeError, OnnxError } from "./onnx/errors.ts";
import { OPERATORS } from "./ops/mod.ts";
import {
  type PackedConstant,
  PlanContext,
  type PlannedStep,
} from "./plan_context.ts";
import { inferShapes } from "./shape_inference.ts";
import type { Shape } from "./shape_rules.ts";

/** A network laid out for one image size: steps, memory, constants to pack. */
export interface NetworkPlan {
  /** Dispatches in order. */
  readonly steps: readonly PlannedStep[];
  /** Name of the image input. */
  readonly input: string;
  /** ONNX shape of every tensor. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Convolutions without groups, by their key: what can be tuned. */
  readonly problems: ReadonlyMap<string, ConvProblem>;
  /** Packs the constants that steps read, by key. */
  readonly constants: ReadonlyMap<string, PackedConstant>;
  /** The value whose memory another name shares. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Activation buffers; the image input has its own. */
  readonly memory: MemoryPlan;
}

/** More operators than this on the GPU are no network for images. */
const MAX_RUN = 2 ** 13;

/**
 * Lays a network out for images `[N, C, H, W]`.
 *
 * @param graph An optimised graph whose outputs are the taps.
 * @param image Shape of the images.
 * @param target Tile and precision of convolutions.
 * @throws {OnnxError} If an operator cannot run on the GPU, or a shape is wrong.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { planNetwork, readOnnx } from "@patchcore/webgpu/nn";
 *
 * const graph = await readOnnx(await Deno.readFile("weights/demo.onnx"));
 * const target = { tile: "direct", precision: "f32" } as const;
 * const plan = planNetwork(graph, [1, 3, 64, 64], target);
 * assert(plan.steps.length > 0);
 * console.log(plan.steps.map(({ node, kernel }) => `${node}: ${kernel.name}`));
 * ```
 */
export function planNetwork(
  graph: Graph,
  image: Shape,
  target: ConvTarget,
): NetworkPlan {
  const { shapes, values, nodes } = inferShapes(graph, image);
  const context = new PlanContext(graph, shapes, values, target);
  if (nodes.length > MAX_RUN) {
    throw new OnnxError(
      "too_large",
      `Cannot run the network: ${nodes.length} operators would have to run, at most ${MAX_RUN} are`,
      { hint: "the file is no network for images" },
    );
  }
  const constant = graph.outputs.find((name) => values.has(name));
  if (constant !== undefined) {
    throw new OnnxError(
      "unknown_tap",
      `Cannot tap "${constant}": it follows from the image's size alone and is no feature map`,
    );
  }
  for (const node of nodes) {
    const operator = OPERATORS[node.op];
    if (operator === undefined) {
      throw nodeError(
        node,
        `the operator ${node.op} has no GPU kernel for tensors computed from the image`,
        "unsupported_operator",
        "tap an earlier layer, or export the network without it",
      );
    }
    named(node, () => operator(node, context));
  }
  const input = graph.inputs[0].name;
  const memory = planMemory(lifetimes(context, input, graph.outputs));
  const { steps, problems, constants, aliases } = context;
  return { steps, input, shapes, problems, constants, aliases, memory };
}

function lifetimes(
  context: PlanContext,
  input: string,
  outputs: readonly string[],
): Lifetime[] {
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  context.steps.forEach(({ reads, output }, i) => {
    if (!first.has(output)) first.set(output, i);
    last.set(output, i);
    for (const operand of Object.values(reads)) {
      if ("value" in operand) last.set(context.root(operand.value), i);
    }
  });
  for (const output of outputs) last.set(context.root(output), Infinity);
  first.delete(input);
  return [...first].map(([name, step]) => ({
    name,
    byteLength: extentBytes(context.extent(name)),
    first: step,
    last: last.get(name) ?? step,
  }));
}
