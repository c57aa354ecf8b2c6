import type { Gpu, Program, Tensor } from "../gpu/mod.ts";
import { toNchw } from "./layout.ts";
import { extentOf, memoryShape } from "./extent.ts";
import type { NetworkPlan } from "./plan.ts";
import type { Operand, PackedConstant } from "./plan_context.ts";
import type { Shape } from "./shape_rules.ts";

/** Packed constants of a network on the GPU, shared by its sessions. */
export class ConstantStore implements Disposable {
  readonly #gpu: Gpu;
  readonly #blank: boolean;
  readonly #tensors = new Map<string, Tensor>();

  /**
   * An empty store.
   *
   * @param blank Whether only their memory is wanted.
   */
  constructor(gpu: Gpu, blank: boolean = gpu.isDry) {
    this.#gpu = gpu;
    this.#blank = blank;
  }

  /** The uploaded constant, packed at the first call for its key. */
  get(key: string, constant: PackedConstant): Tensor {
    const { elements, dtype, storage, pack } = constant;
    const gpu = this.#gpu;
    const known = this.#tensors.get(key);
    if (known !== undefined) return known;
    const tensor = gpu.tensor([elements], dtype, `parameters ${key}`, storage);
    this.#tensors.set(key, tensor);
    if (!this.#blank) gpu.write(tensor, pack());
    return tensor;
  }

  /** Frees the constants. */
  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  /** Frees the constants where the block of a `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * A network ready to run on images of one size and number: buffers allocated,
 * dispatches recorded.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 * import { Network, toNhwc } from "@patchcore/webgpu/nn";
 *
 * using gpu = await Gpu.create();
 * const bytes = await Deno.readFile("weights/demo.onnx");
 * using network = await Network.load(gpu, bytes, { taps: ["layer2"] });
 * const shape = [1, 3, 32, 32];
 * using session = await network.session(shape);
 * gpu.write(session.input, toNhwc(new Float32Array(3 * 32 * 32), shape));
 * session.program.run();
 * const [tap] = network.taps;
 * const values = await session.read(tap!.tensor);
 * assertEquals(values.length, session.shape(tap!.tensor).reduce((a, b) => a * b));
 * ```
 */
export class Session implements Disposable {
  /** Images `[N, H, W, 4]`: fill it, then run the program. */
  readonly input: Tensor;
  /** The tapped tensors `[N, H, W, 4·⌈C/4⌉]` by name, valid until the next run. */
  readonly taps: ReadonlyMap<string, Tensor>;
  /** The dispatches, to be submitted with others. */
  readonly program: Program;
  readonly #gpu: Gpu;
  readonly #plan: NetworkPlan;
  readonly #buffers: readonly Tensor[];

  private constructor(
    gpu: Gpu,
    plan: NetworkPlan,
    outputs: readonly string[],
    [input, ...buffers]: readonly [Tensor, ...Tensor[]],
  ) {
    this.#gpu = gpu;
    this.#plan = plan;
    this.input = input;
    this.#buffers = buffers;
    this.taps = new Map(outputs.map((name) => {
      const shape = memoryShape(plan.shapes.get(name)!);
      return [name, this.#tensor(name).view(shape, name)];
    }));
    this.program = gpu.program("network");
  }

  /**
   * Allocates and compiles.
   *
   * @param plan The network for one image size.
   * @param constants Weights, shared by the sessions of a network.
   */
  static async create(
    gpu: Gpu,
    plan: NetworkPlan,
    outputs: readonly string[],
    constants: ConstantStore,
  ): Promise<Session> {
    const session = new Session(gpu, plan, outputs, allocate(gpu, plan));
    try {
      session.#record(constants);
      await session.program.compile();
    } catch (error) {
      session.dispose();
      throw error;
    }
    return session;
  }

  #record(constants: ConstantStore): void {
    for (const { node, kernel, sizes, reads, output } of this.#plan.steps) {
      const tensors: Record<string, Tensor> = { y: this.#tensor(output) };
      for (const [binding, operand] of Object.entries(reads)) {
        tensors[binding] = this.#operand(operand, constants);
      }
      this.program.dispatch(kernel, sizes, tensors, node);
    }
  }

  #tensor(name: string): Tensor {
    const root = this.#plan.aliases.get(name) ?? name;
    if (root === this.#plan.input) return this.input;
    return this.#buffers[this.#plan.memory.bufferOf.get(root)!];
  }

  #operand(operand: Operand, constants: ConstantStore): Tensor {
    if ("value" in operand) return this.#tensor(operand.value);
    const { constant } = operand;
    return constants.get(constant, this.#plan.constants.get(constant)!);
  }

  /** ONNX shape of a tensor, e.g. `[N, C, H, W]`. */
  shape(name: string): Shape {
    return this.#plan.shapes.get(name)!;
  }

  /** Reads a tap back in ONNX order `[N, C, …]`. */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { images, channels, pixels } = extentOf(this.shape(name));
    const data = await this.#gpu.readFloats(this.taps.get(name)!);
    return toNchw(data, [images, channels, pixels, 1]);
  }

  /** Frees buffers and dispatches; the constants stay the network's. */
  dispose(): void {
    this.input.dispose();
    for (const buffer of this.#buffers) buffer.dispose();
    this.program.dispose();
  }

  /** Frees buffers and dispatches where the block of a `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The image input, then the activation buffers; none if one cannot be had. */
function allocate(gpu: Gpu, plan: NetworkPlan): [Tensor, ...Tensor[]] {
  const image = memoryShape(plan.shapes.get(plan.input)!);
  const input = gpu.tensor(image, "f32", "activations of the image");
  const buffers: Tensor[] = [];
  try {
    for (const [i, bytes] of plan.memory.buffers.entries()) {
      buffers.push(gpu.tensor([bytes / 4], "f32", `activations ${i}`));
    }
  } catch (error) {
    for (const tensor of [input, ...buffers]) tensor.dispose();
    throw error;
  }
  return [input, ...buffers];
}
