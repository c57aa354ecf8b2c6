import type { Kernel } from "../wgsl/kernel.ts";
import { MAX_WORKGROUPS_PER_DIMENSION } from "../wgsl/grid.ts";
import { GpuError } from "./errors.ts";
import type { GpuContext } from "./context.ts";
import type { BoundDispatch, ImageCopy } from "./pass.ts";
import { storageOf, type Tensor } from "./tensor.ts";

const UNIFORM_ALIGNMENT = 256;

interface RecordedDispatch {
  readonly kernel: Kernel<never>;
  readonly label: string;
  readonly overrides: Readonly<Record<string, number>>;
  readonly tensors: readonly Tensor[];
  readonly workgroups: readonly [number, number, number];
  readonly paramsOffset: number;
}

/**
 * A recorded list of dispatches: recorded once, compiled once, run as often as
 * wanted with one submit and, outside profiling, one compute pass, unless copies
 * lie between them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 * import { concat } from "@patchcore/webgpu/wgsl";
 *
 * using gpu = await Gpu.create();
 * using x = gpu.upload(new Float32Array([1, 2, 3, 4]), [1, 4]);
 * using y = gpu.tensor([1, 4]);
 * const sizes = { pixels: 1, count: 4, offset: 0, total: 4 };
 * using program = gpu.program("copy").dispatch(concat, sizes, { x, y });
 * await program.compile();
 * program.run();
 * assertEquals(await gpu.readFloats(y), new Float32Array([1, 2, 3, 4]));
 * ```
 */
export class Program implements Disposable {
  /** What the program does, for messages. */
  readonly label: string;
  readonly #gpu: GpuContext;
  readonly #recorded: RecordedDispatch[] = [];
  #params: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #paramsLength = 0;
  #uniforms: GPUBuffer | undefined;
  readonly #images = new Map<number, Tensor>();
  #bound: BoundDispatch[] | undefined;

  /** Made by `Gpu.program`; not meant to be constructed directly. */
  constructor(gpu: GpuContext, label: string) {
    this.#gpu = gpu;
    this.label = label;
  }

  /** Number of dispatches recorded. */
  get length(): number {
    return this.#recorded.length;
  }

  /**
   * Records one dispatch.
   *
   * @param sizes The problem's sizes, as the kernel's `plan` takes them.
   * @param tensors A tensor for every binding of the kernel, by name; one that
   * is missing or misspelt does not compile. Where the kernel reads an image, a
   * tensor of `f32` in a buffer is copied into one before, in every run.
   * @param role What this dispatch does here, for the profiler.
   * @throws {GpuError} If the grid is too large, or the names of the bindings
   * were not known to the compiler and one has no tensor.
   */
  dispatch<Sizes, Binding extends string>(
    kernel: Kernel<Sizes, Binding>,
    sizes: Sizes,
    tensors: Readonly<Record<NoInfer<Binding>, Tensor>>,
    role = "",
  ): this {
    const { params, overrides = {}, workgroups } = kernel.plan(sizes);
    if (this.#bound !== undefined) {
      throw new GpuError(
        `Cannot record "${kernel.name}": program "${this.label}" is compiled`,
      );
    }
    if (workgroups.some((count) => count > MAX_WORKGROUPS_PER_DIMENSION)) {
      throw new GpuError(
        `Cannot dispatch kernel "${kernel.name}": [${workgroups}] workgroups, at most ${MAX_WORKGROUPS_PER_DIMENSION} per dimension are possible`,
      );
    }
    if (workgroups.some((count) => count === 0)) return this;
    const names = Object.keys(kernel.bindings);
    this.#recorded.push({
      kernel: kernel as unknown as Kernel<never>,
      label: role === "" ? kernel.name : `${kernel.name} ${role}`,
      overrides,
      workgroups,
      tensors: names.map((name) => tensorFor(name, kernel.name, tensors)),
      paramsOffset: this.#append(kernel, params),
    });
    return this;
  }

  #append<Sizes>(
    kernel: Kernel<Sizes>,
    values: Readonly<Record<string, number>>,
  ): number {
    const fields = Object.entries(kernel.params);
    const offset = this.#paramsLength;
    if (fields.length === 0) return offset;
    const length = Math.ceil(fields.length / 4) * 16;
    this.#paramsLength += Math.ceil(length / UNIFORM_ALIGNMENT) *
      UNIFORM_ALIGNMENT;
    if (this.#paramsLength > this.#params.length) {
      const grown = new Uint8Array(this.#paramsLength * 2);
      grown.set(this.#params);
      this.#params = grown;
    }
    packParams(kernel, values, new DataView(this.#params.buffer, offset));
    return offset;
  }

  /**
   * Compiles the kernels and binds the tensors.
   *
   * @throws {GpuError} If a kernel does not compile or a binding does not fit.
   */
  async compile(): Promise<this> {
    if (this.#bound !== undefined) return this;
    const { device, pipelines } = this.#gpu;
    const compiled = await Promise.all(
      this.#recorded.map(({ kernel, overrides }) =>
        pipelines.get(kernel, overrides)
      ),
    );
    const bindings = this.#recorded.map(({ kernel, tensors }) => {
      const copies: ImageCopy[] = [];
      const accesses = Object.values(kernel.bindings);
      const resources = tensors.map((tensor, i): GPUBindingResource => {
        if (storageOf(accesses[i]!) === "buffer") {
          return { buffer: tensor.buffer, size: tensor.byteLength };
        }
        if (tensor.storage === "image" || accesses[i] !== "image_f32") {
          return tensor.image.createView();
        }
        const { image } = this.#imageFor(tensor);
        copies.push({ buffer: tensor.buffer, image, texels: tensor.size / 4 });
        return image.createView();
      });
      return { resources, copies };
    });
    const uniforms = this.#uploadParams();
    device.pushErrorScope("validation");
    const bound = this.#recorded.map((recorded, i) => {
      const { pipeline, layout } = compiled[i];
      const { resources, copies } = bindings[i];
      const entries: GPUBindGroupEntry[] = resources.map(
        (resource, binding) => ({ binding, resource }),
      );
      const fields = Object.keys(recorded.kernel.params).length;
      if (fields > 0) {
        entries.push({
          binding: entries.length,
          resource: {
            buffer: uniforms,
            offset: recorded.paramsOffset,
            size: Math.ceil(fields / 4) * 16,
          },
        });
      }
      const { label, workgroups } = recorded;
      const bindGroup = device.createBindGroup({ label, layout, entries });
      return { label, workgroups, pipeline, bindGroup, copies };
    });
    const error = await device.popErrorScope();
    if (error !== null) {
      throw new GpuError(
        `Cannot bind program "${this.label}": ${error.message}`,
      );
    }
    this.#bound = bound;
    return this;
  }

  /** The image that tensors of one size in buffers are copied to, one by one. */
  #imageFor({ shape, dtype, size, label }: Tensor): Tensor {
    const known = this.#images.get(size);
    if (known !== undefined) return known;
    const image = this.#gpu.tensor(shape, dtype, label, "image");
    this.#images.set(size, image);
    return image;
  }

  #uploadParams(): GPUBuffer {
    const { device, pool } = this.#gpu;
    const size = Math.max(this.#paramsLength, UNIFORM_ALIGNMENT);
    pool.track(size);
    const uniforms = device.createBuffer({
      label: `${this.label} params`,
      size,
      usage: 0x40 /* UNIFORM */ | 0x08, /* COPY_DST */
    });
    device.queue.writeBuffer(uniforms, 0, this.#params, 0, this.#paramsLength);
    this.#uniforms = uniforms;
    return uniforms;
  }

  /** Overwrites the `Params` of one recorded dispatch for the runs to come. */
  setParams(index: number, values: Readonly<Record<string, number>>): void {
    const { kernel, paramsOffset } = this.#recorded[index];
    const bytes = new Uint8Array(
      Math.ceil(Object.keys(kernel.params).length / 4) * 16,
    );
    packParams(kernel, values, new DataView(bytes.buffer));
    if (this.#uniforms === undefined) this.#params.set(bytes, paramsOffset);
    else {this.#gpu.device.queue.writeBuffer(
        this.#uniforms,
        paramsOffset,
        bytes,
      );}
  }

  /**
   * The dispatches in order, for `Gpu.submit`.
   *
   * @throws {GpuError} If the program is not compiled or was disposed.
   */
  get dispatches(): readonly BoundDispatch[] {
    if (this.#bound === undefined) {
      throw new GpuError(
        `Cannot run program "${this.label}": it is not compiled`,
      );
    }
    return this.#bound;
  }

  /** Submits all dispatches; does not wait for the GPU. */
  run(): void {
    this.#gpu.submit([this]);
  }

  /** Frees what the program made for itself; the tensors stay their owners'. */
  dispose(): void {
    for (const image of this.#images.values()) image.dispose();
    this.#images.clear();
    if (this.#uniforms === undefined) return;
    this.#gpu.pool.track(-this.#uniforms.size);
    this.#uniforms.destroy();
    this.#uniforms = undefined;
    this.#bound = undefined;
  }

  /** Frees what it made where the block of a `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function tensorFor(
  name: string,
  kernel: string,
  tensors: Readonly<Record<string, Tensor>>,
): Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) {
    throw new GpuError(
      `Cannot dispatch kernel "${kernel}": binding "${name}" has no tensor, got ${
        Object.keys(tensors).join(", ")
      }`,
    );
  }
  return tensor;
}

function packParams(
  kernel: Pick<Kernel<never>, "name" | "params">,
  values: Readonly<Record<string, number>>,
  view: DataView,
): void {
  Object.entries(kernel.params).forEach(([field, type], i) => {
    const value = values[field];
    if (value === undefined || Number.isNaN(value)) {
      throw new GpuError(
        `Cannot dispatch kernel "${kernel.name}": parameter "${field}" is ${value}`,
      );
    }
    if (type === "f32") view.setFloat32(i * 4, value, true);
    else if (type === "i32") view.setInt32(i * 4, value, true);
    else view.setUint32(i * 4, value, true);
  });
}
