/**
 * The beginning of a transformer: patches of the image, and what is put before
 * them and added to them.
 *
 * @module
 */
import { numberAttribute, numbersAttribute } from "../attributes.ts";
import { evaluate } from "../evaluate.ts";
import { FoldingBudget } from "../folding_budget.ts";
import type { FreeNames } from "../free_names.ts";
import type { Graph, GraphNode, HostTensor } from "../graph.ts";
import { elementCount, floatTensor, integerTensor } from "../host_tensor.ts";
import { knownTensors } from "../shape_inference.ts";
import type { Shape } from "../shape_rules.ts";
import { imageTensors, removeUnused } from "../topology.ts";
import { TOKEN_OPERATORS } from "./token_operators.ts";

/** Where a transformer's patches and its blocks begin. */
export interface Embedding {
  /** The convolution that makes patches. */
  readonly conv: GraphNode;
  /** Its result, `[N, D, h, w]`. */
  readonly patches: string;
  /** Sides of a patch in pixels. */
  readonly patch: readonly [number, number];
  /** The tensor that the first block reads, `[N, T, D]`. */
  readonly tokens: string;
}

/** The convolution into patches and the tensor of the first LayerNormalization. */
export function findEmbedding(graph: Graph): Embedding | undefined {
  const computed = imageTensors(graph.inputs[0]?.name ?? "", graph.nodes);
  const conv = graph.nodes.find(({ op, inputs }) =>
    op === "Conv" && computed.has(inputs[0] ?? "")
  );
  const norm = graph.nodes.find(({ op, inputs }) =>
    op === "LayerNormalization" && computed.has(inputs[0] ?? "")
  );
  const kernel = conv && numbersAttribute(conv, "kernel_shape");
  if (!conv || !norm || kernel?.length !== 2) return undefined;
  const fits = kernel.join() === numbersAttribute(conv, "strides")?.join() &&
    (numbersAttribute(conv, "pads") ?? []).every((pad) => pad === 0) &&
    numberAttribute(conv, "group", 1) === 1;
  if (!fits) return undefined;
  return {
    conv,
    patches: conv.outputs[0]!,
    patch: [kernel[0]!, kernel[1]!],
    tokens: norm.inputs[0]!,
  };
}

/** The nodes that make tokens of patches, for patches of one image that are all 0. */
export interface OffsetNodes {
  /** The nodes, in order. */
  readonly nodes: readonly GraphNode[];
  /** Constants they need. */
  readonly constants: ReadonlyMap<string, HostTensor>;
  /** Name of what they yield: all that is not the patches', `[1, T, D]`. */
  readonly result: string;
}

/**
 * Copies the operators between patches and tokens, with patches of zeros in place
 * of the image's: since they add and join at most, what they yield is what
 * belongs to each token besides its patch, and it follows from the image's size.
 */
export function offsetNodes(
  graph: Graph,
  { patches, tokens }: Embedding,
  names: FreeNames,
): OffsetNodes {
  const image = graph.inputs[0]!.name;
  const { nodes } = removeUnused({ ...graph, outputs: [tokens] });
  const behind = imageTensors(patches, nodes);
  const first = names.take("offset.image");
  const zeros = names.take("offset.patches");
  const renamed = new Map([[image, first], [patches, zeros]]);
  const copies = nodes.flatMap((node) => {
    const own = node.outputs.some((name) => behind.has(name)) ||
      node.inputs.some((name) => renamed.has(name));
    if (!own || node.outputs.includes(patches)) return [];
    const outputs = node.outputs.map((name) => {
      const copy = name && names.take(`offset.${name}`);
      renamed.set(name, copy);
      return copy;
    });
    return [{
      ...node,
      name: names.take(`offset.${node.name}`),
      inputs: node.inputs.map((name) => renamed.get(name) ?? name),
      outputs,
    }];
  });
  const constants = new Map<string, HostTensor>();
  const constant = (name: string, values: readonly number[]): string => {
    const free = names.take(`offset.${name}`);
    constants.set(free, integerTensor(values));
    return free;
  };
  const step = (
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: GraphNode["attributes"] = {},
  ): GraphNode => ({
    name: names.take(`${output}.${op}`),
    ...{ op, inputs, outputs: [output], attributes },
  });
  const shape = names.take("offset.patches.shape");
  const rest = names.take("offset.patches.rest");
  const all = names.take("offset.patches.all");
  const from = constant("from", [1]);
  const to = constant("to", [4]);
  return {
    nodes: [
      step(TOKEN_OPERATORS.firstImage, [image], first),
      step("Shape", [patches], shape),
      step("Slice", [shape, from, to], rest),
      step("Concat", [from, rest], all, { axis: 0 }),
      step("ConstantOfShape", [all], zeros),
      ...copies,
    ],
    constants,
    result: renamed.get(tokens) ?? tokens,
  };
}

/** How tokens lie before and behind one another, found by trying. */
export interface TokenOrder {
  /** Tokens before the patches'. */
  readonly prefix: number;
  /** All tokens. */
  readonly tokens: number;
}

/**
 * Whether tokens are, behind some others, the patches row by row, each with a
 * constant added; `undefined` if they are not.
 */
export function tokenOrder(
  graph: Graph,
  { patches, tokens }: Embedding,
  image: Shape,
): TokenOrder | undefined {
  const { shapes, values } = knownTensors(graph, image);
  const map = shapes.get(patches);
  const result = shapes.get(tokens);
  if (map?.length !== 4 || result?.length !== 3 || result[0] !== 1) {
    return undefined;
  }
  const [, channels = 0, height = 0, width = 0] = map;
  const [, count = 0, own] = result;
  const prefix = count - height * width;
  if (own !== channels || prefix < 0) return undefined;
  const { nodes } = removeUnused({ ...graph, outputs: [tokens] });
  const behind = imageTensors(patches, nodes);
  const run = (data: Float32Array): Float32Array | undefined => {
    const known = new Map<string, HostTensor>(values);
    known.set(patches, floatTensor(map, data));
    const budget = new FoldingBudget(known);
    for (const node of nodes) {
      const [output = ""] = node.outputs;
      if (!behind.has(output) || output === patches) continue;
      const value = evaluate(node, known, budget);
      if (value) known.set(output, value);
    }
    const value = known.get(tokens);
    return value?.dtype === "float32" ? value.data : undefined;
  };
  const empty = new Float32Array(elementCount(map));
  const [still, moved] = [run(empty), run(empty.map((_, i) => i + 1))];
  if (!still || !moved) return undefined;
  const pixels = height * width;
  for (let t = 0; t < count; t++) {
    for (let c = 0; c < channels; c++) {
      const i = t * channels + c;
      const expected = t < prefix ? 0 : c * pixels + t - prefix + 1;
      if (Math.abs(moved[i]! - still[i]! - expected) > 0.5) return undefined;
    }
  }
  return { prefix, tokens: count };
}

/** Whether values that follow from an image's size have as many elements as they should. */
export function takesSize(
  graph: Graph,
  image: Shape,
  expected: ReadonlyMap<string, Shape>,
): boolean {
  const cut = removeUnused({ ...graph, outputs: [...expected.keys()] });
  const { values } = knownTensors(cut, image);
  return [...expected].every(([name, shape]) =>
    values.get(name)?.data.length === elementCount(shape)
  );
}
