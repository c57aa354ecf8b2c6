/**
 * Every convolution of torchvision's ResNet, Wide ResNet, ResNeXt and DenseNet
 * by every kernel that may be chosen for it, against float64 sums at sampled
 * places.
 *
 * By default a sample of the shapes with few pixels;
 * `PATCHCORE_ALL_SHAPES=1 deno test -A tests/nn/family_shapes_test.ts` takes all
 * of them as they are at 224 × 224.
 */
import { assert } from "@std/assert";
import type { Gpu } from "../../src/gpu/mod.ts";
import { buildGraph } from "../../src/nn/architectures/architecture.ts";
import {
  architecture,
  ARCHITECTURES,
} from "../../src/nn/architectures/catalogue.ts";
import { numberAttribute } from "../../src/nn/attributes.ts";
import { elementCount, floatTensor } from "../../src/nn/host_tensor.ts";
import {
  convCandidates,
  type ConvChoice,
  convTileFor,
  formatChoice,
  Network,
  type NetworkOptions,
  toNhwc,
} from "../../src/nn/mod.ts";
import { inferShapes } from "../../src/nn/shape_inference.ts";
import { resolveWindow } from "../../src/nn/window.ts";
import { gpuTest, randomFloats, relativeError } from "../testing.ts";
import { floats, graph, model, node, value } from "./model_builder.ts";
import { readOnnx } from "../../src/nn/onnx/read.ts";

interface Layer {
  /** `[O, C / groups, KH, KW]`. */
  readonly weights: readonly number[];
  readonly channels: number;
  readonly size: number;
  readonly stride: number;
  readonly pad: number;
  readonly groups: number;
}

const ALL = Deno.env.get("PATCHCORE_ALL_SHAPES") === "1";
/** One 1 × 1 shape of so many is tested, and none of more weights, unless all are. */
const SAMPLE = 8;
const MOST_WEIGHTS = 1e6;
/** Sides in pixels, unless all shapes are tested as they are. */
const SMALL = 7;
const PLACES = 200;

/** The different convolutions of all convolutional networks. */
function layers(): Layer[] {
  const found = new Map<string, Layer>();
  for (const name of ARCHITECTURES) {
    const whole = architecture(name);
    if (whole.transformer) continue;
    const most = Math.max(
      ...whole.parameters.map((p) => elementCount(p.shape)),
    );
    const zeros = new Float32Array(most);
    const network = buildGraph(
      whole,
      new Map(whole.parameters.map(({ name, shape }) => [
        name,
        floatTensor(shape, zeros.subarray(0, elementCount(shape))),
      ])),
    );
    const { shapes } = inferShapes(network, [1, 3, 224, 224]);
    for (const conv of network.nodes.filter(({ op }) => op === "Conv")) {
      const [, channels = 0, size = 0] = shapes.get(conv.inputs[0]!)!;
      const weights = network.constants.get(conv.inputs[1]!)!.shape;
      const kernel = [weights[2]!, weights[3]!] as const;
      const window = resolveWindow(conv, [size, size], kernel);
      const layer = {
        ...{ weights, channels, size },
        stride: window.strides[0],
        pad: window.padsBegin[0],
        groups: numberAttribute(conv, "group", 1),
      };
      const { size: _, ...shape } = layer;
      found.set(JSON.stringify(ALL ? layer : shape), layer);
    }
  }
  return [...found.values()];
}

function describe({ weights, channels, size, stride, groups }: Layer): string {
  const [outputs, , height, width] = weights;
  return `${height}x${width}/${stride} ${channels} to ${outputs} in ${groups} at ${size}`;
}

/** Outputs `[O, OH, OW]` at some places, in float64. */
function sums(
  layer: Layer,
  x: Float32Array,
  w: Float32Array,
  places: readonly number[],
  side: number,
): Float64Array {
  const { channels, size, stride, pad, groups } = layer;
  const [outputs = 0, inputs = 0, height = 0, width = 0] = layer.weights;
  return Float64Array.from(places, (place) => {
    const o = Math.floor(place / side ** 2);
    const oy = Math.floor(place / side) % side;
    const ox = place % side;
    const first = Math.floor(o / (outputs / groups)) * (channels / groups);
    let sum = 0;
    for (let c = 0; c < inputs; c++) {
      for (let ky = 0; ky < height; ky++) {
        const iy = oy * stride - pad + ky;
        for (let kx = 0; kx < width; kx++) {
          const ix = ox * stride - pad + kx;
          if (iy < 0 || ix < 0 || iy >= size || ix >= size) continue;
          sum += x[((first + c) * size + iy) * size + ix]! *
            w[((o * inputs + c) * height + ky) * width + kx]!;
        }
      }
    }
    return sum;
  });
}

async function check(gpu: Gpu, layer: Layer): Promise<void> {
  const { weights: shape, channels, size, stride, pad, groups } = layer;
  const image = [1, channels, size, size];
  const x = randomFloats(1, elementCount(image));
  const w = randomFloats(2, elementCount(shape));
  const bytes = model(graph(
    [
      node("Conv", ["x", "w"], ["y"], {
        pads: [pad, pad, pad, pad],
        strides: [stride, stride],
        group: groups,
      }),
    ],
    [floats("w", shape, w)],
    { inputs: [value("x", image)] },
  ));
  const network = await readOnnx(bytes);
  const terms = elementCount(shape.slice(1));
  const side = Math.floor((size + 2 * pad - shape[2]!) / stride) + 1;
  const total = shape[0]! * side ** 2;
  const places = Array.from(
    { length: PLACES },
    (_, i) => (Math.imul(i, 2654435761) >>> 0) % total,
  );
  const expected = sums(layer, x, w, places, side);

  const compare = async (
    options: NetworkOptions,
    variants: readonly (ConvChoice | undefined)[],
    key: string,
  ): Promise<void> => {
    const choices = new Map<string, ConvChoice>();
    using net = new Network(gpu, network, { ...options, choices });
    for (const choice of variants) {
      if (choice !== undefined) choices.set(key, choice);
      using session = await net.session(image);
      gpu.write(session.input, toNhwc(x, image));
      session.program.run();
      const y = await session.read("y");
      const error = relativeError(places.map((i) => y[i]!), expected);
      const bound = options.precision === "f16"
        ? 3e-3
        : choice?.winograd
        ? 2e-5
        : 2e-6 * Math.sqrt(terms);
      const name = choice === undefined ? "grouped" : formatChoice(choice);
      assert(error <= bound, `${name}: relative error ${error} of ${bound}`);
    }
  };
  const own = convTileFor(gpu) as "direct" | "shared" | "subgroup8";
  for (const tile of new Set(["direct", "shared", own] as const)) {
    using planned = new Network(gpu, network, { tile });
    const [entry] = planned.plan(image).problems;
    const variants = entry === undefined
      ? [undefined]
      : convCandidates(tile, entry[1]);
    const key = entry?.[0] ?? "";
    await compare({ tile }, variants, key);
    if (tile !== own || entry === undefined) continue;
    const half = key.replace(/^f32/, "f16");
    await compare({ tile, precision: "f16" }, variants, half);
  }
}

gpuTest(
  "every kernel computes the layers of torchvision's families",
  async (gpu, t) => {
    const all = layers();
    assert(all.length > 100, `found ${all.length} shapes only`);
    const some = ALL
      ? all
      : all.filter(({ weights }) => elementCount(weights) <= MOST_WEIGHTS)
        .filter(({ weights }, i) => weights[2]! > 1 || i % SAMPLE === 0)
        .map((layer) => ({ ...layer, size: SMALL }));
    for (const layer of some) {
      await t.step(describe(layer), () => check(gpu, layer));
    }
  },
);
