import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Gpu } from "../../../src/gpu/mod.ts";
import type { ConvTile } from "../../../src/nn/conv_tile.ts";
import { cutGraph } from "../../../src/nn/cut.ts";
import { optimizeGraph } from "../../../src/nn/fusion.ts";
import type { FloatTensor, Graph } from "../../../src/nn/graph.ts";
import { toNhwc } from "../../../src/nn/layout.ts";
import { OnnxError } from "../../../src/nn/onnx/errors.ts";
import { planNetwork } from "../../../src/nn/plan.ts";
import { ConstantStore, Session } from "../../../src/nn/session.ts";
import { recogniseTransformer } from "../../../src/nn/transformer/recognise.ts";
import { interpret } from "../../reference/interpreter.ts";
import { gpuTest, sharedTest } from "../../testing.ts";
import { readActivations, readModelFile } from "../model_files.ts";

/** Of the largest value. */
const TOLERANCE = 2e-5;

interface Golden {
  /** File without `.onnx`. */
  readonly file: string;
  /** Patches' sides and tokens before them. */
  readonly patch: number;
  readonly prefix: number;
  /** Which recorded tensors have the prefix of this name. */
  readonly of?: string;
  /** Blocks whose results are recorded before and after the final normalisation. */
  readonly blocks?: number;
  /** Recorded tensors after the final normalisation, by block. */
  readonly last?: Readonly<Record<number, string>>;
  /** Which image goes with them. */
  readonly input?: string;
  /** Of the largest value, where weights are float16. */
  readonly tolerance?: number;
}

const GOLDENS: readonly Golden[] = [
  { file: "dinov2.op14", patch: 14, prefix: 1, blocks: 3 },
  {
    file: "dinov2.op17.f16",
    ...{ patch: 14, prefix: 1 },
    last: { 2: "f16weights.block2.normed" },
    tolerance: 3e-3,
  },
  {
    file: "dinov2_hf.op14",
    ...{ patch: 14, prefix: 1 },
    last: { 1: "last_hidden_state" },
  },
  {
    file: "dinov2_hf.op14",
    ...{ patch: 14, prefix: 1, of: "batch", input: "batch.input" },
    last: { 1: "batch.last_hidden_state" },
  },
  {
    file: "dinov2_hf.ort.f16",
    ...{ patch: 14, prefix: 1, tolerance: 3e-3 },
    last: { 1: "last_hidden_state" },
  },
  { file: "dinov2_reg.op14", patch: 14, prefix: 5, blocks: 2 },
  { file: "dinov2_swiglu.op17", patch: 14, prefix: 1, blocks: 2 },
  { file: "dinov3.op17", patch: 16, prefix: 5, blocks: 2 },
  {
    file: "dinov3_plus.dynamo",
    ...{ patch: 16, prefix: 5 },
    last: { 1: "exact_periods.block1.normed" },
  },
  { file: "torchvision.op14", patch: 16, prefix: 1, blocks: 2 },
  { file: "clip.op14", patch: 16, prefix: 1, blocks: 2 },
];

/** A recorded tensor, and the network's that has to equal it. */
interface Comparison {
  readonly tensor: string;
  readonly expected: FloatTensor;
  /** Tokens before the patches that the network's leaves out. */
  readonly skip: number;
}

function comparisonsOf(
  graph: Graph,
  { prefix, blocks = 0, last = {} }: Golden,
  recorded: ReadonlyMap<string, FloatTensor>,
): Comparison[] {
  const facts = graph.transformer!;
  const normed = Object.entries<string>({
    ...Object.fromEntries(
      Array.from({ length: blocks }, (_, i) => [i, `block${i}.normed`]),
    ),
    ...last,
  });
  return [
    ...Array.from({ length: blocks }, (_, i) => [
      {
        tensor: facts.blocks[i]!.tokens,
        expected: recorded.get(`block${i}`)!,
        skip: 0,
      },
      {
        tensor: facts.blocks[i]!.map,
        expected: recorded.get(`block${i}`)!,
        skip: prefix,
      },
    ]).flat(),
    ...normed.map(([i, name]) => ({
      tensor: facts.blocks[Number(i)]!.normed!,
      expected: recorded.get(String(name))!,
      skip: prefix,
    })),
  ];
}

/** The largest difference of `[N, D, …]` and `[N, T, D]`, of the largest value. */
function worstOf(
  actual: ArrayLike<number>,
  { expected: { shape, data }, skip }: Comparison,
): number {
  const [images = 0, tokens = 0, channels = 0] = shape;
  const kept = tokens - skip;
  assertEquals(actual.length, images * kept * channels);
  let worst = 0;
  let largest = 0;
  for (let n = 0; n < images; n++) {
    for (let t = 0; t < kept; t++) {
      for (let c = 0; c < channels; c++) {
        const a = actual[(n * channels + c) * kept + t]!;
        const e = data[(n * tokens + skip + t) * channels + c]!;
        worst = Math.max(worst, Math.abs(a - e));
        largest = Math.max(largest, Math.abs(e));
      }
    }
  }
  return worst / largest;
}

async function load(
  folder: string,
  golden: Golden,
): Promise<
  { graph: Graph; image: FloatTensor; comparisons: readonly Comparison[] }
> {
  const { file, input = "input" } = golden;
  const graph = recogniseTransformer(
    await readModelFile(`${folder}/${file}.onnx`),
  );
  const [network] = file.split(".");
  const { tensors } = await readActivations(
    `${folder}/${network}.activations.safetensors`,
  );
  const comparisons = comparisonsOf(graph, golden, tensors);
  const cut = cutGraph(graph, comparisons.map(({ tensor }) => tensor));
  return {
    graph: optimizeGraph(cut),
    image: tensors.get(input)!,
    comparisons,
  };
}

for (const golden of GOLDENS) {
  const { file, patch, prefix, of = "", tolerance = TOLERANCE } = golden;
  sharedTest(
    `recogniseTransformer() finds the blocks of ${file} ${of}`,
    async (_t, shared) => {
      const { graph, image, comparisons } = await load(
        shared("golden", "vit"),
        golden,
      );
      const facts = graph.transformer!;
      assertEquals(facts.patch, [patch, patch]);
      assertEquals(facts.prefix, prefix);
      const tensors = interpret(graph, image);
      for (const comparison of comparisons) {
        const { data } = tensors.get(comparison.tensor)!;
        const worst = worstOf(data as Float32Array, comparison);
        assert(worst <= tolerance, `${comparison.tensor}: ${worst}`);
      }
    },
  );

  gpuTest(
    `every tile computes the blocks of ${file} ${of}`,
    async (gpu, t, shared) => {
      const loaded = await load(shared("golden", "vit"), golden);
      const tiles: readonly ConvTile[] = [
        "plain",
        "direct",
        "shared",
        "subgroup8",
      ];
      for (const tile of tiles) {
        for (const precision of ["f32", "f16"] as const) {
          // One network's weights in float16 are enough; each form compiles anew.
          if (precision === "f16" && golden !== GOLDENS[0]) continue;
          await t.step({
            name: `${tile} ${precision}`,
            ignore: tile === "subgroup8" && gpu.subgroupSize !== 8,
            fn: () =>
              run(gpu, loaded, {
                tile,
                precision,
                tolerance: precision === "f16" ? 6e-3 : tolerance,
              }),
          });
        }
      }
    },
    { shared: true },
  );
}

async function run(
  gpu: Gpu,
  { graph, image, comparisons }: Awaited<ReturnType<typeof load>>,
  { tile, precision, tolerance }: {
    readonly tile: ConvTile;
    readonly precision: "f32" | "f16";
    readonly tolerance: number;
  },
): Promise<void> {
  const plan = planNetwork(graph, image.shape, { tile, precision });
  using constants = new ConstantStore(gpu);
  using session = await Session.create(gpu, plan, graph.outputs, constants);
  gpu.write(session.input, toNhwc(image.data, image.shape));
  session.program.run();
  for (const comparison of comparisons) {
    const worst = worstOf(await session.read(comparison.tensor), comparison);
    assert(worst <= tolerance, `${comparison.tensor}: ${worst}`);
  }
}

sharedTest(
  "recogniseTransformer() refuses 8 bits by name",
  async (_t, shared) => {
    const file = shared("golden", "vit", "dinov2_hf.q8.onnx");
    const graph = await readModelFile(file);
    assertThrows(
      () => recogniseTransformer(graph),
      OnnxError,
      "the network is quantised to integers, which is not supported; give its file in float32 or float16",
    );
  },
);

sharedTest(
  "a transformer takes whole patches, and its own size alone where positions are fixed",
  async (_t, shared) => {
    const target = { tile: "direct", precision: "f32" } as const;
    const read = async (file: string) =>
      recogniseTransformer(
        await readModelFile(shared("golden", "vit", `${file}.onnx`)),
      );
    const free = await read("dinov2_hf.op14");
    for (const image of [[1, 3, 14, 28], [3, 3, 126, 42]]) {
      const { shapes } = planNetwork(optimizeGraph(free), image, target);
      assertEquals(shapes.get(free.outputs[0]!), [
        image[0]!,
        32,
        image[2]! / 14,
        image[3]! / 14,
      ]);
    }
    assertThrows(
      () => planNetwork(free, [1, 3, 70, 100], target),
      OnnxError,
      "Cannot run the network on images of 100 × 70 pixels: it cuts them into patches of 14 × 14; give a multiple of 14",
    );
    const fixed = await read("dinov2.op14");
    planNetwork(optimizeGraph(fixed), [4, 3, 70, 98], target);
    assertThrows(
      () => planNetwork(fixed, [1, 3, 98, 70], target),
      OnnxError,
      "its file holds the positions of 7 × 5 patches alone, of images of 98 × 70",
    );
    const rotary = await read("dinov3.op17");
    assertThrows(
      () => planNetwork(rotary, [1, 3, 112, 80], target),
      OnnxError,
      "holds the positions of 7 × 5 patches",
    );
  },
);

sharedTest(
  "a transformer's memory grows with its tokens, not with their square",
  async (_t, shared) => {
    const file = shared("golden", "vit", "dinov2_hf.op14.onnx");
    const graph = optimizeGraph(
      recogniseTransformer(await readModelFile(file)),
    );
    const target = { tile: "shared", precision: "f32" } as const;
    const bytesAt = (side: number): number =>
      planNetwork(graph, [1, 3, side, side], target).memory.buffers
        .reduce((a, b) => a + b, 0);
    const perToken = [448, 672, 1008].map((side) =>
      bytesAt(side) / ((side / 14) ** 2 + 1)
    );
    const [first] = perToken as [number];
    for (const bytes of perToken) {
      assert(Math.abs(bytes / first - 1) < 0.01, `${perToken}`);
    }
  },
);
