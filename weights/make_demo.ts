/**
 * Writes `weights/demo.onnx`, the backbone of the `demo` command: three levels
 * of fixed filters, nothing learned. Oriented Gabor filters, colour opponents
 * and blobs; then averages of their magnitudes and how these vary in turn
 * (second-order scattering); then seeded mixtures.
 *
 *     deno run -A weights/make_demo.ts [FILE]
 *
 * Every weight follows from this file, so the bytes are always the same.
 *
 * @module
 */
import type { Graph, GraphNode, HostTensor } from "../src/nn/graph.ts";
import { writeOnnx } from "../src/nn/onnx/write.ts";
import { Mt19937 } from "../src/core/settings/random.ts";

/** Neighbouring pixels' correlation that filters are scaled for. */
const PIXEL_CORRELATION = 0.95;
/** The same for the responses of the first level. */
const RESPONSE_CORRELATION = 0.7;
const ORIENTATIONS = 8;
const MIXTURES = 128;
const MIXED = 8;
const COLOUR_GAIN = 1.5;
const LUMINANCE = [1 / 3, 1 / 3, 1 / 3];
const RED_GREEN = [COLOUR_GAIN, -COLOUR_GAIN, 0];
const BLUE_YELLOW = [-COLOUR_GAIN / 3, -COLOUR_GAIN / 3, COLOUR_GAIN];

interface Filter {
  readonly size: number;
  readonly weights: Float64Array;
}

/** A filter of the first level, and which others measure the same thing. */
interface First {
  readonly weights: Float64Array;
  readonly group: string;
}

function filter(
  size: number,
  at: (x: number, y: number) => number,
): Filter {
  const half = (size - 1) / 2;
  const weights = new Float64Array(size * size);
  for (let i = 0; i < weights.length; i++) {
    weights[i] = at(i % size - half, Math.floor(i / size) - half);
  }
  return { size, weights };
}

/** Takes a Gaussian off, so that constant images give 0. */
function balanced({ size, weights }: Filter): Filter {
  const window = blob(size, size / 4).weights;
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  const share = sum(weights) / sum(window);
  return { size, weights: weights.map((w, i) => w - share * window[i]) };
}

function blob(size: number, sigma: number): Filter {
  return filter(size, (x, y) => Math.exp(-(x * x + y * y) / (2 * sigma ** 2)));
}

function gabor(
  size: number,
  wavelength: number,
  sigma: number,
  angle: number,
  phase: number,
): Filter {
  return balanced(filter(size, (x, y) => {
    const u = x * Math.cos(angle) + y * Math.sin(angle);
    const v = y * Math.cos(angle) - x * Math.sin(angle);
    const envelope = Math.exp(-(u * u + 0.49 * v * v) / (2 * sigma ** 2));
    return envelope * Math.cos(2 * Math.PI * u / wavelength + phase);
  }));
}

/** Scales a filter to unit variance on values of the given correlation. */
function unit({ size, weights }: Filter, correlation: number): Filter {
  let variance = 0;
  for (let i = 0; i < weights.length; i++) {
    for (let j = 0; j < weights.length; j++) {
      const x = i % size - j % size;
      const y = Math.floor(i / size) - Math.floor(j / size);
      variance += weights[i] * weights[j] * correlation ** Math.hypot(x, y);
    }
  }
  const scale = 1 / Math.sqrt(variance);
  return { size, weights: weights.map((w) => w * scale) };
}

function average(size: number): Filter {
  const { weights } = blob(size, 0.8);
  const sum = weights.reduce((a, b) => a + b, 0);
  return { size, weights: weights.map((w) => w / sum) };
}

function onColours(
  { weights }: Filter,
  colours: readonly number[],
  sign: number,
): Float64Array {
  return Float64Array.from(
    { length: 3 * weights.length },
    (_, i) =>
      sign * colours[Math.floor(i / weights.length)] *
      weights[i % weights.length],
  );
}

function firstLevel(): First[] {
  const level: First[] = [];
  const add = (
    shape: Filter,
    colours: readonly number[],
    group: (sign: number) => string,
  ): void => {
    const scaled = unit(shape, PIXEL_CORRELATION);
    for (const sign of [1, -1]) {
      const weights = onColours(scaled, colours, sign);
      level.push({ weights, group: group(sign) });
    }
  };
  for (let i = 0; i < ORIENTATIONS; i++) {
    const angle = Math.PI * i / ORIENTATIONS;
    for (const phase of [0, Math.PI / 2]) {
      add(gabor(7, 4.2, 1.6, angle, phase), LUMINANCE, () => `fine ${i}`);
    }
  }
  for (let i = 0; i < 4; i++) {
    const edge = gabor(7, 8, 2.4, Math.PI * i / 4, Math.PI / 2);
    add(edge, LUMINANCE, () => `edge ${i}`);
    add(edge, RED_GREEN, () => `colour edge ${i}`);
  }
  for (const colours of [LUMINANCE, RED_GREEN, BLUE_YELLOW]) {
    add(blob(7, 1.5), colours, (sign) => `blob ${colours} ${sign}`);
  }
  const spot = filter(7, (x, y) => {
    const r = x * x + y * y;
    return Math.exp(-r / 2) - Math.exp(-r / 8) / 4;
  });
  add(balanced(spot), LUMINANCE, (sign) => `spot ${sign}`);
  return level;
}

/** Spreads one filter over several input channels, equally. */
function spread(
  channels: readonly number[],
  inputs: number,
  { weights }: Filter,
  sign = 1,
): Float64Array {
  const result = new Float64Array(inputs * weights.length);
  for (const channel of channels) {
    weights.forEach((w, i) => {
      result[channel * weights.length + i] = sign * w / channels.length;
    });
  }
  return result;
}

/** Averages of each channel and each group, then how the groups vary. */
function secondLevel(first: readonly First[]): {
  filters: Float64Array[];
  averages: number;
} {
  const inputs = first.length;
  const groups = new Map<string, number[]>();
  first.forEach(({ group }, i) => {
    groups.set(group, [...groups.get(group) ?? [], i]);
  });
  const filters = first.map((_, i) => spread([i], inputs, average(3)));
  for (const channels of groups.values()) {
    if (channels.length > 1) filters.push(spread(channels, inputs, average(3)));
  }
  const averages = filters.length;
  for (const [group, channels] of groups) {
    if (!group.startsWith("fine")) continue;
    for (let i = 0; i < 4; i++) {
      const shape = gabor(3, 4.8, 0.94, Math.PI * i / 4, Math.PI / 2);
      const varying = unit(shape, RESPONSE_CORRELATION);
      for (const sign of [1, -1]) {
        filters.push(spread(channels, inputs, varying, sign));
      }
    }
  }
  return { filters, averages };
}

/** Wider averages, and seeded mixtures of everything. */
function thirdLevel(inputs: number, averages: number): Float64Array[] {
  const random = new Mt19937(1);
  const filters = Array.from(
    { length: averages },
    (_, i) => spread([i], inputs, average(3)),
  );
  for (let m = 0; m < MIXTURES; m++) {
    const mixture = new Float64Array(inputs * 9);
    for (let n = 0; n < MIXED; n++) {
      const channel = random.below(inputs);
      const angle = random.float64() * Math.PI;
      const shape = random.below(2) === 0
        ? average(3)
        : gabor(3, 4.8, 0.94, angle, Math.PI / 2);
      const gain = random.normal() / Math.sqrt(MIXED);
      unit(shape, RESPONSE_CORRELATION).weights.forEach((w, i) => {
        mixture[channel * 9 + i] += gain * w;
      });
    }
    filters.push(mixture);
  }
  return filters;
}

/** The demo's backbone as the bytes of its ONNX file, weights in float16. */
export function makeDemoBackbone(): Uint8Array<ArrayBuffer> {
  const nodes: GraphNode[] = [];
  const constants = new Map<string, HostTensor>();
  const level = (
    name: string,
    input: string,
    size: number,
    filters: readonly Float64Array[],
  ): string => {
    const channels = filters[0].length / size ** 2;
    const data = Float32Array.from(filters.flatMap((f) => Array.from(f)));
    constants.set(`${name}.weight`, {
      dtype: "float32",
      shape: [filters.length, channels, size, size],
      data,
    });
    const half = (size - 1) / 2;
    nodes.push({
      name,
      op: "Conv",
      inputs: [input, `${name}.weight`],
      outputs: [`${name}_response`],
      attributes: {
        kernel_shape: [size, size],
        strides: [2, 2],
        pads: [half, half, half, half],
      },
    }, {
      name: `${name}_rectified`,
      op: "Relu",
      inputs: [`${name}_response`],
      outputs: [`${name}_output`],
      attributes: {},
    });
    return `${name}_output`;
  };
  const first = firstLevel();
  const second = secondLevel(first);
  const third = thirdLevel(second.filters.length, second.averages);
  const responses = level("conv1", "input", 7, first.map((f) => f.weights));
  nodes.push({
    name: "pool",
    op: "AveragePool",
    inputs: [responses],
    outputs: ["pooled"],
    attributes: {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
    },
  });
  const textures = level("conv2", "pooled", 3, second.filters);
  const output = level("conv3", textures, 3, third);
  const graph: Graph = {
    name: "demo",
    inputs: [{
      name: "input",
      dtype: "float32",
      shape: ["n", 3, "height", "width"],
    }],
    outputs: [output],
    nodes,
    constants,
    opset: 17,
    metadata: new Map([[
      "demo",
      "fixed filters for the demo command; real parts need trained weights",
    ]]),
    producer: "@patchcore/webgpu",
  };
  return writeOnnx(graph, { precision: "f16" });
}

if (import.meta.main) {
  const target = Deno.args[0] ?? new URL("demo.onnx", import.meta.url);
  await Deno.writeFile(target, makeDemoBackbone());
}
