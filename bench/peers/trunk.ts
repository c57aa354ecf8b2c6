/**
 * The same backbone, weights and images on this package and on its peers, in
 * turns within one process, so that ratios hold on a noisy machine.
 *
 *     deno run -A --config bench/peers/deno.json bench/peers/trunk.ts \
 *       --model FILE.onnx [--size 224] [--taps layer2,layer3] [--batch 1] \
 *       [--rounds 7] [--threads 2] [--plain] [--web] [--tfjs] [--json]
 *
 * `--plain` adds our simplest correct kernels, `--web` onnxruntime-web and
 * `--tfjs` TensorFlow.js, both by WebGPU on the same adapter.
 *
 * A peer that cannot be started is reported with the reason and left out.
 *
 * @module
 */
import { Gpu } from "../../src/gpu/mod.ts";
import { Network, type NetworkOptions } from "../../src/nn/network.ts";
import { toNhwc } from "../../src/nn/layout.ts";

/** One system under test: runs the backbone once and waits for the result. */
interface Runner {
  readonly name: string;
  run(): Promise<void>;
  /** The deepest output, to compare. */
  output(): Promise<Float32Array>;
}

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Deno.args[at + 1] ?? fallback;
}

const model = option("model", "");
const batch = Number(option("batch", "1"));
const rounds = Number(option("rounds", "7"));
const threads = Number(option("threads", "2"));
if (model === "") throw new Error("Name a backbone: --model FILE.onnx");

const side = Number(option("size", "224"));
const taps = option("taps", "layer2,layer3").split(",");
const shape = [batch, 3, side, side];
const images = new Float32Array(batch * 3 * side * side)
  .map((_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011));

async function ours(
  gpu: Gpu,
  name: string,
  options: NetworkOptions,
): Promise<Runner> {
  const network = await Network.load(gpu, await Deno.readFile(model), {
    taps,
    ...options,
  });
  const session = await network.session(shape);
  const deepest = network.outputs.at(-1)!;
  const tap = session.taps.get(deepest)!;
  gpu.write(session.input, toNhwc(images, shape));
  return {
    name,
    async run() {
      session.program.run();
      await gpu.readBuffer(tap.buffer, 16);
    },
    output: () => session.read(deepest),
  };
}

interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: object): Promise<Record<string, OrtTensor>>;
}

interface OrtTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

interface Ort {
  readonly Tensor: new (
    type: "float32",
    data: Float32Array,
    dims: readonly number[],
  ) => object;
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: object): Promise<OrtSession>;
  };
}

async function onnxruntime(
  name: string,
  ort: Ort,
  file: string | Uint8Array,
  options: object,
): Promise<Runner> {
  const session = await ort.InferenceSession.create(file, options);
  const input = session.inputNames[0]!;
  const feeds = { [input]: new ort.Tensor("float32", images, shape) };
  const deepest = session.outputNames.at(-1)!;
  const run = async () => (await session.run(feeds))[deepest]!;
  return {
    name,
    async run() {
      await run();
    },
    async output() {
      const { data, dims } = await run();
      const values = data as Float32Array;
      return dims.length === 3 ? patchMap(values, dims) : values;
    },
  };
}

/** Tokens `[n, t, d]` as the map of the patches among them, the last ones. */
function patchMap(
  tokens: Float32Array,
  [n = 0, t = 0, d = 0]: readonly number[],
): Float32Array {
  const patches = Math.floor(Math.sqrt(t)) ** 2;
  return Float32Array.from({ length: n * d * patches }, (_, i) => {
    const image = Math.floor(i / (d * patches));
    const channel = Math.floor(i / patches) % d;
    const token = t - patches + i % patches;
    return tokens[(image * t + token) * d + channel]!;
  });
}

async function start(
  name: string,
  open: () => Promise<Runner>,
): Promise<Runner[]> {
  try {
    const runner = await open();
    await runner.run();
    return [runner];
  } catch (error) {
    console.error(
      `${name} left out: ${error instanceof Error ? error.message : error}`,
    );
    return [];
  }
}

const gpu = await Gpu.create();
const runners: Runner[] = [
  ...await start("f32", () => ours(gpu, "ours f32", {})),
  ...await start("f16", () => ours(gpu, "ours f16", { precision: "f16" })),
  ...await start("onnxruntime-node", async () => {
    const { default: ort } = await import("onnxruntime-node");
    return await onnxruntime(
      "onnxruntime-node CPU",
      ort as unknown as Ort,
      model,
      {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      },
    );
  }),
];
if (Deno.args.includes("--plain")) {
  runners.push(
    ...await start(
      "plain",
      () => ours(gpu, "ours, plain kernels", { tile: "plain" }),
    ),
  );
}
if (Deno.args.includes("--tfjs")) {
  runners.push(
    ...await start("TensorFlow.js WebGPU", async () => {
      const { tfjsTrunk } = await import("./tfjs.ts");
      const network = await Network.load(gpu, await Deno.readFile(model), {
        taps,
      });
      const deepest = network.outputs.at(-1)!;
      const trunk = await tfjsTrunk(network.graph, images, shape, deepest);
      return { name: "TensorFlow.js WebGPU", ...trunk };
    }),
  );
}
if (Deno.args.includes("--web")) {
  runners.push(
    ...await start("onnxruntime-web WebGPU", async () => {
      const ort = await import("onnxruntime-web/webgpu");
      return await onnxruntime(
        "onnxruntime-web WebGPU",
        ort as unknown as Ort,
        await Deno.readFile(model),
        { executionProviders: ["webgpu"] },
      );
    }),
  );
}

const times = runners.map(() => [] as number[]);
for (let round = 0; round < rounds; round++) {
  for (const [i, runner] of runners.entries()) {
    const begin = performance.now();
    await runner.run();
    times[i]!.push(performance.now() - begin);
  }
}
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;
const reference = await runners[0]!.output();
const rows = [];
for (const [i, runner] of runners.entries()) {
  const result = await runner.output();
  let difference = 0;
  let norm = 0;
  for (let j = 0; j < reference.length; j++) {
    difference += (result[j]! - reference[j]!) ** 2;
    norm += reference[j]! ** 2;
  }
  rows.push({
    name: runner.name,
    median_ms: Number(median(times[i]!).toFixed(1)),
    min_ms: Number(Math.min(...times[i]!).toFixed(1)),
    ratio_to_ours: Number(
      median(times[i]!.map((ms, j) => ms / times[0]![j]!)).toFixed(3),
    ),
    difference: Number(Math.sqrt(difference / norm).toExponential(1)),
  });
}
if (Deno.args.includes("--json")) {
  console.log(JSON.stringify({ model, batch, adapter: gpu.adapterName, rows }));
} else {
  console.log(`${model}, batch ${batch}, ${gpu.adapterName}, ${rounds} rounds`);
  console.table(rows);
}
Deno.exit(0);
