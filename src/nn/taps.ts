/**
 * Where a backbone's features are taken: hierarchy levels found from the
 * structure of the network, whoever exported it and whatever its names.
 *
 * @module
 */
import { numberAttribute, numbersAttribute } from "./attributes.ts";
import type { Graph, GraphNode, TransformerFacts } from "./graph.ts";
import { OnnxError } from "./onnx/errors.ts";
import { spineOf, type SpinePoint } from "./spine.ts";
import { stridesOf } from "./strides.ts";
import { consumersOf, producersOf } from "./topology.ts";
import { recogniseTransformer } from "./transformer/recognise.ts";

/** A tensor to take features from. */
export interface Tap {
  /** What it was asked for as, or its level, `layer1` to `layer4`. */
  readonly name: string;
  /** Name of the tensor `[N, C, H, W]`. */
  readonly tensor: string;
  /** Name of the operator that yields it. */
  readonly node: string;
  /** Image pixels per feature in each direction. */
  readonly stride: number;
}

/** Strides at which the levels end: one downsampling lies between two levels. */
const LEVEL_STRIDES: readonly number[] = [4, 8, 16, 32];

const ACTIVATIONS: readonly string[] = [
  "Clip",
  "Elu",
  "Gelu",
  "HardSigmoid",
  "HardSwish",
  "LeakyRelu",
  "Mish",
  "PRelu",
  "Relu",
  "Sigmoid",
  "Tanh",
];

/** Whether a network is tapped at the blocks of a vision transformer. */
export function isTransformer(graph: Graph): boolean {
  return findTaps(graph).some(({ name }) => name.startsWith("blocks."));
}

/**
 * The hierarchy levels of a network: `layer1` to `layer4` are the last tensors
 * at strides 4, 8, 16 and 32.
 *
 * Where branches meet last (a residual addition with its activation, the
 * concatenation that ends a dense block), there the level ends, unless whole
 * blocks follow. Otherwise it ends before the next downsampling or global
 * pooling, and before the expansion that belongs to a depthwise downsampling.
 * For torchvision's ResNets these are the outputs of layer1 to layer4, for its
 * DenseNets those of denseblock1 to denseblock4. Levels that a network does
 * not have are left out. A transformer has its blocks instead, `blocks.0` and so
 * on, as tensors of the graph that `recogniseTransformer` gives.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { findTaps, readOnnx } from "@patchcore/webgpu/nn";
 *
 * const graph = await readOnnx(await Deno.readFile("weights/demo.onnx"));
 * assertEquals(findTaps(graph).map(({ name, stride }) => [name, stride]), [
 *   ["layer1", 4],
 *   ["layer2", 8],
 *   ["layer3", 16],
 * ]);
 * ```
 */
export function findTaps(graph: Graph): readonly Tap[] {
  const { network, blocks, problem } = transformerOf(graph);
  if (problem) return [];
  if (blocks) return blocks;
  const spine = spineOf(network);
  const consumers = consumersOf(graph.nodes);
  return LEVEL_STRIDES.flatMap((stride, i) => {
    const stage = spine.filter((point) => point.stride === stride);
    const end = stage[stageEnd(stage, consumers)];
    if (!end) return [];
    const { tensor, node } = end;
    return [{ name: `layer${i + 1}`, tensor, node: node.name, stride }];
  });
}

/**
 * Finds taps by name: a tensor, an operator, a level (`layer1` to `layer4`),
 * or a module of the exported program such as `features.denseblock2` or
 * `layer3.0`, meaning the last tensor computed in it.
 *
 * @throws {OnnxError} `unknown_tap`, listing what there is.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { readOnnx, resolveTaps } from "@patchcore/webgpu/nn";
 *
 * const graph = await readOnnx(await Deno.readFile("weights/demo.onnx"));
 * const [tap] = resolveTaps(graph, ["layer2"]);
 * assertEquals(tap?.stride, 8);
 * ```
 */
export function resolveTaps(
  graph: Graph,
  names: readonly string[],
): readonly Tap[] {
  const { network, blocks, problem } = transformerOf(graph);
  const levels = problem ? [] : findTaps(network);
  const producers = producersOf(network.nodes);
  const strides = stridesOf(network);
  return names.map((name) => {
    const block = network.transformer && blockTap(network.transformer, name);
    if (block) return block;
    const level = levels.find((tap) => tap.name === name);
    const isModule = !level && !blocks && !problem;
    const node = producers.get(name) ??
      network.nodes.find((node) => node.name === name) ??
      (isModule ? lastOfModule(network, name) : undefined);
    const tensor = producers.has(name) ? name : node?.outputs[0];
    if (!node || tensor === undefined) {
      if (level) return level;
      throw problem ??
        (blocks
          ? unknownBlock(blocks, name)
          : unknownTap(network, levels, name));
    }
    const stride = strides.get(tensor);
    if (stride === undefined) {
      throw new OnnxError(
        "unknown_tap",
        `Cannot tap "${name}": it comes after global pooling and is no feature map`,
        { node: node.name, op: node.op, hint: listLevels(levels) },
      );
    }
    return { name, tensor, node: node.name, stride };
  });
}

/** Index of the point at which a stage ends; −1 when it is empty. */
function stageEnd(
  stage: readonly SpinePoint[],
  consumers: ReadonlyMap<string, readonly GraphNode[]>,
): number {
  let merge = stage.findLastIndex(({ merges }) => merges);
  if (merge >= 0) {
    while (isActivation(stage[merge]!, stage[merge + 1], consumers)) merge++;
    const rest = stage.slice(merge + 1);
    if (rest.filter(({ node }) => node.op === "Conv").length <= 1) return merge;
  }
  return beforeExpansion(stage, consumers);
}

function isActivation(
  point: SpinePoint,
  next: SpinePoint | undefined,
  consumers: ReadonlyMap<string, readonly GraphNode[]>,
): boolean {
  if (!next) return false;
  if (next.node.inputs[0] === point.tensor) {
    if (ACTIVATIONS.includes(next.node.op)) return true;
  }
  // x · sigmoid(x)
  const gates = consumers.get(point.tensor) ?? [];
  return next.node.op === "Mul" && gates.length === 2 &&
    gates.includes(next.node) &&
    gates.some((gate) =>
      ACTIVATIONS.includes(gate.op) &&
      next.node.inputs.includes(gate.outputs[0] ?? "")
    );
}

/**
 * End of a stage without branches: its last point, or, where a depthwise
 * convolution downsamples next, the linear block output that is expanded
 * for it (MobileNetV2, EfficientNet).
 */
function beforeExpansion(
  stage: readonly SpinePoint[],
  consumers: ReadonlyMap<string, readonly GraphNode[]>,
): number {
  const last = stage.length - 1;
  const [next] = consumers.get(stage[last]?.tensor ?? "") ?? [];
  if (!next || !isDepthwiseDownsampling(next)) return last;
  const expansion = stage.findLastIndex(({ node }) => node.op === "Conv");
  const [kernel] =
    numbersAttribute(stage[expansion]?.node ?? next, "kernel_shape") ?? [];
  const before = stage[expansion - 1]?.node;
  const linear = before !== undefined && !before.activation &&
    ["Add", "BatchNormalization", "Conv"].includes(before.op);
  return kernel === 1 && linear ? expansion - 1 : last;
}

function isDepthwiseDownsampling(node: GraphNode): boolean {
  return node.op === "Conv" && numberAttribute(node, "group", 1) > 1 &&
    (numbersAttribute(node, "strides")?.[0] ?? 1) > 1;
}

/** The last operator whose name lies in a module, `layer1.0` in `/layer1/layer1.0/relu/Relu`. */
function lastOfModule(graph: Graph, module: string): GraphNode | undefined {
  return graph.nodes.findLast(({ name }) =>
    `${modulePath(name)}.`.startsWith(`${module}.`)
  );
}

/** Name of an operator with dots between modules, without repeated prefixes. */
function modulePath(name: string): string {
  let path = "";
  for (const part of name.split("/")) {
    if (part === "") continue;
    const last = path.slice(path.lastIndexOf("/") + 1);
    path = last !== "" && part.startsWith(`${last}.`)
      ? `${path}/${part.slice(last.length + 1)}`
      : path === ""
      ? part
      : `${path}/${part}`;
  }
  return path.replaceAll("/", ".");
}

/** The network as it runs, and what it is as a transformer: its blocks, or why it cannot run. */
function transformerOf(graph: Graph): {
  readonly network: Graph;
  readonly blocks?: readonly Tap[];
  readonly problem?: OnnxError;
} {
  try {
    const network = recogniseTransformer(graph);
    const { transformer: facts } = network;
    if (!facts) return { network };
    const blocks = facts.blocks
      .map((_, i) => blockTap(facts, `blocks.${i}`)!);
    return { network, blocks };
  } catch (error) {
    if (error instanceof OnnxError) return { network: graph, problem: error };
    throw error;
  }
}

/**
 * The tap `blocks.N`, after the final normalisation where the network has one,
 * or `blocks.N.raw`, before it.
 */
function blockTap(
  { blocks, patch }: TransformerFacts,
  name: string,
): Tap | undefined {
  const [, index, raw] = /^blocks\.(\d+|last)(\.raw)?$/.exec(name) ?? [];
  const block = blocks.at(index === "last" ? -1 : Number(index ?? Infinity));
  if (!block) return undefined;
  const tensor = raw || block.normed === undefined ? block.map : block.normed;
  return { name, tensor, node: tensor, stride: patch[0] };
}

function unknownBlock(blocks: readonly Tap[], name: string): OnnxError {
  return new OnnxError(
    "unknown_tap",
    `Cannot tap "${name}": the network is a transformer, whose features are those of its blocks`,
    {
      hint: `there are ${blocks[0]!.name} to ${
        blocks.at(-1)!.name
      }, and with .raw behind the name (--tap-norm off) those before the final normalisation`,
    },
  );
}

/** Why a network has no levels; `undefined` when it has some. */
export function levelsProblem(graph: Graph): string | undefined {
  const { blocks, problem } = transformerOf(graph);
  if (problem) return problem.message;
  if (blocks) return undefined;
  return findTaps(graph).length === 0
    ? "the network has no levels: nothing in it is a feature map at stride 4, 8, 16 or 32"
    : undefined;
}

function listLevels(levels: readonly Tap[]): string {
  if (levels.length === 0) {
    return "the network has no levels of its own, name a tensor";
  }
  const list = levels.map(({ name, tensor }) =>
    name === tensor ? name : `${name} ("${tensor}")`
  );
  return `there are ${list.join(", ")}`;
}

function unknownTap(
  graph: Graph,
  levels: readonly Tap[],
  name: string,
): OnnxError {
  const word = name.toLowerCase();
  const similar = graph.nodes
    .flatMap((node) => [node.name, ...node.outputs])
    .filter((other) => word !== "" && other.toLowerCase().includes(word))
    .slice(0, 5)
    .map((other) => `"${other}"`);
  const hint = similar.length > 0
    ? `${listLevels(levels)}; similar names are ${similar.join(", ")}`
    : levels.length === 0
    ? listLevels(levels)
    : `${listLevels(levels)}, and the names of all tensors and operators`;
  return new OnnxError(
    "unknown_tap",
    `Cannot tap "${name}": the network has no level, tensor or operator of that name`,
    { hint },
  );
}
