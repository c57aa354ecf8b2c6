/**
 * What the adapter can do at most, measured by kernels that do nothing else:
 * float32 multiply-adds in registers, and copying memory.
 *
 * `deno run -A bench/peak.ts`
 */
import { Gpu, Profiler, type Program } from "../src/gpu/mod.ts";
import { expand } from "../src/wgsl/expand.ts";
import type { Kernel } from "../src/wgsl/kernel.ts";
import copySource from "./peak_copy.wgsl" with { type: "text" };
import fmaSource from "./peak_fma.wgsl" with { type: "text" };

/** An adapter's own limits. */
export interface Peak {
  /** Float32 GFLOP/s, two operations a multiply-add. */
  readonly gflops: number;
  /** GB/s, bytes read and bytes written together. */
  readonly gigabytes: number;
}

interface FmaSizes {
  readonly workgroups: number;
  readonly turns: number;
}

const fma: Kernel<FmaSizes> = {
  name: "peak_fma",
  source: expand(fmaSource),
  bindings: { y: "read_write" },
  params: { turns: "u32", factor: "f32", summand: "f32" },
  overrides: {},
  plan: ({ workgroups, turns }) => ({
    params: { turns, factor: 0.999, summand: 0.001 },
    workgroups: [workgroups, 1, 1],
  }),
};

const copy: Kernel<{ readonly workgroups: number }> = {
  name: "peak_copy",
  source: copySource,
  bindings: { x: "read", y: "read_write" },
  params: {},
  overrides: {},
  plan: ({ workgroups }) => ({ params: {}, workgroups: [workgroups, 1, 1] }),
};

const FLOPS_PER_TURN = 384;
const LANES = 64;
const FMA_WORKGROUPS = 8192;
const COPY_WORKGROUPS = 32_768;

/** Runs the two kernels; made once, measured as often as wanted. */
export class PeakProbe implements Disposable {
  readonly #gpu: Gpu;
  readonly #scope: DisposableStack;
  readonly #fma: Program;
  readonly #copy: Program;
  readonly #turns: number;

  private constructor(
    gpu: Gpu,
    scope: DisposableStack,
    programs: readonly [Program, Program],
    turns: number,
  ) {
    this.#gpu = gpu;
    this.#scope = scope;
    [this.#fma, this.#copy] = programs;
    this.#turns = turns;
  }

  /** Compiles the kernels and finds out how long the arithmetic has to run. */
  static async create(gpu: Gpu): Promise<PeakProbe> {
    const scope = new DisposableStack();
    const elements = 4 * LANES * COPY_WORKGROUPS;
    const x = scope.use(gpu.upload(new Float32Array(elements)));
    const y = scope.use(gpu.tensor([elements]));
    const arithmetic = (turns: number): Promise<Program> =>
      scope.use(gpu.program("peak arithmetic"))
        .dispatch(fma, { workgroups: FMA_WORKGROUPS, turns }, { y }).compile();
    const copying = await scope.use(gpu.program("peak memory"))
      .dispatch(copy, { workgroups: COPY_WORKGROUPS }, { x, y }).compile();
    let turns = 4;
    let program = await arithmetic(turns);
    await gpuMilliseconds(gpu, program);
    while (await gpuMilliseconds(gpu, program) < 20 && turns < 2 ** 20) {
      turns *= 2;
      program = await arithmetic(turns);
    }
    return new PeakProbe(gpu, scope, [program, copying], turns);
  }

  /** One measurement. */
  async measure(): Promise<Peak> {
    const flops = FMA_WORKGROUPS * LANES * this.#turns * FLOPS_PER_TURN;
    const bytes = 2 * 4 * 4 * LANES * COPY_WORKGROUPS;
    const arithmetic = await gpuMilliseconds(this.#gpu, this.#fma);
    const memory = await gpuMilliseconds(this.#gpu, this.#copy);
    return {
      gflops: flops / arithmetic / 1e6,
      gigabytes: bytes / memory / 1e6,
    };
  }

  /** Frees the kernels' memory. */
  dispose(): void {
    this.#scope.dispose();
  }

  /** Same as {@linkcode PeakProbe.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** GPU time of one run by timestamps. */
async function gpuMilliseconds(gpu: Gpu, program: Program): Promise<number> {
  const profiler = new Profiler(gpu);
  gpu.profiler = profiler;
  program.run();
  gpu.profiler = undefined;
  return (await profiler.report()).reduce((sum, { ms }) => sum + ms, 0);
}

if (import.meta.main) {
  using gpu = await Gpu.create();
  using probe = await PeakProbe.create(gpu);
  const peaks: Peak[] = [];
  for (let round = 0; round < 9; round++) peaks.push(await probe.measure());
  const gflops = peaks.map((peak) => peak.gflops);
  const gigabytes = peaks.map((peak) => peak.gigabytes);
  const line = (values: number[], unit: string): string => {
    const sorted = values.toSorted((a, b) => a - b);
    const [low, middle, high] = [0, 4, 8].map((i) => sorted[i]!.toFixed(1));
    return `${middle} ${unit} (${low} to ${high})`;
  };
  console.log(gpu.adapterName);
  console.log(`float32   ${line(gflops, "GFLOP/s")}`);
  console.log(`memory    ${line(gigabytes, "GB/s")}`);
}
