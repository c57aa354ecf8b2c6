/**
 * Shapes of every tensor for one image size.
 *
 * @module
 */
import { evaluate, evaluateSplit } from "./evaluate.ts";
import { FoldingBudget } from "./folding_budget.ts";
import type {
  Graph,
  GraphNode,
  HostTensor,
  TransformerFacts,
} from "./graph.ts";
import { elementCount, integerTensor, makeTensor } from "./host_tensor.ts";
import { named } from "./named_errors.ts";
import { nodeError, OnnxError } from "./onnx/errors.ts";
import { CONSTANTS_ONLY, SHAPE_ONLY } from "./operator_kinds.ts";
import {
  type Shape,
  SHAPE_RULES,
  shapeRange,
  splitShapes,
} from "./shape_rules.ts";
import { readsOf } from "./topology.ts";

/** What is known of a graph once the image size is. */
export interface ShapePlan {
  /** Shape of every tensor. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Constants, and values computed from shapes, such as the target of a Reshape. */
  readonly values: ReadonlyMap<string, HostTensor>;
  /** Nodes left to run: those whose results are not in `values`. */
  readonly nodes: readonly GraphNode[];
}

/** Activations larger than this cannot be meant. */
const MAX_ELEMENTS = 2 ** 31;

/** Operators a network may use on its image up to its deepest tap. */
export const SUPPORTED_OPERATORS: readonly string[] = Object.keys(SHAPE_RULES)
  .filter((op) => !SHAPE_ONLY.includes(op) && !CONSTANTS_ONLY.includes(op));

/**
 * Infers all shapes for images `[N, 3, H, W]`, and computes whatever depends
 * on shapes alone.
 *
 * A batch, height or width that the file fixes is not binding: convolutions
 * take any. Where a model does depend on its size, the operator that does says so.
 *
 * @throws {OnnxError} `image_input` when the channels differ,
 * `unsupported_operator`, `shape` or `invalid_node` for a node that cannot run.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { findTaps, inferShapes, readOnnx } from "@patchcore/webgpu/nn";
 *
 * const graph = await readOnnx(await Deno.readFile("weights/demo.onnx"));
 * const { shapes } = inferShapes(graph, [1, 3, 64, 64]);
 * const [first] = findTaps(graph);
 * assertEquals(shapes.get(first!.tensor)?.slice(2), [16, 16]);
 * ```
 */
export function inferShapes(graph: Graph, image: Shape): ShapePlan {
  const shapes = new Map<string, Shape>();
  const values = new Map<string, HostTensor>(graph.constants);
  for (const [name, { shape }] of graph.constants) shapes.set(name, shape);
  if (graph.transformer) checkPatches(graph.transformer, image);
  for (const input of graph.inputs) {
    checkInput(input.name, input.shape, image);
    shapes.set(input.name, image);
  }
  const state = { shapes, values, budget: new FoldingBudget(values) };
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    if (infer(node, state)) nodes.push(node);
  }
  return { shapes, values, nodes };
}

/**
 * The shapes that can be told for images `[N, 3, H, W]` in a network that need
 * not run: what an unknown or invalid operator yields has none.
 */
export function knownShapes(
  graph: Graph,
  image: Shape,
): ReadonlyMap<string, Shape> {
  return knownTensors(graph, image).shapes;
}

/** What {@linkcode knownShapes} tells, and the values that follow from shapes. */
export function knownTensors(
  graph: Graph,
  image: Shape,
): Pick<ShapePlan, "shapes" | "values"> {
  const shapes = new Map<string, Shape>();
  const values = new Map<string, HostTensor>(graph.constants);
  for (const [name, { shape }] of graph.constants) shapes.set(name, shape);
  for (const { name } of graph.inputs) shapes.set(name, image);
  const state = { shapes, values, budget: new FoldingBudget(values) };
  for (const node of graph.nodes) {
    try {
      infer(node, state);
    } catch (error) {
      if (!(error instanceof OnnxError)) throw error;
    }
  }
  return { shapes, values };
}

/** What is known while nodes are gone through in order. */
interface InferenceState {
  readonly shapes: Map<string, Shape>;
  readonly values: Map<string, HostTensor>;
  readonly budget: FoldingBudget;
}

/** Notes a node's shapes and, where possible, its value; true when it must run. */
function infer(
  node: GraphNode,
  { shapes, values, budget }: InferenceState,
): boolean {
  const rule = SHAPE_RULES[node.op];
  if (!rule) throw unsupported(node);
  const inputs = node.inputs.map((name) => shapes.get(name));
  const results = named(
    node,
    () =>
      node.op === "Split"
        ? splitShapes(node, { inputs, values })
        : [rule(node, { inputs, values })],
  );
  for (const shape of results) checkShape(node, shape);
  checkResidual(node, results[0]!, shapes);
  node.outputs.forEach((name, i) => {
    if (name) shapes.set(name, results[i] ?? results[0]!);
  });
  if (node.op === "Split" && readsOf(node).every((name) => values.has(name))) {
    for (const [name, part] of evaluateSplit(node, values, budget)) {
      values.set(name, part);
    }
    return false;
  }
  const value = node.op === "Shape" && inputs[0]
    ? integerTensor(inputs[0].slice(...shapeRange(node, inputs[0].length)))
    : node.op === "Size" && inputs[0]
    ? makeTensor("int64", [], [elementCount(inputs[0])])
    : readsOf(node).every((name) => values.has(name))
    ? evaluate(node, values, budget)
    : undefined;
  if (value && node.outputs[0]) values.set(node.outputs[0], value);
  return value === undefined;
}

function checkShape(node: GraphNode, shape: Shape): void {
  if (!shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
    const empty = shape.every((extent) => extent >= 0) && shape.length === 1;
    if (!empty) {
      throw nodeError(
        node,
        `its result would have shape [${shape}]`,
        "shape",
        "give larger images or tap an earlier layer",
      );
    }
  }
  if (elementCount(shape) <= MAX_ELEMENTS) return;
  throw nodeError(
    node,
    `its result of shape [${shape}] has more than 2^31 elements`,
    "too_large",
    "give smaller images",
  );
}

function checkResidual(
  node: GraphNode,
  shape: Shape,
  shapes: ReadonlyMap<string, Shape>,
): void {
  if (node.residual === undefined) return;
  const residual = shapes.get(node.residual);
  if (residual?.join() === shape.join()) return;
  throw nodeError(
    node,
    `cannot add [${residual ?? ""}] to its result of shape [${shape}]`,
    "shape",
  );
}

/**
 * The error about an operator that no kernel exists for.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { unsupported } from "@patchcore/webgpu/nn";
 *
 * const node = {
 *   name: "attention",
 *   op: "Einsum",
 *   inputs: [],
 *   outputs: ["y"],
 *   attributes: {},
 * };
 * assertEquals(unsupported(node).kind, "unsupported_operator");
 * ```
 */
export function unsupported(node: GraphNode): OnnxError {
  const custom = node.op.includes(".");
  return nodeError(
    node,
    `the operator ${node.op} is not supported`,
    "unsupported_operator",
    custom
      ? "export the network with standard ONNX operators only"
      : "tap a layer before it, or export the network without it",
  );
}

function checkInput(
  name: string,
  declared: readonly (number | string | null)[],
  image: Shape,
): void {
  const valid = image.length === 4 &&
    image.every((extent) => Number.isInteger(extent) && extent > 0);
  if (!valid) {
    throw new OnnxError(
      "image_input",
      `Cannot feed "${name}": images have shape [${image}], expected [N, C, H, W]`,
    );
  }
  const channels = declared[1];
  if (typeof channels !== "number" || channels === image[1]) return;
  throw new OnnxError(
    "image_input",
    `Cannot feed "${name}": images have ${
      image[1]
    } channels, the model expects ${channels}`,
  );
}

/** A transformer takes whole patches, and where it has its own positions, so many. */
function checkPatches(
  { patch, grid }: TransformerFacts,
  [, , height = 0, width = 0]: Shape,
): void {
  const size = (h: number, w: number): string => `${w} × ${h}`;
  const fail = (problem: string, hint: string): OnnxError =>
    new OnnxError(
      "shape",
      `Cannot run the network on images of ${
        size(height, width)
      } pixels: ${problem}`,
      { hint },
    );
  const [own, other] = patch;
  if (height % own !== 0 || width % other !== 0) {
    throw fail(
      `it cuts them into patches of ${size(own, other)}`,
      `give a multiple of ${
        own === other ? own : size(own, other)
      } on every side, by --resize and --crop or --square`,
    );
  }
  if (!grid || (height === grid[0] * own && width === grid[1] * other)) return;
  throw fail(
    `its file holds the positions of ${
      size(...grid)
    } patches alone, of images of ${size(grid[0] * own, grid[1] * other)}`,
    "give images of that size, or export the network with its height and width free",
  );
}

/**
 * A plausible shape to plan with when no image is at hand: what the file fixes, else `[1, 3, 224, 224]`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { nominalShape, readOnnx } from "@patchcore/webgpu/nn";
 *
 * const graph = await readOnnx(await Deno.readFile("weights/demo.onnx"));
 * assertEquals(nominalShape(graph), [1, 3, 224, 224]);
 * ```
 */
export function nominalShape(graph: Graph): Shape {
  const declared = graph.inputs[0]?.shape ?? [];
  const patch = graph.transformer?.patch ?? [1, 1];
  const grid = graph.transformer?.grid;
  return [1, 3, 224, 224].map((usual, axis) => {
    const extent = declared[axis];
    if (typeof extent === "number") return extent;
    const step = patch[axis - 2] ?? 1;
    return grid && axis > 1
      ? grid[axis - 2]! * step
      : Math.ceil(usual / step) * step;
  });
}
