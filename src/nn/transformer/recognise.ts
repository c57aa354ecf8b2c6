/**
 * Recognises vision transformers, whoever exported them.
 *
 * @module
 */
import { attentionNodes, isTransformer } from "../attention.ts";
import { numberAttribute } from "../attributes.ts";
import { foldConstants } from "../constant_folding.ts";
import { FreeNames } from "../free_names.ts";
import type { Graph, GraphNode, TransformerFacts } from "../graph.ts";
import { nodeError, OnnxError } from "../onnx/errors.ts";
import { knownTensors, nominalShape } from "../shape_inference.ts";
import type { Shape } from "../shape_rules.ts";
import { imageTensors, removeUnused, sortNodes } from "../topology.ts";
import { findBlocks } from "./blocks.ts";
import { followBody } from "./body.ts";
import { CanonicalWriter } from "./canonical.ts";
import { recogniseComposites } from "./composites.ts";
import {
  type Embedding,
  findEmbedding,
  type OffsetNodes,
  offsetNodes,
  takesSize,
  type TokenOrder,
  tokenOrder,
} from "./embedding.ts";
import type { Rows } from "./expression.ts";
import { expandFusedOperators } from "./fused_operators.ts";
import { TOKEN_OPERATORS } from "./token_operators.ts";

const recognised = new WeakMap<Graph, Graph | OnnxError>();

/**
 * The graph of a transformer with its blocks, normalised and not, as maps, and
 * `transformer` set; any other graph as it is.
 *
 * It runs on images of every size that the file leaves open, and in batches of
 * any size, also where the file fixes one.
 *
 * @throws {OnnxError} `unsupported_operator` for a transformer of parts that are
 * not understood; the message names the first.
 */
export function recogniseTransformer(graph: Graph): Graph {
  let found = recognised.get(graph);
  if (found === undefined) {
    found = attempt(graph);
    recognised.set(graph, found);
    if (!(found instanceof OnnxError)) recognised.set(found, found);
  }
  if (found instanceof OnnxError) throw found;
  return found;
}

function attempt(graph: Graph): Graph | OnnxError {
  try {
    if (graph.transformer || !isTransformer(graph)) return graph;
    refuseQuantised(graph);
    return rewrite(graph);
  } catch (error) {
    if (error instanceof OnnxError) return error;
    const problem = error instanceof Error ? error.message : String(error);
    return new OnnxError(
      "invalid_node",
      `Cannot run the network: it is a transformer that makes no sense (${problem})`,
      {},
      { cause: error },
    );
  }
}

/** Operators of networks in 8 bits. */
const QUANTISED: readonly string[] = [
  "ConvInteger",
  "DynamicQuantizeLinear",
  "MatMulInteger",
  "QLinearConv",
  "QLinearMatMul",
  "com.microsoft.MatMulNBits",
];

function refuseQuantised({ nodes }: Graph): void {
  const node = nodes.find(({ op }) => QUANTISED.includes(op));
  if (!node) return;
  throw nodeError(
    node,
    "the network is quantised to integers, which is not supported",
    "unsupported_operator",
    "give its file in float32 or float16",
  );
}

function rewrite(original: Graph): Graph {
  const plain = expandFusedOperators(foldConstants(original));
  const image = imageOf(plain);
  const known = knownTensors(plain, image);
  const graph = recogniseComposites(plain, known.shapes);
  const embedding = findEmbedding(graph);
  if (!embedding) {
    throw refusal(
      attentionNodes(graph)[0],
      "no convolution into patches and no LayerNormalization come before it",
    );
  }
  const order = tokenOrder(graph, embedding, image);
  if (!order) {
    throw refusal(
      producerOf(graph, embedding.tokens),
      "its tokens are not the image's patches, row by row, behind others",
    );
  }
  const offset = offsetNodes(graph, embedding, new FreeNames(graph));
  return write({ graph, image, known, embedding, order, offset });
}

/** A size that the file takes. */
function imageOf(graph: Graph): Shape {
  const [, , height, width] = nominalShape(graph);
  return [1, 3, height!, width!];
}

/** What is known of a transformer before its blocks are followed. */
interface Beginning {
  readonly graph: Graph;
  readonly image: Shape;
  readonly known: ReturnType<typeof knownTensors>;
  readonly embedding: Embedding;
  readonly order: TokenOrder;
  readonly offset: OffsetNodes;
}

function write(
  { graph, image, known, embedding, order, offset }: Beginning,
): Graph {
  const { shapes, values } = known;
  const channels = shapes.get(embedding.tokens)!.at(-1)!;
  const first: Rows = { kind: "embedded", channels, node: embedding.conv };
  const body = followBody(graph, {
    tensor: embedding.tokens,
    rows: first,
    shapes,
    values,
  });
  const { blocks, norm } = findBlocks(body.rows);
  const layers = attentionNodes(graph);
  if (blocks.length < layers.length) {
    const [problem] = body.problems;
    throw refusal(
      problem?.node ?? layers[blocks.length],
      problem?.problem ??
        "it is in no block of attention and a feed-forward part that add to what LayerNormalization reads",
    );
  }
  const kept = upTo(graph, embedding.patches);
  const extended = new Map([...graph.constants, ...offset.constants]);
  const names = new FreeNames({
    ...graph,
    nodes: [...graph.nodes, ...offset.nodes],
    constants: extended,
  });
  const { patches } = embedding;
  const writer = new CanonicalWriter(extended, names, {
    patches,
    offset: offset.result,
  });
  const taps = blocks.map(({ output }, i) => {
    const tokens = writer.rows(output);
    const tap = (name: string): string => names.take(`blocks.${i}${name}`);
    const map = writer.add(
      {
        name: `blocks.${i}.map`,
        op: TOKEN_OPERATORS.map,
        inputs: [tokens, patches],
      },
      tap(".raw"),
    );
    const normed = norm && writer.add({
      ...{ name: `blocks.${i}.norm`, op: TOKEN_OPERATORS.norm },
      inputs: [tokens, norm.gamma, norm.beta, patches],
      attributes: { epsilon: norm.epsilon },
    }, tap(""));
    return { tokens, map, ...(normed !== undefined && { normed }) };
  });
  const facts: TransformerFacts = {
    patch: embedding.patch,
    prefix: order.prefix,
    channels,
    blocks: taps,
  };
  const last = taps.at(-1)!;
  const whole: Graph = {
    ...graph,
    nodes: sortNodes([...kept, ...offset.nodes, ...writer.nodes]),
    constants: writer.constants,
    outputs: [last.normed ?? last.map],
    transformer: facts,
  };
  refuseMissing(whole);
  return fixedWhereItIs(whole, offset.result, image, order);
}

/** What does not depend on the patches: the convolution, and all that sizes alone make up. */
function upTo(graph: Graph, patches: string): GraphNode[] {
  const behind = imageTensors(patches, graph.nodes);
  behind.delete(patches);
  const gone = new Set<string>();
  return graph.nodes.filter(({ inputs, outputs }) => {
    const goes = outputs.some((name) => behind.has(name)) ||
      inputs.some((name) => gone.has(name) || behind.has(name));
    if (goes) { for (const name of outputs) gone.add(name); }
    return !goes;
  });
}

/** Refuses positions that are computed from more than the image's size. */
function refuseMissing(graph: Graph): void {
  const known = new Set([
    ...graph.constants.keys(),
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  for (const node of removeUnused(graph).nodes) {
    const missing = node.inputs.find((name) => name && !known.has(name));
    if (missing === undefined) continue;
    throw refusal(
      node,
      `"${missing}" depends on more than the image and its size`,
    );
  }
}

/** The graph, which says so if positions are those of one size alone. */
function fixedWhereItIs(
  graph: Graph,
  offset: string,
  image: Shape,
  { prefix }: TokenOrder,
): Graph {
  const facts = graph.transformer!;
  const [patchHeight, patchWidth] = facts.patch;
  const [, , height, width] = image;
  const rows = Math.floor(height! / patchHeight);
  const columns = Math.floor(width! / patchWidth);
  const [more, wider] = [rows + 1, columns + 2];
  const free = takesSize(
    graph,
    [1, 3, more * patchHeight, wider * patchWidth],
    new Map<string, Shape>([
      [offset, [1, prefix + more * wider, facts.channels]],
      ...rotationsOf(graph).map(({ name, head }) =>
        [name, [more * wider, head]] as const
      ),
    ]),
  );
  if (free) return graph;
  return { ...graph, transformer: { ...facts, grid: [rows, columns] } };
}

/** Cosines and sines that products read. */
function rotationsOf(
  { nodes }: Graph,
): readonly { readonly name: string; readonly head: number }[] {
  return nodes.flatMap((node) => {
    if (node.op !== TOKEN_OPERATORS.linear) return [];
    const head = numberAttribute(node, "head", 0);
    return node.inputs.slice(5).map((name) => ({ name, head }));
  });
}

function producerOf(graph: Graph, tensor: string): GraphNode | undefined {
  return graph.nodes.find(({ outputs }) => outputs.includes(tensor));
}

function refusal(node: GraphNode | undefined, problem: string): OnnxError {
  const hint =
    "the network is a transformer of a kind that is not understood; DINOv2, DINOv3, DINO, ViT, DeiT and CLIP's image tower are";
  return node
    ? nodeError(node, problem, "unsupported_operator", hint)
    : new OnnxError(
      "unsupported_operator",
      `Cannot run the network: ${problem}`,
      { hint },
    );
}
