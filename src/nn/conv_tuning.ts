import { type Gpu, type Program, StageClock, type Tensor } from "../gpu/mod.ts";
import {
  convCandidates,
  type ConvChoice,
  type ConvProblem,
  type ConvTarget,
  formatChoice,
  parseChoice,
  problemKey,
} from "./conv_choice.ts";
import type { Graph } from "./graph.ts";
import { planNetwork } from "./plan.ts";
import { ConstantStore, Session } from "./session.ts";

/** Where choices are kept between runs. */
export interface TuningStore {
  /** The choices of an adapter by problem; nothing where there are none. */
  load(adapter: string): Promise<Readonly<Record<string, string>>>;
  /** Adds choices to those of an adapter. */
  save(
    adapter: string,
    choices: Readonly<Record<string, string>>,
  ): Promise<void>;
}

/** Options of {@linkcode ConvTuning}. */
export interface ConvTuningOptions {
  /** Where choices come from and go to; by default they are forgotten. */
  readonly store?: TuningStore;
  /** Milliseconds that one network may take, 2000 by default. */
  readonly budget?: number;
}

/** Rounds in which candidates are measured in turn; the best one counts. */
const ROUNDS = 3;
/** A candidate this much slower than the default in the first round is out. */
const HOPELESS = 1.5;
/** How much less time than the default's a candidate has to take. */
const WORTHWHILE = 0.9;
/** Images that tell enough of a CPU, which is busy with few. */
const CPU_IMAGES = 2;
/** Operations below which a network is too small for choices to matter. */
const LEAST_FLOPS = 1e9;

/**
 * Measures which kernel does each convolution best on an adapter, once: what
 * was measured is kept, also that the default is best. A choice other than the
 * default has to be clearly better, so that noise decides nothing.
 */
export class ConvTuning {
  readonly #gpu: Gpu;
  readonly #store: TuningStore | undefined;
  readonly #budget: number;
  readonly #adapter: string;
  readonly #choices = new Map<string, ConvChoice>();
  #loaded: Promise<void> | undefined;

  /**
   * Nothing is measured until a network is about to run.
   *
   * @param options Where choices are kept, and how long measuring may take.
   */
  constructor(gpu: Gpu, { store, budget = 2000 }: ConvTuningOptions = {}) {
    this.#gpu = gpu;
    this.#store = store;
    this.#budget = budget;
    this.#adapter = adapterKey(gpu);
  }

  /** What is known by now, by problem. */
  get choices(): ReadonlyMap<string, ConvChoice> {
    return this.#choices;
  }

  /** Fetches what was measured in earlier runs. */
  load(): Promise<void> {
    return this.#loaded ??= this.#load();
  }

  async #load(): Promise<void> {
    const known = await this.#store?.load(this.#adapter) ?? {};
    for (const [key, text] of Object.entries(known)) {
      const choice = parseChoice(text);
      if (choice !== undefined) this.#choices.set(key, choice);
    }
  }

  /**
   * Measures the problems that are not known yet, the largest first; those left
   * when the time is over keep their default.
   *
   * @param problems Convolutions of a network, by key.
   * @param target The default tile and the precision.
   */
  async measure(
    problems: ReadonlyMap<string, ConvProblem>,
    { tile, precision }: ConvTarget,
  ): Promise<void> {
    await this.load();
    const flops = [...problems.values()].reduce(
      (sum, p) => sum + flopsOf(p),
      0,
    );
    const unknown = [...problems]
      .filter(([key]) => !this.#choices.has(key))
      .sort(([, a], [, b]) => flopsOf(b) - flopsOf(a));
    if (unknown.length === 0 || flops < LEAST_FLOPS) return;
    if (tile === "plain" || this.#gpu.isDry) return;
    const gpu = this.#gpu;
    const { profiler } = gpu;
    gpu.profiler = undefined;
    const end = performance.now() + this.#budget;
    const found: Record<string, string> = {};
    try {
      for (const [key, problem] of unknown) {
        const candidates = convCandidates(tile, problem);
        const choice = performance.now() < end
          ? await fastest(gpu, { tile, precision }, problem, candidates, end)
          : candidates[0];
        this.#choices.set(key, choice);
        found[key] = formatChoice(choice);
      }
    } finally {
      gpu.profiler = profiler;
      gpu.pool.trim();
    }
    await this.#store?.save(this.#adapter, found);
  }
}

/** What an adapter and its driver say of themselves. */
function adapterKey({ adapterInfo, subgroupSize }: Gpu): string {
  const { vendor, architecture, device, description } = adapterInfo;
  return [vendor, architecture, device, description, subgroupSize].join(" ")
    .replaceAll(/\s+/g, " ").trim();
}

function flopsOf(problem: ConvProblem): number {
  const { images, output, kernel, inputChannels4, outputChannels4 } = problem;
  return 32 * images * output[0] * output[1] * kernel[0] * kernel[1] *
    inputChannels4 * outputChannels4;
}

interface Candidate {
  readonly choice: ConvChoice;
  readonly session: Session;
  best: number;
}

async function fastest(
  gpu: Gpu,
  target: ConvTarget,
  problem: ConvProblem,
  choices: readonly [ConvChoice, ...ConvChoice[]],
  end: number,
): Promise<ConvChoice> {
  using scope = new DisposableStack();
  const few = Math.min(problem.images, CPU_IMAGES);
  const images = target.tile === "subgroup8" ? few : problem.images;
  const { graph, image } = singleConvolution({ ...problem, images });
  const clock = StageClock.create(gpu, 1);
  if (clock !== undefined) scope.use(clock);
  const key = problemKey(problem, target);
  const constants = scope.use(new ConstantStore(gpu, true));
  const candidates: Candidate[] = [];
  for (const choice of choices) {
    const plan = planNetwork(graph, image, {
      ...target,
      choices: new Map([[key, choice]]),
    });
    const session = scope.use(
      await Session.create(gpu, plan, graph.outputs, constants),
    );
    candidates.push({ choice, session, best: Infinity });
  }
  const [fallback] = candidates as [Candidate, ...Candidate[]];
  let open: readonly Candidate[] = candidates;
  for (let round = 0; round <= ROUNDS; round++) {
    for (const candidate of open) {
      if (performance.now() > end) return fallback.choice;
      const { program, taps } = candidate.session;
      const ms = await time(gpu, program, taps.get("y")!, clock);
      // The first round compiles.
      if (round > 0) candidate.best = Math.min(candidate.best, ms);
    }
    open = candidates.filter(({ best }) => best <= fallback.best * HOPELESS);
  }
  const best = candidates.reduce((a, b) => b.best < a.best ? b : a);
  return best.best < fallback.best * WORTHWHILE ? best.choice : fallback.choice;
}

/** Milliseconds by timestamps, by the clock on the wall without those. */
async function time(
  gpu: Gpu,
  program: Program,
  output: Tensor,
  clock: StageClock | undefined,
): Promise<number> {
  const start = performance.now();
  gpu.submit([program], clock);
  if (clock === undefined) {
    await gpu.readBuffer(output.buffer, 4);
    return performance.now() - start;
  }
  const ticks = await gpu.read(clock.ticks);
  return clock.milliseconds(ticks as Uint32Array)[0]!;
}

/** A network of nothing but the convolution, with weights yet to come. */
function singleConvolution(
  { images, input, output, ...problem }: ConvProblem,
): { graph: Graph; image: readonly number[] } {
  const { kernel, strides, dilations } = problem;
  const channels = problem.inputChannels4 * 4;
  const outputs = problem.outputChannels4 * 4;
  const shape = [outputs, channels, ...kernel];
  const missing = [0, 1].map((axis) =>
    Math.max(
      0,
      (output[axis]! - 1) * strides[axis]! +
        dilations[axis]! * (kernel[axis]! - 1) + 1 - input[axis]!,
    )
  );
  const before = missing.map((count) => count >> 1);
  const after = missing.map((count, axis) => count - before[axis]!);
  const image = [images, channels, ...input];
  return {
    image,
    graph: {
      name: "convolution",
      inputs: [{ name: "x", dtype: "float32", shape: image }],
      outputs: ["y"],
      nodes: [{
        name: "convolution",
        op: "Conv",
        inputs: ["x", "w"],
        outputs: ["y"],
        activation: { kind: "relu" },
        attributes: {
          kernel_shape: kernel,
          strides,
          dilations,
          pads: [...before, ...after],
        },
      }],
      constants: new Map([["w", {
        dtype: "float32",
        shape,
        data: new Float32Array(shape.reduce((a, b) => a * b)),
      }]]),
      opset: 13,
      metadata: new Map(),
      producer: "",
    },
  };
}
