/**
 * Tells networks that have learned nothing: they look valid, run, and their
 * features mean nothing.
 *
 * @module
 */
import { numberAttribute } from "./attributes.ts";
import type { FloatTensor, Graph, GraphNode, HostTensor } from "./graph.ts";

/** Verdict of {@linkcode looksUntrained}. */
export interface TrainingVerdict {
  /** Whether the weights look as they are before any training. */
  readonly untrained: boolean;
  /** What the verdict rests on, as a clause: `its BatchNormalization statistics …`. */
  readonly reason: string;
}

/** Fewer pairs of neighbouring weights than this tell nothing. */
const MIN_PAIRS = 200;
/** The spread of fewer weights than this, in all or in a filter, tells nothing. */
const MIN_WEIGHTS = 800;
const MIN_FILTER = 16;
/** Weights looked at in each convolution. */
const MAX_WEIGHTS = 2 ** 16;
/** Correlation of neighbouring weights below which they may be independent; trained layers measure 0.28 to 0.87. */
const MAX_CORRELATION = 0.05;
/** Kurtosis of independent draws: uniform 1.8, normal 3, each with some room. */
const KURTOSIS = { min: 1.65, max: 3.4 };

/**
 * Whether a network's weights are random. Any of these says so:
 *
 * 1. its metadata, as this package marks random networks;
 * 2. BatchNormalization with mean 0 and variance 1 throughout;
 * 3. without BatchNormalization, biases that are all exactly 0;
 * 4. kernels whose neighbouring weights are uncorrelated and spread like
 *    normal or uniform random numbers in every layer, the first included.
 *    (Images are smooth, and so are the kernels learned from them.)
 *
 * Works before and after optimisation.
 */
export function looksUntrained(graph: Graph): TrainingVerdict {
  const seed = graph.metadata.get("random");
  if (seed !== undefined) {
    return verdict(true, `its metadata says that it is random, seed ${seed}`);
  }
  const norms = graph.nodes.filter(({ op }) => op === "BatchNormalization");
  if (norms.length > 0 && norms.every((node) => isIdentity(node, graph))) {
    return verdict(
      true,
      "its BatchNormalization statistics are all mean 0 and variance 1",
    );
  }
  const biases = convolutions(graph).flatMap((node) =>
    floats(graph, node.inputs[2]) ?? []
  );
  const silent = biases.every(({ data }) => data.every((value) => value === 0));
  if (norms.length === 0 && biases.length > 0 && silent) {
    return verdict(true, "the biases of its convolutions are all 0");
  }
  return judgeKernels(graph);
}

function verdict(untrained: boolean, reason: string): TrainingVerdict {
  return { untrained, reason };
}

function convolutions(graph: Graph): GraphNode[] {
  return graph.nodes.filter(({ op }) => op === "Conv");
}

function floats(
  graph: Graph,
  name: string | undefined,
): FloatTensor | undefined {
  const tensor: HostTensor | undefined = graph.constants.get(name ?? "");
  return tensor?.dtype === "float32" ? tensor : undefined;
}

/** Whether normalisation does what it did before training: nothing. */
function isIdentity(node: GraphNode, graph: Graph): boolean {
  const all = (index: number, expected: number): boolean =>
    floats(graph, node.inputs[index])?.data.every((value) =>
      Math.abs(value - expected) < 1e-6
    ) ?? false;
  if (node.inputs.length >= 5) return all(3, 0) && all(4, 1);
  const [first = NaN] = floats(graph, node.inputs[1])?.data ?? [];
  return all(1, first) && all(2, 0);
}

function judgeKernels(graph: Graph): TrainingVerdict {
  const kernels = convolutions(graph)
    .filter((node) => numberAttribute(node, "group", 1) === 1)
    .flatMap((node) => floats(graph, node.inputs[1]) ?? [])
    .filter(({ shape }) => shape.length === 4)
    .map(measure);
  const spatial = kernels.filter(({ pairs }) => pairs >= MIN_PAIRS);
  if (spatial.length === 0) {
    return verdict(
      false,
      "nothing about its weights says that they are random",
    );
  }
  const strongest = Math.max(
    ...spatial.map(({ correlation }) => Math.abs(correlation)),
  );
  const independent = spatial.every(({ correlation, pairs }) =>
    Math.abs(correlation) < Math.max(MAX_CORRELATION, 4 / Math.sqrt(pairs))
  );
  const drawn = kernels.every(({ kurtosis, weights, filter }) =>
    weights < MIN_WEIGHTS || filter < MIN_FILTER ||
    kurtosis > KURTOSIS.min && kurtosis < KURTOSIS.max
  );
  const measured = `neighbouring weights of its kernels correlate by up to ${
    strongest.toFixed(2)
  }`;
  return independent && drawn
    ? verdict(true, `${measured}, as only random numbers do`)
    : verdict(false, measured);
}

interface KernelStatistics {
  /** Correlation of horizontal neighbours. */
  readonly correlation: number;
  /** Fourth standardised moment. */
  readonly kurtosis: number;
  /** Pairs of neighbours looked at. */
  readonly pairs: number;
  /** Weights looked at. */
  readonly weights: number;
  /** Weights of one filter. */
  readonly filter: number;
}

/** Statistics of a kernel tensor `[M, C, kH, kW]`, each filter standardised by itself. */
function measure(
  { data, shape }: FloatTensor,
): KernelStatistics {
  const [filters, channels, height, width] = shape as [
    number,
    number,
    number,
    number,
  ];
  const size = channels * height * width;
  const count = Math.min(filters, Math.max(1, Math.floor(MAX_WEIGHTS / size)));
  let products = 0;
  let fourth = 0;
  let pairs = 0;
  let weights = 0;
  for (let filter = 0; filter < count; filter++) {
    const values = data.subarray(filter * size, (filter + 1) * size);
    const { mean, deviation } = momentsOf(values);
    if (deviation === 0) continue;
    weights += size;
    for (let i = 0; i < size; i++) {
      const z = (values[i]! - mean) / deviation;
      fourth += z ** 4;
      if (i % width === width - 1) continue;
      products += z * (values[i + 1]! - mean) / deviation;
      pairs++;
    }
  }
  return {
    correlation: products / pairs,
    kurtosis: fourth / weights,
    pairs,
    weights,
    filter: size,
  };
}

function momentsOf(
  values: Float32Array,
): { mean: number; deviation: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}
