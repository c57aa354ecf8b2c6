import {
  cutGraph,
  extentBytes,
  extentOf,
  findTaps,
  type Graph,
  graphCost,
  type ImageLevels,
  imageLevels,
  imageNormalization,
  levelsProblem,
  looksUntrained,
  OnnxError,
  optimizeGraph,
  planNetwork,
  recogniseTransformer,
  type Tap,
  WEIGHTS_KEY,
} from "../core/weights.ts";
import type { Option } from "./options.ts";
import { table } from "./table.ts";

/** The option that says which image a network's facts are told for. */
export const SIZE_OPTION = {
  kind: "integer",
  min: 1,
  unit: "pixels",
  default: 224,
  help: "sides of the image that a network's shapes and cost are told for",
} as const satisfies Option;

/** Named facts, as `--json` prints them. */
export type Facts = Readonly<Record<string, unknown>>;

const EXPECTS: Readonly<Record<ImageLevels, string>> = {
  imagenet: "levels normalised with ImageNet's mean and deviation",
  unit: "levels from 0 to 1, it normalises them itself",
  bytes: "levels from 0 to 255, it normalises them itself",
};

/**
 * Everything there is to say of a network: operators, cost and memory up to
 * each of its taps, what image it expects, whether it has learned anything.
 *
 * @param image Shape `[N, 3, H, W]` that shapes and costs are told for.
 */
export function networkFacts(graph: Graph, image: readonly number[]): Facts {
  const { taps, problem } = tapFacts(graph, image);
  const transformer = transformerOf(graph)?.transformer;
  const counts: Record<string, number> = {};
  for (const { op } of graph.nodes) counts[op] = (counts[op] ?? 0) + 1;
  const { untrained, reason } = looksUntrained(graph);
  const inside = imageNormalization(graph);
  return {
    producer: graph.producer,
    opset: graph.opset,
    operators: counts,
    parameters: countParameters(graph),
    image,
    gmacs: taps.at(-1)?.gmacs ?? null,
    peak_activation_bytes: taps.at(-1)?.peak_activation_bytes ?? null,
    taps,
    ...(transformer && {
      patch: transformer.patch,
      tokens_before_patches: transformer.prefix,
    }),
    cannot_run: problem ?? levelsProblem(graph) ?? null,
    expects: expectedLevels(graph),
    normalisation_inside: inside ?? null,
    known_weights: graph.metadata.get(WEIGHTS_KEY) ?? null,
    random_weights: untrained,
    why: reason,
  };
}

/** The network as it runs; nothing if it is a transformer that cannot. */
function transformerOf(graph: Graph): Graph | undefined {
  try {
    return recogniseTransformer(graph);
  } catch (error) {
    if (error instanceof OnnxError) return undefined;
    throw error;
  }
}

/** In words, what levels the network wants, or why that cannot be told. */
function expectedLevels(graph: Graph): string {
  try {
    return EXPECTS[imageLevels(graph)];
  } catch (error) {
    if (error instanceof OnnxError) return error.message;
    throw error;
  }
}

interface TapFacts extends Tap {
  readonly shape: readonly number[] | undefined;
  readonly gmacs: number;
  readonly parameters: number;
  readonly peak_activation_bytes: number;
}

/** Facts of every tap that can be run, and why those after it cannot. */
function tapFacts(
  graph: Graph,
  image: readonly number[],
): { taps: readonly TapFacts[]; problem?: string } {
  const taps: TapFacts[] = [];
  const network = transformerOf(graph);
  if (network === undefined) return { taps };
  for (const tap of findTaps(network)) {
    try {
      taps.push({ ...tap, ...costUpTo(network, tap, image) });
    } catch (error) {
      if (!(error instanceof OnnxError) || error.kind === "image_input") {
        throw error;
      }
      return { taps, problem: `${tap.name}: ${error.message}` };
    }
  }
  return { taps };
}

function costUpTo(
  graph: Graph,
  { tensor }: Tap,
  image: readonly number[],
): Omit<TapFacts, keyof Tap> {
  const cut = cutGraph(graph, [tensor]);
  const optimized = optimizeGraph(cut);
  const target = { tile: "direct", precision: "f32" } as const;
  const { shapes, memory } = planNetwork(optimized, image, target);
  const activations = memory.buffers.reduce((sum, bytes) => sum + bytes, 0);
  return {
    shape: shapes.get(tensor),
    gmacs: Number((graphCost(optimized, image).macs / 1e9).toFixed(3)),
    parameters: countParameters(cut),
    peak_activation_bytes: activations + extentBytes(extentOf(image)),
  };
}

function countParameters({ constants }: Graph): number {
  let count = 0;
  for (const { dtype, data } of constants.values()) {
    if (dtype === "float32") count += data.length;
  }
  return count;
}

/** Facts as lines of text; a list of objects becomes a table. */
export function factLines(facts: Facts): string {
  const width = Math.max(...Object.keys(facts).map((key) => key.length));
  return Object.entries(facts).map(([key, value]) =>
    isRows(value)
      ? `${key}\n${
        indent(table([
          Object.keys(value[0]!),
          ...value.map((row) => Object.values(row).map(inWords)),
        ]))
      }`
      : `${key.padEnd(width)}  ${inWords(value)}`
  ).join("\n");
}

function isRows(value: unknown): value is Facts[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((row) => typeof row === "object" && row !== null);
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

/** Numbers or words of a list that are told one by one. */
const MOST_LISTED = 100;

function inWords(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length > MOST_LISTED
      ? `[${value.slice(0, 4).join(", ")}, … of ${value.length}]`
      : `[${value.join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) return `${value}`;
  return Object.entries(value)
    .map(([key, part]) => `${key} ${inWords(part)}`).join(", ");
}
