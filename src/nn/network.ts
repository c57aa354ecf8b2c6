import type { Gpu } from "../gpu/mod.ts";
import type { WeightPrecision } from "../wgsl/conv2d.ts";
import type { ConvChoice, ConvTarget } from "./conv_choice.ts";
import type { ConvTuning } from "./conv_tuning.ts";
import { type ConvTile, convTileFor } from "./conv_tile.ts";
import { cutGraph } from "./cut.ts";
import { optimizeGraph } from "./fusion.ts";
import type { Graph } from "./graph.ts";
import { OnnxError } from "./onnx/errors.ts";
import { readOnnx, type ReadOnnxOptions } from "./onnx/read.ts";
import { type NetworkPlan, planNetwork } from "./plan.ts";
import { ConstantStore, Session } from "./session.ts";
import { nominalShape } from "./shape_inference.ts";
import { resolveTaps, type Tap } from "./taps.ts";
import { recogniseTransformer } from "./transformer/recognise.ts";

/** Options of {@linkcode Network.load}. */
export interface NetworkOptions extends ReadOnnxOptions {
  /**
   * What to tap: levels (`layer1` … `layer4`), tensor or node names. By default
   * the network runs to its outputs.
   */
  readonly taps?: readonly string[];
  /** Register tile of convolutions; by default what suits the adapter. */
  readonly tile?: ConvTile;
  /** Measures which kernels are best; by default they follow the tile. */
  readonly tuning?: ConvTuning;
  /** Which kernels do which convolutions, by the problem's key. */
  readonly choices?: ReadonlyMap<string, ConvChoice>;
  /** How weights are stored, `"f32"` by default; sums are always float32. */
  readonly precision?: WeightPrecision;
}

/**
 * An ONNX network on the GPU, cut at its taps: weights are uploaded once, and
 * a {@linkcode Session} is made for every image size.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 * import { Network } from "@patchcore/webgpu/nn";
 *
 * using gpu = await Gpu.create();
 * const bytes = await Deno.readFile("weights/demo.onnx");
 * using network = await Network.load(gpu, bytes, { taps: ["layer3"] });
 * using session = await network.session([1, 3, 64, 64]);
 * assertEquals(session.shape(network.outputs[0]!).slice(2), [4, 4]);
 * ```
 */
export class Network implements Disposable {
  /** The optimised graph; its outputs are the taps. */
  readonly graph: Graph;
  /** The taps in the order they were asked for; none: the network runs to its end. */
  readonly taps: readonly Tap[];
  /** Names of the tensors that sessions yield: the taps', or the graph's outputs. */
  readonly outputs: readonly string[];
  readonly #gpu: Gpu;
  readonly #target: ConvTarget;
  readonly #tuning: ConvTuning | undefined;
  readonly #constants: ConstantStore;

  /**
   * Optimises a graph that was read before.
   *
   * @param file As `readOnnx` returns it.
   * @throws {OnnxError} If a tap is unknown or an operator is not supported.
   */
  constructor(gpu: Gpu, file: Graph, options: NetworkOptions = {}) {
    const graph = runnable(file);
    const { taps: names, tuning, choices = tuning?.choices } = options;
    const { tile = convTileFor(gpu), precision = "f32" } = options;
    this.taps = names === undefined ? [] : resolveTaps(graph, names);
    this.outputs = names === undefined
      ? graph.outputs
      : this.taps.map(({ tensor }) => tensor);
    this.graph = optimizeGraph(cutGraph(graph, this.outputs));
    this.#gpu = gpu;
    this.#tuning = tuning;
    this.#target = {
      tile,
      precision,
      ...(choices && { choices }),
    };
    this.#constants = new ConstantStore(gpu);
  }

  /**
   * Reads an ONNX file.
   *
   * @param options What to tap, and how to read external data.
   * @throws {OnnxError} For anything wrong with the file; `kind` tells what.
   */
  static async load(
    gpu: Gpu,
    bytes: Uint8Array,
    options: NetworkOptions = {},
  ): Promise<Network> {
    return new Network(gpu, await readOnnx(bytes, options), options);
  }

  /**
   * Checks that the network runs on colour images of some size.
   *
   * @throws {OnnxError} If its images are no colour images, or an operator
   * cannot run, whatever the size.
   */
  check(): void {
    const [, , height, width] = nominalShape(this.graph);
    const error = this.#sizeProblem([1, 3, height!, width!]);
    if (!error) return;
    const other = this.#sizeProblem([1, 3, 2 * height!, 2 * width!]);
    if (other?.message === error.message) throw error;
  }

  /** Why images of a shape do not fit; other errors are thrown. */
  #sizeProblem(image: readonly number[]): OnnxError | undefined {
    try {
      this.plan(image);
      return undefined;
    } catch (error) {
      if (error instanceof OnnxError && error.kind === "shape") return error;
      throw error;
    }
  }

  /** Lays the network out for images `[N, C, H, W]`, without allocating. */
  plan(image: readonly number[]): NetworkPlan {
    return planNetwork(this.graph, image, this.#target);
  }

  /**
   * Measures which kernels are the best for images `[N, C, H, W]`, where that is
   * not known.
   *
   * @returns Whether a session made before has other kernels than one made now.
   */
  async tune(image: readonly number[]): Promise<boolean> {
    if (this.#tuning === undefined) return false;
    await this.#tuning.load();
    const before = this.plan(image);
    await this.#tuning.measure(before.problems, this.#target);
    const names = ({ steps }: NetworkPlan): string =>
      steps.map(({ kernel }) => kernel.name).join();
    return names(this.plan(image)) !== names(before);
  }

  /**
   * Allocates and compiles the network for images `[N, C, H, W]`, with the
   * kernels that were measured to be the best as far as they were.
   */
  async session(image: readonly number[]): Promise<Session> {
    await this.#tuning?.load();
    return await Session.create(
      this.#gpu,
      this.plan(image),
      this.outputs,
      this.#constants,
    );
  }

  /** Frees the weights; sessions have to be disposed before. */
  dispose(): void {
    this.#constants.dispose();
  }

  /** Frees the weights where the block of a `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A transformer as it runs; one that is not understood as it is, for what comes before its blocks. */
function runnable(graph: Graph): Graph {
  try {
    return recogniseTransformer(graph);
  } catch (error) {
    if (error instanceof OnnxError) return graph;
    throw error;
  }
}
