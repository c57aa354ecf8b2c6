/**
 * Where a backbone's features are taken: hierarchy levels found from the
 * structure of the network, whoever exported it and whatever its names.
 *
 * @module
 */
import { isTransformer } from "./attention.ts";
import { numberAttribute, numbersAttribute } from "./attributes.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { OnnxError } from "./onnx/errors.ts";
import { spineOf, type SpinePoint } from "./spine.ts";
import { stridesOf } from "./strides.ts";
import { consumersOf, producersOf } from "./topology.ts";

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
 * not have are left out; a transformer has none.
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
  if (isTransformer(graph)) return [];
  const spine = spineOf(graph);
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
  const levels = findTaps(graph);
  const producers = producersOf(graph.nodes);
  const strides = stridesOf(graph);
  return names.map((name) => {
    const level = levels.find((tap) => tap.name === name);
    const node = producers.get(name) ??
      graph.nodes.find((node) => node.name === name) ??
      (level ? undefined : lastOfModule(graph, name));
    const tensor = producers.has(name) ? name : node?.outputs[0];
    if (!node || tensor === undefined) {
      if (level) return level;
      throw unknownTap(graph, levels, name);
    }
    const stride = strides.get(tensor);
    if (stride === undefined) {
      throw new OnnxError(
        "unknown_tap",
        `Cannot tap "${name}": it comes after global pooling and is no feature map`,
        { node: node.name, op: node.op, hint: listLevels(graph, levels) },
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

const TRANSFORMER =
  "the network is a transformer, its features are tokens, which are not supported yet";

/** Why a network has no levels; `undefined` when it has some. */
export function levelsProblem(graph: Graph): string | undefined {
  if (isTransformer(graph)) return TRANSFORMER;
  return findTaps(graph).length === 0
    ? "the network has no levels: nothing in it is a feature map at stride 4, 8, 16 or 32"
    : undefined;
}

function listLevels(graph: Graph, levels: readonly Tap[]): string {
  if (isTransformer(graph)) {
    return `${TRANSFORMER}; give a convolutional network`;
  }
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
    ? `${listLevels(graph, levels)}; similar names are ${similar.join(", ")}`
    : levels.length === 0
    ? listLevels(graph, levels)
    : levels.length === 0
    ? listLevels(graph, levels)
    : `${
      listLevels(graph, levels)
    }, and the names of all tensors and operators`;
  return new OnnxError(
    "unknown_tap",
    `Cannot tap "${name}": the network has no level, tensor or operator of that name`,
    { hint },
  );
}
